"""What the console shows, as JSON values: the service, runs with their losses, releases.

Pure: given rows and states, it reads nothing and changes nothing.
"""

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pydantic.fields import FieldInfo

from bot.admin_progress import RESUMED
from bot.admin_training import KNOBS
from bot.admin_verdict import reasons
from bot.texts import Texts
from core.messages import Source
from inference.engine import BASE
from storage.consented import Exchange
from storage.releases import Listed
from storage.reports import Load
from training.config import TrainConfig
from training.export import FORMS
from training.folder import ENDED, State
from training.report import ROWS

#: Phases that a run can be taken up from.
TAKEN_UP = frozenset({"cancelled", "interrupted", "failed"})
#: Points of a curve that a phone's screen can tell apart.
MOST_POINTS = 240
#: Whose figures a verdict keeps beside the release's own.
COLUMNS = ("base", "live", "candidate")
FIGURES = (("asked", "count"), *((name, kind) for name, _, kind in ROWS))
#: What a line in a list has room for.
MAIN = frozenset({"hausa", "loss", "chrf"})
#: The limits that are a least value; the others are a greatest.
AT_LEAST = frozenset({"asked", "danger", "hausa"})


def load(now: Load, day: Load) -> dict[str, int]:
    """Queue, outbox and answers: of the last hour, danger signs of the last day."""
    parts = now.parts
    return {
        "received": now.received,
        "answered": sum(now.sources.values()),
        "danger": day.sources.get("danger_sign", 0),
        "queued": now.queued + now.running,
        "unsent": sum(parts.get(state, 0) for state in ("queued", "sending", "waiting")),
        "doubtful": parts.get("doubtful", 0),
        "failed": sum(parts.get(end, 0) for end in ("refused", "expired", "undelivered")),
    }


def run(name: str, state: State, texts: Texts, language: str) -> dict[str, Any]:
    """One run as a line: where it stands, in words and figures."""
    room = "console" if state.phase in RESUMED else "admin"
    return {
        "name": name,
        "phase": state.phase,
        "said": texts(f"{room}-phase-{state.phase}", language),
        "share": round(min(1.0, max(0.0, state.share)), 4),
        "step": state.count[0],
        "steps": state.count[1],
        "end": state.steps,
        "loss": state.loss,
        "held_out": state.held_out_loss,
        "best": state.best_loss,
        "base": state.base_loss,
        "left": _left(state, texts, language),
        # Operators' words, in English; why a run failed is worth them all the same.
        "detail": state.detail if language == "en" or state.phase == "failed" else "",
        "active": state.phase not in ENDED and state.phase != "interrupted",
        "resumes": state.phase in TAKEN_UP,
    }


def _left(state: State, texts: Texts, language: str) -> str:
    if state.eta is None or state.phase != "training":
        return ""
    return texts("console-minutes", language, count=math.ceil(state.eta / 60))


def config(wanted: TrainConfig) -> dict[str, str]:
    """What a run was begun with, in the words of /train."""
    values = ((word, getattr(wanted, name)) for word, name in KNOBS.items())
    return {word: _said(value) for word, value in values}


