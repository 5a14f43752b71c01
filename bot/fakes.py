"""A mind small enough to reason about: triage, library, detector and guard that obey a few words.

For tests, beside the ports in `bot.mind`. Nothing here is read from a file but the helplines.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from types import MappingProxyType
from typing import TypeVar

from bot.guard import Verdict
from bot.mind import Mind, Policy
from bot.texts import Texts
from inference.engine import Engine, LibraryEngine
from knowledge.folding import fold, tokens
from knowledge.library import Match, Passage, Source, Topic
from knowledge.referral import Referral
from knowledge.triage import Finding

T = TypeVar("T")
#: What is found in a text by the folded words that it holds; the last is a harmless context.
SIGNS: Mapping[str, Finding] = MappingProxyType(
    {
        "yana suma": Finding("unconscious", "now", 1.0, "phrase", downgraded=False),
        "ciwon zuciya": Finding("chest_pain", "same-day", 1.0, "phrase", downgraded=False),
        "hana suma": Finding("unconscious", "now", 1.0, "phrase", downgraded=True),
    }
)


@dataclass
class FakeTriage:
    """Finds the signs of `SIGNS` word for word, or raises `fault`."""

    fault: Exception | None = None

    def check(self, text: str) -> Finding | None:
        """The first sign whose words are in the text."""
        if self.fault is not None:
            raise self.fault
        said = fold(text)
        return next((finding for words, finding in SIGNS.items() if words in said), None)

    def reply(self, sign: str, language: str) -> str:
        """A text that names the sign and asks for the number."""
        return f"{'HATSARI' if language == 'ha' else 'DANGER'} {sign}: {{emergency}}"

    def title(self, sign: str, language: str) -> str:
        """The sign's id, in the language."""
        return f"{sign}-{language}"

    def safety_note(self, sign: str, language: str) -> str:
        """A line of its own."""
        return "Idan yana faruwa yanzu, a je asibiti." if language == "ha" else "If now, go."


def topic(key: str, title: str) -> Topic:
    """A topic whose texts name themselves."""

    def both(part: str) -> dict[str, str]:
        return {"ha": f"{title}: {part}-ha.", "en": f"{key}: {part}-en."}

    return Topic(
        id=key,
        title={"ha": title, "en": key},
        questions=(title,),
        answer=both("amsa"),
        clinic_today=both("asibiti {emergency}"),
        more=both("kari"),
        avoid=both("a guji"),
        source=(Source("WHO", 2024),),
        status="draft",
        reviewer=None,
        review_by=date(2027, 5, 31),
    )


#: The word that finds each topic.
TOPICS: Mapping[str, Topic] = MappingProxyType(
    {
        "malaria": topic("malaria-prevention", "Hana malaria"),
        "gudawa": topic("diarrhoea-child", "Gudawar yaro"),
        "sukari": topic("diabetes-diet", "Ciwon sukari da abinci"),
        "zazzabi": topic("fever-adult", "Zazzaɓi"),
    }
)


@dataclass
class FakeLibrary:
    """Certain of a text with one topic's word, unsure of one with several; or raises `fault`.

    "kusan" (nearly) makes the first topic likely; "kwallo" (football) is no health.
    """

    fault: Exception | None = None
    topics: Mapping[str, Topic] = field(
        default_factory=lambda: {topic.id: topic for topic in TOPICS.values()}
    )

    def search(self, text: str) -> Match:
        """The topics whose words are in the text, in the order of `TOPICS`."""
        if self.fault is not None:
            raise self.fault
        words = tokens(text)
        named = [topic for word, topic in TOPICS.items() if word in words]
        if not named:
            return Match("nothing", (), off_topic="kwallo" in words)
        top = 0.9 if len(named) == 1 else 0.5
        found = tuple(_passage(topic, top - 0.05 * rank) for rank, topic in enumerate(named))
        if len(named) == 1:
            return Match("certain", found, off_topic=False)
        return Match("context", found, off_topic=False, likely="kusan" in words)


def _passage(found: Topic, score: float) -> Passage:
    return Passage(found.id, score, found.first("ha"))


@dataclass
class FakeDetector:
    """Knows Ajami by its script, French by "bonjour", nothing without letters; else Hausa."""

    def detect(self, text: str) -> str:
        """The language code."""
        if not any(character.isalpha() for character in text):
            return "none"
        if any("\u0600" <= character <= "\u06ff" for character in text):
            return "ajami"
        return "fr" if "bonjour" in fold(text) else "ha"


@dataclass
class FakeGuard:
    """Lets everything pass, trimmed; refuses with `reason`, or raises `fault`.

    With `bad`, only texts that hold it are refused.
    """

    reason: str | None = None
    fault: Exception | None = None
    bad: str = ""

    def check(
        self, text: str, *, passages: Sequence[str] = (), language: str = "ha", question: str = ""
    ) -> Verdict:
        """The verdict that was set."""
        if self.fault is not None:
            raise self.fault
        ok = self.reason is None or self.bad not in text
        return Verdict(ok, text.strip() if ok else "", None if ok else self.reason)

    def begin(
        self, text: str, *, passages: Sequence[str] = (), language: str = "ha", question: str = ""
    ) -> Verdict:
        """The same verdict on a beginning."""
        return self.check(text, passages=passages, language=language, question=question)


@functools.cache
def _read_once(load: Callable[[], T]) -> T:
    """Immutable things whose reading takes longer than a test."""
    return load()


def tiny_mind(engine: Engine | None = None, **changes: object) -> Mind:
    """A mind of fakes; `changes` replace its parts, or by their names those of its policy."""
    mind = Mind(
        triage=FakeTriage(),
        library=FakeLibrary(),
        detector=FakeDetector(),
        referral=_read_once(Referral.load),
        guard=FakeGuard(),
        engine=engine or LibraryEngine(),
        texts=_read_once(Texts),
        policy=Policy(),
        report=lambda language: f"status {language}",
    )
    rules = {name: value for name, value in changes.items() if name in Policy.__slots__}
    parts = {name: value for name, value in changes.items() if name not in rules}
    return replace(mind, policy=replace(mind.policy, **rules), **parts)  # type: ignore[arg-type]
