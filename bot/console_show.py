"""What the console shows, as JSON values: the service, runs with their losses, releases.

Pure: given rows and states, it reads nothing and changes nothing.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic.fields import FieldInfo

from bot.admin_progress import RESUMED
from bot.admin_show import figures
from bot.admin_training import KNOBS
from bot.texts import Texts
from storage.releases import Listed
from storage.reports import Load
from training.config import TrainConfig
from training.folder import State

#: Points of a curve that a phone's screen can tell apart.
MOST_POINTS = 240
#: Where a verdict keeps the figures of the others (`training.gate`).
OTHERS = ("base", "live", "limit")


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
        "step": state.step,
        "steps": state.steps,
        "loss": state.loss,
        "held_out": state.held_out_loss,
        "best": state.best_loss,
        "base": state.base_loss,
        "eta": state.eta if state.phase == "training" else None,
        "speed": state.speed,
        "detail": state.detail,
    }


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
        "figures": figures(row),
        "passed": row.verdict,
        "live": row.name == live,
        "added_at": row.added_at,
    }


def verdict(row: Listed) -> dict[str, Any]:
    """What a release's examination found, beside base, live and the limits."""
    metrics: Mapping[str, float] = row.report.get("metrics") or {}
    columns: dict[str, dict[str, float]] = {"base": {}, "live": {}, "limit": {}, "candidate": {}}
    for name, value in metrics.items():
        whose, dot, figure = name.partition(".")
        if dot and whose in OTHERS:
            columns[whose][figure] = value
        else:
            columns["candidate"][name] = value
    return {"columns": columns, "reasons": list(row.report.get("reasons") or ())}


def knobs() -> list[dict[str, Any]]:
    """The numbers that may follow /train: each one's default, least and greatest value."""
    fields = ((word, TrainConfig.model_fields[name]) for word, name in KNOBS.items())
    return [_knob(word, field) for word, field in fields if field.annotation in (int, float)]


def _knob(word: str, field: FieldInfo) -> dict[str, Any]:
    rules = {type(rule).__name__: rule for rule in field.metadata}
    return {
        "word": word,
        "usual": field.default,
        # A part of an epoch is one, and no epoch is none.
        "least": rules["Ge"].ge if "Ge" in rules else 0.1,
        "most": rules["Le"].le,
        "step": 1 if field.annotation is int else "any",
    }