def _said(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def curve(lines: Iterable[Mapping[str, Any]], base: float | None) -> dict[str, list[list[float]]]:
    """Training and held-out loss by step; many steps are averaged into as many as can be seen."""
    rows = [row for row in lines if row.get("step", -1) >= 0]
    learnt = [[row["step"], row["loss"]] for row in rows if "loss" in row]
    held = [[row["step"], row["held_out_loss"]] for row in rows if "held_out_loss" in row]
    if base is not None and held and held[0][0] > 0:
        held = [[0, base], *held]
    return {"loss": thinned(learnt, MOST_POINTS), "held_out": held}


def thinned(points: Sequence[Sequence[float]], most: int) -> list[list[float]]:
    """At most so many points, each the mean of its neighbours; the last one's step is kept."""
    if len(points) <= most:
        return [list(point) for point in points]
    edges = [round(number * len(points) / most) for number in range(most + 1)]
    groups = (points[begin:end] for begin, end in itertools.pairwise(edges))
    return [[group[-1][0], sum(y for _, y in group) / len(group)] for group in groups]


def release(row: Listed, live: str | None, texts: Texts, language: str) -> dict[str, Any]:
    """One release as a line: its state in words, its main figures, whether it may go live."""
    said = texts(f"admin-state-{row.state}", language)
    if row.forced:
        said = f"{said}, {texts('admin-state-forced', language)}"
    return {
        "name": row.name,
        "state": row.state,
        "said": said,
        "figures": " · ".join(_figures(row, texts, language)),
        "passed": row.verdict,
        "live": row.name == live,
        "added_at": row.added_at,
    }


def _figures(row: Listed, texts: Texts, language: str) -> Iterator[str]:
    """The examination's main figures; before it, what the training did to the loss."""
    metrics: Mapping[str, float] = row.report.get("metrics") or {}
    for name, kind in FIGURES:
        if name in MAIN and name in metrics:
            yield f"{_title(name, texts, language)} {written(metrics[name], kind)}"
    learnt: Mapping[str, float] = row.manifest.get("metrics") or {}
    if not metrics and "held_out_loss" in learnt:
        before, after = learnt.get("base_loss"), learnt["held_out_loss"]
        fall = f"{written(before, 'number')} → " if before is not None else ""
        yield f"{_title('loss', texts, language)} {fall}{written(after, 'number')}"


def answer(exchange: Exchange, texts: Texts, language: str) -> dict[str, Any]:
    """One answer that may be put right, and what its correction begins from."""
    written = exchange.source == Source.MODEL
    return {
        "number": exchange.message_id,
        "question": exchange.question,
        "answer": exchange.answer,
        "by": texts("console-answer-model", language, release=exchange.release or BASE)
        if written
        else texts("console-answer-fallback", language),
        "draft": exchange.answer if written else "",
    }


def _title(figure: str, texts: Texts, language: str) -> str:
    return texts(f"console-figure-{figure.replace('_', '-')}", language)


def verdict(row: Listed, texts: Texts, language: str) -> dict[str, Any]:
    """What a release's examination found: a line a figure, with those of base, live and the limit.

    The names of the figures are those of `training.gate`, "base.loss" beside "loss".
    """
    metrics: Mapping[str, float] = row.report.get("metrics") or {}
    columns = [
        column
        for column in COLUMNS
        if any(_at(metrics, column, one) is not None for one in FIGURES)
    ]
    lines = [
        {
            "title": _title(name, texts, language),
            "values": [written(_at(metrics, column, (name, kind)), kind) for column in columns],
            "limit": _limit(metrics, name, kind),
        }
        for name, kind in FIGURES
        if any(_at(metrics, column, (name, kind)) is not None for column in columns)
    ]
    return {
        "passed": row.verdict,
        "state": row.state,
        "columns": columns,
        "lines": lines,
        "reasons": reasons(texts, language, row.report.get("reasons") or ()),
    }


def written(value: float | None, kind: str) -> str:
    """A figure as people read it; a share is a percentage."""
    if value is None:
        return "–"
    if kind == "percent":
        return f"{100 * value:.1f} %"
    return f"{value:,.0f}" if kind == "count" else f"{value:,.3g}"


def _at(metrics: Mapping[str, float], column: str, figure: tuple[str, str]) -> float | None:
    return metrics.get(figure[0] if column == "candidate" else f"{column}.{figure[0]}")


def _limit(metrics: Mapping[str, float], name: str, kind: str) -> str:
    value = metrics.get("limit.least_asked" if name == "asked" else f"limit.{name}")
    sign = "≥" if name in AT_LEAST else "≤"
    return "" if value is None else f"{sign} {written(value, kind)}"


def forms() -> tuple[str, ...]:
    """In what forms a release can leave, as /export names them."""
    return tuple(FORMS)


def knobs() -> list[dict[str, Any]]:
    """The numbers that may follow /train: each one's default, least and greatest value."""
    fields = ((word, TrainConfig.model_fields[name]) for word, name in KNOBS.items())
    return [_knob(word, field) for word, field in fields if field.annotation in (int, float)]


def _knob(word: str, field: FieldInfo) -> dict[str, Any]:
    rules = {type(rule).__name__: rule for rule in field.metadata}
    return {
        "word": word,
        "usual": plain(field.default),
        # A part of an epoch is one, and no epoch is none.
        "least": plain(rules["Ge"].ge if "Ge" in rules else 0.1),
        "most": plain(rules["Le"].le),
        "step": 1 if field.annotation is int else "any",
    }


def plain(value: float) -> str:
    """A number without a power of ten: 0.000001, not 1e-06."""
    return f"{value:.6f}".rstrip("0").rstrip(".")
