"""How a run stands and how it ended, in an admin's language. Pure: reads and changes nothing."""

from collections.abc import Mapping
from typing import Any

from bot.admin_verdict import reasons
from bot.texts import Texts
from core.messages import Choice, Reply
from storage.releases import Listed
from training.folder import State
from training.jobs import told

BAR = 12
#: Phases whose words name an order that takes up a run: none of an examination alone.
RESUMED = frozenset({"done", "cancelled", "interrupted"})


def standing(texts: Texts, language: str, key: str, state: State, batch: int = 0) -> str:
    """A run or an examination in a few lines: phase, bar, figures.

    `batch` is the one that was asked for: a smaller one was forced by the memory.
    """
    room = "console" if key != told(key) and state.phase in RESUMED else "admin"
    smaller = 0 < state.batch < batch
    lines = (
        f"{told(key)}: {texts(f'{room}-phase-{state.phase}', language)}",
        bar(state.share),
        figures(state),
        texts("admin-smaller", language, batch=str(state.batch)) if smaller else "",
        reason(texts, language, state) if state.phase == "failed" else "",
    )
    return "\n".join(line for line in lines if line)


def ended(
    texts: Texts,
    language: str,
    key: str,
    state: State,
    row: Listed | None,
    result: Mapping[str, Any] | None = None,
) -> Reply:
    """The final word on a run or an examination, with what can be done next as buttons.

    `row` is its release, where there is one; `result` what the training measured.
    """
    name, alone = told(key), key != told(key)
    if state.phase == "done":
        head = texts("admin-end-examined" if alone else "admin-end-done", language, run=name)
        verdict, choices = _verdict(texts, language, name, state, row)
        learnt = "" if alone else losses(texts, language, result or {})
        return Reply("\n".join(line for line in (head, learnt, verdict) if line), choices)
    kind = "admin-end-alone" if alone else "admin-end"
    text = texts(f"{kind}-{state.phase}", language, run=name, figures=figures(state) or "–")
    if state.phase == "failed":
        text = f"{text}\n{reason(texts, language, state)}"
    again = Choice(f"resume:{name}:ask", texts("label-resume", language))
    return Reply(text, () if alone else (again,))


def losses(texts: Texts, language: str, result: Mapping[str, Any]) -> str:
    """What was learnt, by the loss on questions that were held out."""
    before, after = result.get("base_loss"), result.get("held_out_loss")
    if before is None or after is None:
        return ""
    minutes = f"{max(1, round(float(result.get('seconds') or 0) / 60))}"
    values = {"before": f"{before:.3f}", "after": f"{after:.3f}", "minutes": minutes}
    return texts("admin-end-losses", language, **values)


def reason(texts: Texts, language: str, state: State) -> str:
    """Why a run failed, in the words that are meant for the operator."""
    return texts("admin-end-reason", language, reason=state.detail) if state.detail else ""


def bar(share: float) -> str:
    """A bar of blocks and its percentage."""
    whole = min(1.0, max(0.0, share))
    done = round(BAR * whole)
    return f"{'▓' * done}{'░' * (BAR - done)} {100 * whole:.0f} %"


def figures(state: State) -> str:
    """The figures of a run in one line; letters that need no language."""
    count, of = state.count
    parts = (
        f"{count}/{of}" if of else "",
        f"loss {state.loss:.3f}" if state.loss is not None else "",
        f"held-out {state.held_out_loss:.3f}" if state.held_out_loss is not None else "",
        f"ETA {_minutes(state.eta)} min" if state.eta and state.phase == "training" else "",
    )
    return " · ".join(part for part in parts if part)


def _minutes(seconds: float) -> str:
    """Half a minute is not none."""
    return f"{seconds / 60:.0f}" if seconds >= 60 else "<1"


def _verdict(
    texts: Texts, language: str, name: str, state: State, row: Listed | None
) -> tuple[str, tuple[Choice, ...]]:
    """The gate's word on the release, and the button that a passed one has earned."""
    if row is None or row.verdict is None:
        unexamined = texts("admin-verdict-none", language, release=name)
        why = state.detail.removeprefix("not examined: ")
        failed = why != state.detail
        told_ = texts("admin-end-reason", language, reason=why) if failed else ""
        return "\n".join(line for line in (unexamined, told_) if line), ()
    if not row.verdict:
        lines = (f"• {one}" for one in reasons(texts, language, row.report.get("reasons") or ()))
        return "\n".join([texts("admin-verdict-failed", language, release=name), *lines]), ()
    swap = Choice(f"swap:{name}:ask", texts("label-swap", language))
    return texts("admin-verdict-passed", language, release=name), (swap,)
