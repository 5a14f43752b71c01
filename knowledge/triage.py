"""Danger-sign triage: does this message describe an emergency, and which one.

Knows the reviewed signs, the written rules, the trained scorer and the context rules, and
joins them so that any one of them is enough to raise an alarm. Decides before, and without,
the language model. Knows no telephone numbers: the caller fills {emergency} and {suicide_line}.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from knowledge import triage_model
from knowledge.triage_context import Context
from knowledge.triage_model import Limits, Model
from knowledge.triage_rules import Hit, Rules
from knowledge.triage_signs import SIGNS, Sign, Urgency, load_signs
from knowledge.triage_text import clauses, key, sentences

log = logging.getLogger(__name__)

MAX_TEXT: Final = 8000
REMEMBERED: Final = 256
# A "word" of so many letters is a sentence typed without blanks.
JOINED: Final = 10
RULE_SCORE: Final = {"phrase": 1.0, "pattern": 0.95, "pair": 0.8}
_NO_LIMITS: Final = Limits(threshold=1.0, support=0.0, floor=0.0, ceiling=1.0)
SAFETY_NOTE: Final = MappingProxyType(
    {
        "ha": (
            "Idan wannan abu yana faruwa yanzu, ko alamar haɗari ta bayyana (suma, jijjiga, "
            "wahalar numfashi, zubar jini), a tafi asibiti mafi kusa nan take."
        ),
        "en": (
            "If this is happening now, or a danger sign appears (fainting, a fit, trouble "
            "breathing, bleeding), go to the nearest hospital at once."
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One danger sign found in a message."""

    sign: str
    urgency: Urgency
    score: float
    by: str
    downgraded: bool


@dataclass(frozen=True, slots=True)
class _Part:
    """One keyed sentence, whole and with denials cut out, and its context."""

    whole: str
    live: str
    context: str | None


