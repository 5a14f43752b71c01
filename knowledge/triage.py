"""Danger-sign triage: does this message describe an emergency, and which one.

Knows the reviewed signs and joins the written rules, the context cues and the trained scorer, to
which rules and cues are evidence: a rule's word raises the alarm unless the rest of the message
speaks against it, and then still earns a note. Decides before, and without, the language model.
Knows no telephone numbers: the caller fills {emergency} and {suicide_line}.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from knowledge import triage_model
from knowledge.ngrams import usable
from knowledge.triage_context import Context
from knowledge.triage_features import Reader, Seen
from knowledge.triage_model import Limits, Model
from knowledge.triage_rules import Hit, Rules
from knowledge.triage_signs import SIGNS, Sign, Urgency, load_signs
from knowledge.triage_text import key, sentences
from knowledge.wording import tables

log = logging.getLogger(__name__)

MAX_TEXT: Final = 8000
REMEMBERED: Final = 256
# A "word" of so many letters is a sentence typed without blanks.
JOINED: Final = 10
RULE_SCORE: Final = {"phrase": 1.0, "pattern": 0.95, "pair": 0.8}
# The scorer's word alone counts less than a rule's, whatever it is sure of.
_BY_LIKENESS: Final = 0.7
_NO_LIMITS: Final = Limits(threshold=0.5, phrase=0.5, floor=0.0)
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


class Triage:
    """The triage, ready to check messages; safe to share between threads."""

    def __init__(
        self, signs: Mapping[str, Sign], context: Context, model: Model | None = None
    ) -> None:
        """Join `signs`, `context` and, when there is one, the trained `model`."""
        self.signs: Mapping[str, Sign] = MappingProxyType(dict(signs))
        self._rules = Rules(signs)
        self._reader = Reader(self._rules, context, tables())
        self._model = model
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

    def safety_note(self, sign: str, language: str) -> str:
        """Return the line under a normal answer to a message that only talks of `sign`.

        Raises:
            KeyError: there is no such sign.
        """
        return (self.signs[sign].note or SAFETY_NOTE)["en" if language == "en" else "ha"]

    def _check(self, text: str) -> Finding | None:
        keyed = key(text)
        cry = self._rules.cry(keyed)
        if cry:
            return self._finding(cry, 1.0, "phrase")
        # The whole, and each sentence by itself: a sign may be spread over two, or stand in one.
        parts = dict.fromkeys(filter(None, [keyed, *map(key, sentences(text))]))
        found = [finding for part in parts for finding in self._findings(part)]
        sure = [finding for finding in found if not finding.downgraded]
        return self._best(sure or found) if found else None

    def _findings(self, keyed: str) -> Iterator[Finding]:
        seen = self._reader.read(keyed)
        danger, best, shares = self._danger(seen)
        limits = self._model.limits if self._model else _NO_LIMITS
        for hit in seen.hits:
            if danger < limits.floor and not self._always_noted(hit):
                continue
            # "The market fainted": the words of a danger, and nobody's.
            doubted = danger < self._needed(hit, seen, limits) or hit not in seen.live
            # The share breaks ties between signs whose rules match the same words.
            score = RULE_SCORE[hit.by] - 0.3 * (1.0 - shares.get(hit.sign, 0.0))
            yield replace(self._finding(hit.sign, score, hit.by), downgraded=doubted)
        if self._model and danger >= limits.threshold and _says_enough(keyed):
            yield self._finding(best, danger * _BY_LIKENESS, "classifier")

    def _always_noted(self, hit: Hit) -> bool:
        """Say whether at least a note is due, whatever else is said."""
        return hit.by == "phrase" or self.signs[hit.sign].sensitive

    def _needed(self, hit: Hit, seen: Seen, limits: Limits) -> float:
        """Return the danger from which a rule raises the alarm."""
        sensitive = self.signs[hit.sign].sensitive
        if hit.by == "phrase" and (sensitive or seen.context is None):
            # "A dog bit my son, does he need a vaccine?" tells what happened, whatever is asked.
            return limits.floor if sensitive or seen.told else limits.phrase
        return limits.phrase if sensitive else limits.threshold

    def _danger(self, seen: Seen) -> tuple[float, str, dict[str, float]]:
        """Return what the scorer makes of a text; without one, rules outside a context stand."""
        if self._model:
            return self._model.danger(seen)
        return float(seen.context is None), "", {}

    def _finding(self, sign: str, score: float, by: str) -> Finding:
        return Finding(sign, self.signs[sign].urgency, round(score, 4), by, downgraded=False)

    def _best(self, found: Sequence[Finding]) -> Finding:
        outranked = {name for finding in found for name in self.signs[finding.sign].outranks}
        kept = [finding for finding in found if finding.sign not in outranked]
        return max(kept or found, key=_rank)


def _rank(finding: Finding) -> tuple[bool, float, str]:
    return finding.urgency == "now", finding.score, finding.sign


def _says_enough(keyed: str) -> bool:
    """Say whether the scorer has more to go by than a name or a particle."""
    words = keyed.split()
    return len(words) > 1 or (len(words) == 1 and len(words[0]) >= JOINED)


@cache
def _shipped() -> Triage:
    """Read once a process: it takes a second, and nothing changes it."""
    return _read(SIGNS.parent)


def _read(base: Path) -> Triage:
    context = Context.load(base / "data" / "triage_context.yaml")
    model = usable("triage model", triage_model.load, base / "model", "written rules only")
    return Triage(load_signs(base / "signs"), context, model)
