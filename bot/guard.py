"""The output guard: nothing that a model wrote is shown before it has passed here.

Knows the rules (guard_rules.yaml), the language detector and the numbers that may be given out.
It neither corrects nor completes medicine: it trims a broken ending, adds the seek-a-health-worker
line, and refuses the rest, so that the caller serves a vetted text. It cannot tell a wrong fact in
fluent Hausa that no rule names and that sounds like none of the examples of its scorer.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bot.guard_contrary import bans
from bot.guard_rules import Evidence, Rules
from bot.guard_scorer import Scorer
from bot.guard_text import begun, finished, looping, sentences, tidy
from knowledge.folding import fold, tokens
from knowledge.language import Detector
from knowledge.referral import Referral

RULES: Final = Path(__file__).parent / "guard_rules.yaml"

_LONGEST: Final = 4_000
_FEWEST_WORDS: Final = 3
#: Of fewer words neither the language can be told, nor is the seek-a-health-worker line added.
WORDS_TO_JUDGE: Final = 6
_HAUSA_ENOUGH: Final = 0.5
# What the rest of an answer may still put right; its language only while there is little of it.
_TOO_SOON: Final = ("empty", "incomplete")
_WORDS_TO_BE_SURE: Final = 40
# Also the beginning of a number that goes on in letters.
_PHONE: Final = re.compile(r"(?<![\w.])(?:\+?\d[\d \t().-]{5,}\d|0[789]\d\d\b)")
_SHORT_CODE: Final = re.compile(
    r"\b(?:kira|kirawo|lamba|lambar|waya|call|dial|number|sms|sako|sakon|tura|text|whatsapp)\W+"
    r"(?:(?:wannan|lambar|lamba|layin|a|kan|ta|gaggawa|zuwa|sako|ita|shi|ce|ne|itace|number|on|to|the|is)\W+){0,3}"
    r"(\d{2,6})\b(?![ -]?\d)"
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the guard decided. `text` is what may be shown; `reason` a stable id when not `ok`.

    Neither `ok` nor a reason: nothing can be said yet (`Guard.begin`).
    """

    ok: bool
    text: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Guard:
    """Judges a model's answers. Immutable, shared by all threads."""

    detector: Detector
    rules: Rules
    numbers: frozenset[str]
    scorer: Scorer

    @classmethod
    def load(
        cls, detector: Detector, rules: Path | None = None, *, referral: Referral | None = None
    ) -> "Guard":
        """Load the rules (default: ours) and the numbers that may be named (default: helplines).

        Raises: OSError when a file is missing, SettingsError when the rules cannot be read,
        ReferralError when the helplines cannot, ModelError when the scorer does not fit.
        """
        numbers = (referral or Referral.load()).numbers()
        return cls(detector, Rules.load(rules or RULES), numbers, Scorer.load())

    def check(
        self, text: str, *, passages: Sequence[str] = (), language: str = "ha", question: str = ""
    ) -> Verdict:
        """Judge `text`, which a model wrote in `language` from the vetted `passages`.

        `question` lets an answer name a medicine or illness that the person named first; doses and
        numbers come from passages alone. Never raises for any str.

        Returns: the text to show, trimmed or with the seek line added, or why it is refused:
        empty, leak, link, script, incomplete, language, repetition, phone, contrary (to a passage),
        advice (it sounds like bad one), or the id of a rule.
        """
        shown, reason = self._judged(text, passages, language, question)
        return Verdict(not reason, "" if reason else self._with_seek(shown, language), reason)

    def begin(
        self, text: str, *, passages: Sequence[str] = (), language: str = "ha", question: str = ""
    ) -> Verdict:
        """Judge the beginning of an answer that is still being written, by its whole sentences.

        Never laxer than `check`: a rule that waits for a word somewhere in the answer (`where:`)
        takes the question's and the passages' words too. The line that sends people to a health
        worker comes with the end.

        Returns: what may be seen by now; or why nothing can save this answer, so that its writing
        may be stopped; or neither, when more of it has to be read first.
        """
        shown, reason = self._judged(begun(text), passages, language, question, early=True)
        if reason is None:
            return Verdict(True, shown, None)
        hopeful = {rule.id for rule in self.rules.rules if rule.where or rule.not_where}
        if reason == "language" and len(tokens(shown)) < _WORDS_TO_BE_SURE:
            return Verdict(False, "", None)
        return Verdict(False, "", None if reason in hopeful.union(_TOO_SOON) else reason)

    def _judged(
        self,
        text: str,
        passages: Sequence[str],
        language: str,
        question: str,
        *,
        early: bool = False,
    ) -> tuple[str, str | None]:
        """The text as it would be shown, and why it may not be."""
        vetted = frozenset(fold(line) for passage in passages for line in sentences(passage))
        reason = self._written_badly(text)
        shown = finished(tidy(text[:_LONGEST]), vetted)
        reason = reason or self._unreadable(shown, vetted, language)
        reason = reason or self._unsafe(shown, vetted, passages, question, early=early)
        return shown, reason or self._doubtful(shown, vetted, language)

    def _written_badly(self, text: str) -> str | None:
        if not tokens(text):
            return "empty"
        plain = self.rules.plain(text)
        always = (rule for rule in self.rules.rules if rule.kind == "always")
        return next((r.id for r in always if any(r.found(text if r.raw else plain))), None)

    def _unreadable(self, text: str, vetted: frozenset[str], language: str) -> str | None:
        if len(tokens(text)) < _FEWEST_WORDS:
            return "incomplete"
        if any(not _latin(char) for char in text if char.isalpha()):
            return "script"
        if not self._in_language(text, vetted, language):
            return "language"
        return "repetition" if looping(text) else None

    def _in_language(self, text: str, vetted: frozenset[str], language: str) -> bool:
        own = [line for line in sentences(text) if fold(line) not in vetted]
        long = [line for line in own if len(tokens(line)) >= WORDS_TO_JUDGE]
        if language != "ha":
            # Pidgin is so close to English that lists of symptoms are taken for it.
            return not long or self.detector.identify(" ".join(own)) in {language, "pcm"}
        if long and self.detector.model.probabilities(" ".join(own))["ha"] < _HAUSA_ENOUGH:
            return False
        return all(self.detector.identify(line) == "ha" for line in long)

    def _unsafe(
        self,
        text: str,
        vetted: frozenset[str],
        passages: Sequence[str],
        question: str,
        *,
        early: bool = False,
    ) -> str | None:
        plain = self.rules.plain
        carried = plain("\n".join(passages))
        evidence = Evidence(carried, f"{carried} {plain(question)}")
        own = [plain(line) for line in sentences(text) if fold(line) not in vetted]
        whole = plain(text)
        return (
            self._unknown_number(text, carried)
            or self._broken_rule(own, whole, evidence, about=evidence.asked if early else "")
            or self._contrary(own, map(plain, vetted))
            or self._ungrounded(whole, evidence, grounded=bool(carried))
        )

    def _unknown_number(self, text: str, carried: str) -> str | None:
        given = [re.sub(r"\D", "", match[0]) for match in _PHONE.finditer(text)]
        given += [match[1] for match in _SHORT_CODE.finditer(self.rules.plain(text))]
        known = re.sub(r"(?<=\d)[ \t().-]+(?=\d)", "", carried)
        allowed = self.numbers | frozenset(re.findall(r"\d+", known))
        return "phone" if any(_national(number) not in allowed for number in given) else None

    def _broken_rule(
        self, own: list[str], whole: str, evidence: Evidence, *, about: str
    ) -> str | None:
        for rule in self.rules.rules:
            if rule.kind == "always" or not rule.applies(whole, about):
                continue
            if any(self.rules.broken(rule, sentence, evidence) for sentence in own):
                return rule.id
        return None

    def _contrary(self, own: list[str], vetted: Iterable[str]) -> str | None:
        """Say "contrary" when a sentence advises what a vetted one forbids."""
        excuses = self.rules.excuses
        banned = (ban for said in vetted for ban in bans(said))
        told = ((line, act) for ban in banned for line in own for act in ban.finditer(line))
        meant = (act for line, act in told if not excuses.holds("negated", line, act))
        return "contrary" if any(meant) else None

    def _doubtful(self, text: str, vetted: frozenset[str], language: str) -> str | None:
        """Say "advice" when a sentence that is not vetted sounds like bad advice."""
        own = (line for line in sentences(text) if fold(line) not in vetted)
        learnt = language != "en"
        return "advice" if learnt and self.scorer.doubts(map(self.rules.plain, own)) else None

    def _ungrounded(self, whole: str, evidence: Evidence, *, grounded: bool) -> str | None:
        groups = self.rules.groups if grounded else ()
        return next((g.id for g in groups if g.spoken_of(whole, evidence.asked)), None)

    def _with_seek(self, text: str, language: str) -> str:
        due = len(tokens(text)) >= WORDS_TO_JUDGE and not self.rules.seek.search(fold(text))
        line = self.rules.seek_lines.get(language, self.rules.seek_lines["ha"])
        return f"{text}\n\n{line}" if due else text


def _latin(char: str) -> bool:
    return unicodedata.name(char, "").startswith(("LATIN", "MODIFIER LETTER"))


def _national(number: str) -> str:
    """Nigerian numbers are one number with +234 and with 0."""
    return f"0{number[3:]}" if number.startswith("234") and len(number) > 10 else number
