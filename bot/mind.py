"""What answering needs, in one place: triage, library, detector, referral, guard, engine, texts.

Built once by `bot.app`; everything here is read-only and shared by all workers.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bot.effects import Outcome
from bot.guard import Verdict
from bot.texts import Texts
from core import logs
from core.messages import Answer, Choice, Reply, Source, Turn
from inference.engine import Engine, Sampling
from knowledge.facilities import Facilities
from knowledge.library import Match, Topic
from knowledge.referral import Referral
from knowledge.triage import Finding


class Triage(Protocol):
    """Finds danger signs (`knowledge.triage.Triage`, or a fake that fails)."""

    def check(self, text: str) -> Finding | None:
        """The most urgent finding."""

    def reply(self, sign: str, language: str) -> str:
        """The emergency text, with placeholders."""

    def title(self, sign: str, language: str) -> str:
        """What a sign is called."""

    def safety_note(self, sign: str, language: str) -> str:
        """One line under an ordinary answer whose question named a danger sign."""


class Library(Protocol):
    """Finds vetted answers (`knowledge.library.Library`, or a fake)."""

    @property
    def topics(self) -> Mapping[str, Topic]:
        """Every topic that may be served, by id."""

    def search(self, text: str) -> Match:
        """The topics that fit, best first."""


class Detector(Protocol):
    """Names languages (`knowledge.language.Detector`, or a fake)."""

    def detect(self, text: str) -> str:
        """The language of a text; "none" without letters, in doubt "ha"."""


class Guard(Protocol):
    """Judges what a model wrote (`bot.guard.Guard`, or a fake)."""

    def check(
        self, text: str, *, passages: Sequence[str] = (), language: str = "ha", question: str = ""
    ) -> Verdict:
        """What may be shown, or why nothing may."""

    def begin(
        self, text: str, *, passages: Sequence[str] = (), language: str = "ha", question: str = ""
    ) -> Verdict:
        """What may be seen of an answer that is being written; or why it may be stopped."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings that shape answers."""

    library_direct: bool = True
    ask_consent: bool = True
    rate_limit: int = 20
    deadline: float = 60.0


@dataclass(frozen=True, slots=True)
class Mind:
    """Everything that `conversation.answer` may use."""

    triage: Triage
    library: Library
    detector: Detector
    referral: Referral
    guard: Guard
    engine: Engine
    texts: Texts
    policy: Policy
    #: The text of `/status`; set by the app, which can see the store.
    report: Callable[[str], str]
    #: The operator's list; empty when there is none.
    facilities: Facilities = field(default_factory=Facilities.none)
    #: How words are drawn, asked for each answer: an admin may change it while we run.
    sampling: Callable[[], Sampling] = Sampling

    #: Carries out what admins order about models (`bot.admin`); the app has one, a terminal none.
    desk: "Callable[[Turn, Mind], Outcome | None]" = lambda _turn, _mind: None

    def find_danger(self, text: str) -> Finding | None:
        """The danger sign in a text. A triage that fails is no finding, and is logged."""
        try:
            return self.triage.check(text)
        except Exception as error:
            logs.crash("triage.failed", error)
            return None

    def language_of(self, text: str) -> str:
        """The language of a text; Hausa when the detector fails, which is logged."""
        try:
            return self.detector.detect(text)
        except Exception as error:
            logs.crash("language.failed", error)
            return "ha"

    def say(self, turn: Turn, key: str, **values: str | int) -> str:
        """A sentence in the person's language, with the emergency number of their country."""
        values.setdefault("emergency", self.fill(turn, "{emergency}"))
        return self.texts(key, turn.language, **values)

    def fill(self, turn: Turn, text: str) -> str:
        """A vetted text with its numbers filled in."""
        return self.referral.fill(text, country=turn.country, language=turn.language)

    def service(self, turn: Turn, key: str, *choices: Choice) -> Answer:
        """One of the service's own sentences as an answer."""
        return Answer(Reply(self.say(turn, key), choices), Source.SERVICE, reason=key)