class Triage:
    """The triage, ready to check messages; safe to share between threads."""

    def __init__(
        self, signs: Mapping[str, Sign], context: Context, model: Model | None = None
    ) -> None:
        """Join `signs`, `context` and, when there is one, the trained `model`."""
        self.signs: Mapping[str, Sign] = MappingProxyType(dict(signs))
        self._rules = Rules(signs)
        self._context = context
        self._model = model
        self._danger = lru_cache(maxsize=REMEMBERED)(model.danger) if model else _never
        # The same message is checked when it is taken in and again when it is answered.
        self._remembered = lru_cache(maxsize=REMEMBERED)(self._check)

    @classmethod
    def load(cls, folder: Path | None = None) -> "Triage":
        """Read the signs, the context rules and the model.

        Args:
            folder: the `knowledge` folder to read from; the shipped one when None.

        Raises:
            SignError: a sign file breaks a rule.
            OSError: the sign or context files cannot be read.
        """
        return _shipped() if folder is None else _read(folder)

    def check(self, text: str) -> Finding | None:
        """Return the most urgent danger sign in `text`, or None; never raises for any str."""
        try:
            return self._remembered(text[:MAX_TEXT])
        except Exception:
            # Invariant: a triage that fails is no finding and is logged, never a lost message.
            log.exception("triage failed on a message of %d characters", len(text))
            return None

    def reply(self, sign: str, language: str) -> str:
        """Return the emergency text of `sign`; Hausa for any language but "en".

        Raises:
            KeyError: there is no such sign.
        """
        return self.signs[sign].reply["en" if language == "en" else "ha"]

    def title(self, sign: str, language: str) -> str:
        """Return what `sign` is called; Hausa for any language but "en". Raises KeyError."""
        found = self.signs[sign]
        return found.title_en if language == "en" else found.title_ha

    def safety_note(self, language: str) -> str:
        """Return the one line that goes under a normal answer to a downgraded finding."""
        return SAFETY_NOTE["en" if language == "en" else "ha"]

    def _check(self, text: str) -> Finding | None:
        cry = self._rules.cry(key(text))
        if cry:
            return self._finding(cry, 1.0, "phrase")
        parts = [self._part(sentence) for sentence in sentences(text)]
        live = [(part.live, part.whole) for part in parts if part.context is None and part.live]
        views = _views(live)
        found = self._detect(views)
        if found:
            return self._best(found, downgraded=False)
        whole = _views([(part.whole, part.whole) for part in parts if part.whole])
        found = self._detect([view for view in whole if view not in views])
        return self._best(found, downgraded=True) if found else None

    def _part(self, sentence: str) -> _Part:
        whole = self._context.without_idioms(key(sentence))
        kept = (self._context.without_idioms(key(clause)) for clause in clauses(sentence))
        live = " | ".join(filter(None, map(self._context.without_denials, kept)))
        return _Part(whole, live, self._label(whole))

    def _label(self, whole: str) -> str | None:
        """Return the context of a sentence, where the scorer does not stand against it."""
        context = self._context.label(whole)
        if not self._model:
            return context
        if context:
            return None if self._danger(whole)[0] >= self._model.limits.ceiling else context
        hinted = self._context.hinted(whole) and not self._told(whole)
        return "hinted" if hinted and self._danger(whole)[0] < self._model.limits.floor else None

    def _told(self, whole: str) -> bool:
        """Say whether a reviewed phrase tells what happened, whatever is asked about it."""
        hits = self._rules.hits(whole) if self._context.happened(whole) else ()
        return any(hit.by == "phrase" for hit in hits)

    def _detect(self, views: Sequence[tuple[str, str]]) -> dict[str, Finding]:
        found: dict[str, Finding] = {}
        for live, whole in views:
            for finding in self._findings(live, whole):
                known = found.get(finding.sign)
                if known is None or finding.score > known.score:
                    found[finding.sign] = finding
        return found

    def _findings(self, live: str, whole: str) -> Iterable[Finding]:
        danger, best, shares = self._danger(live)
        limits = self._model.limits if self._model else _NO_LIMITS
        for hit in self._rules.hits(live):
            if danger < self._needed(hit, limits):
                continue
            # The share breaks ties between signs whose rules match the same words.
            score = RULE_SCORE[hit.by] - 0.3 * (1.0 - shares.get(hit.sign, 0.0))
            yield self._finding(hit.sign, score, hit.by)
        # The scorer has learnt denials by itself: what is left after cutting must not alarm it.
        if self._model and danger >= limits.threshold and _says_enough(live):
            danger = min(danger, self._danger(whole)[0])
            if danger >= limits.threshold:
                yield self._finding(best, min(0.7, danger * 0.7), "classifier")

    def _needed(self, hit: Hit, limits: Limits) -> float:
        # A reviewed phrase, and any word of suicide, stands whatever the scorer thinks of it.
        if hit.by == "phrase" or self.signs[hit.sign].never_downgraded:
            return 0.0
        return limits.support if hit.by == "pair" else limits.floor

    def _finding(self, sign: str, score: float, by: str) -> Finding:
        return Finding(sign, self.signs[sign].urgency, round(score, 4), by, downgraded=False)

    def _best(self, found: Mapping[str, Finding], *, downgraded: bool) -> Finding:
        outranked = {name for sign in found for name in self.signs[sign].outranks}
        kept = [finding for sign, finding in found.items() if sign not in outranked]
        best = max(kept or found.values(), key=_rank)
        # Never downgraded is the wording itself; the scorer alone has only a likeness to go by.
        spoken = self.signs[best.sign].never_downgraded and best.by != "classifier"
        quiet = downgraded and not spoken
        return Finding(best.sign, best.urgency, best.score, best.by, quiet)


def _never(view: str) -> tuple[float, str, dict[str, float]]:
    """The scorer's place when there is no model: it stands against nothing."""
    return 1.0, "", {}


def _rank(finding: Finding) -> tuple[bool, float, str]:
    return finding.urgency == "now", finding.score, finding.sign


def _says_enough(view: str) -> bool:
    """Say whether the scorer has more to go by than a name or a particle."""
    words = view.replace("|", " ").split()
    return len(words) > 1 or (len(words) == 1 and len(words[0]) >= JOINED)


def _views(parts: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return each sentence by itself and all together: a sign may be spread over two."""
    if len(parts) < 2:
        return list(parts)
    return [*parts, (" | ".join(live for live, _ in parts), " | ".join(w for _, w in parts))]


@cache
def _shipped() -> Triage:
    """Read once a process: it takes a second, and nothing changes it."""
    return _read(SIGNS.parent)


def _read(base: Path) -> Triage:
    context = Context.load(base / "data" / "triage_context.yaml")
    return Triage(load_signs(base / "signs"), context, _model(base / "model"))


def _model(folder: Path) -> Model | None:
    try:
        return triage_model.load(folder)
    except (OSError, triage_model.ModelError, KeyError, ValueError):
        log.exception("no usable triage model in %s; written rules only", folder)
        return None
