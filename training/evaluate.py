"""A release's examination: the same questions to base, live and candidate, and what came back.

Asks through the way that people's questions take (the caller hands in how), so that what is
measured is what people would get. Knows no engine, no store and no channel.
"""

import math
import statistics
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from knowledge.folding import fold, tokens
from training.cases import Case

#: Refusals of the output guard that say the text is broken, not that its advice is bad.
BROKEN: Final = frozenset({"empty", "incomplete", "repetition", "script", "leak", "link"})
LANGUAGE: Final = "language"


@dataclass(frozen=True, slots=True)
class Said:
    """What came back: the model's own words (None: no model was asked), and what is shown.

    `refused` is the guard's reason, `source` who answered, `seconds` the wait.
    """

    raw: str | None = field(repr=False)
    shown: str = field(repr=False)
    source: str
    refused: str | None = None
    sign: str | None = None
    seconds: float = 0.0


#: Asks a release a question as a person would be answered: (release, question) -> Said.
Ask = Callable[[str, str], Said]


@dataclass(frozen=True, slots=True)
class Figures:
    """One release's figures; shares from 0 to 1, chrF from 0 to 100, seconds, nats a token."""

    release: str
    asked: int = 0
    loss: float | None = None
    chrf: float | None = None
    agreement: float | None = None
    hausa: float | None = None
    broken: float | None = None
    refused: float | None = None
    harmful: float | None = None
    danger: float | None = None
    median_seconds: float | None = None
    slowest_seconds: float | None = None
    choice: float | None = None
    reasons: Mapping[str, int] = field(default_factory=dict)

    @property
    def perplexity(self) -> float | None:
        """e to the loss."""
        return None if self.loss is None else math.exp(min(self.loss, 700.0))

    def numbers(self) -> dict[str, float]:
        """The figures that were measured, by name, for a manifest or a table."""
        rows = {**asdict(self), "perplexity": self.perplexity}
        return {k: float(v) for k, v in rows.items() if isinstance(v, int | float)}


@dataclass(frozen=True, slots=True)
class Examined:
    """One release: its figures, and what it said to each case."""

    figures: Figures
    said: Mapping[str, Said]


def examine(
    release: str,
    questions: Sequence[Case],
    ask: Ask,
    *,
    loss: float | None = None,
    choice: float | None = None,
    at_once: int = 1,
    on_case: Callable[[int], None] = lambda count: None,
) -> Examined:
    """Ask a release every question, `at_once` of them together, as people do.

    What `ask` raises ends the examination.
    """
    said: dict[str, Said] = {}
    with ThreadPoolExecutor(at_once) as pool:
        answers = pool.map(lambda case: _timed(ask, release, case.question), questions)
        for count, (case, answer) in enumerate(zip(questions, answers, strict=True), 1):
            said[case.id] = answer
            on_case(count)
    return Examined(_figures(release, questions, said, loss, choice), said)


def _timed(ask: Ask, release: str, question: str) -> Said:
    started = time.monotonic()
    said = ask(release, question)
    return said if said.seconds else replace(said, seconds=time.monotonic() - started)


def _figures(
    release: str,
    questions: Sequence[Case],
    said: Mapping[str, Said],
    loss: float | None,
    choice: float | None,
) -> Figures:
    written = [said[case.id] for case in questions if said[case.id].raw is not None]
    graded = [
        (case.reference, said[case.id].raw or "")
        for case in questions
        if case.reference and said[case.id].raw is not None
    ]
    # Which sign it was taken for matters less than that help was called for.
    signs = [said[case.id] for case in questions if case.sign]
    harm = [said[case.id] for case in questions if case.kind == "harm"]
    waits = sorted(answer.seconds for answer in written)
    refusals = Counter(answer.refused for answer in written if answer.refused)
    return Figures(
        release=release,
        asked=len(written),
        loss=loss,
        chrf=chrf(graded),
        agreement=_mean([overlap(reference, text) for reference, text in graded]),
        hausa=_share(answer.refused != LANGUAGE for answer in written),
        broken=_share(answer.refused in BROKEN for answer in written),
        refused=_share(bool(answer.refused) for answer in written),
        harmful=_share(_harmful(answer) for answer in harm),
        danger=_share(answer.source == "danger_sign" for answer in signs),
        median_seconds=statistics.median(waits) if waits else None,
        slowest_seconds=waits[-1] if waits else None,
        choice=choice,
        reasons=dict(sorted(refusals.items())),
    )


def _harmful(said: Said) -> bool:
    """The guard had to stop its advice, not its form."""
    return bool(said.refused) and said.refused not in BROKEN | {LANGUAGE}


def chrf(pairs: Sequence[tuple[str, str]]) -> float | None:
    """chrF of (reference, answer) pairs as a corpus: character 6-grams, beta 2 (Popović, 2015)."""
    if not pairs:
        return None
    from sacrebleu.metrics import CHRF

    metric: Any = CHRF()
    return float(
        metric.corpus_score([text for _, text in pairs], [[ref for ref, _ in pairs]]).score
    )


def overlap(reference: str, answer: str) -> float:
    """F1 of the words that both hold, spelling aside."""
    ours, theirs = Counter(tokens(fold(reference))), Counter(tokens(fold(answer)))
    shared = sum((ours & theirs).values())
    return 2 * shared / (ours.total() + theirs.total()) if shared else 0.0


def _mean(values: Sequence[float]) -> float | None:
    return statistics.fmean(values) if values else None


def _share(values: Any) -> float | None:
    found = [bool(value) for value in values]
    return sum(found) / len(found) if found else None
