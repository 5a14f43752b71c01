"""The port of every engine, and the engines that need no model.

An engine turns a question, its memory and passages into text. It decides nothing about safety and
knows no channel and no table.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

from core.errors import EngineAbsent, EngineTimeout, ReleaseUnusable
from core.messages import Past

#: The release that is no adapter at all: the base model as it was published.
BASE = "base"
#: Called with the whole text so far, from the engine's own thread; False stops the generation.
OnText = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How words are drawn. The ranges are the origin app's; a cold, short default is the safe one.

    Raises ValueError for what is out of range.
    """

    temperature: float = 0.2
    max_tokens: int = 400
    top_p: float = 0.9
    top_k: int = 40

    def __post_init__(self) -> None:
        for name, (least, most) in RANGES.items():
            if not least <= getattr(self, name) <= most:
                raise ValueError(f"{name} must be from {least:g} to {most:g}")


#: What an admin may set, each with its least and greatest value (temperature 0 is greedy).
RANGES = {
    "temperature": (0.0, 2.0),
    "max_tokens": (1, 500),
    "top_p": (0.05, 1.0),
    "top_k": (1, 1000),
}


@dataclass(frozen=True, slots=True)
class Release:
    """A LoRA adapter by its name (at most 64 characters) and the local folder that holds it."""

    name: str
    folder: str = ""


@dataclass(frozen=True, slots=True)
class Passage:
    """A vetted text that grounds an answer, under its topic's id."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Request:
    """What an engine is asked. `deadline` is in seconds from now; `past` is oldest first.

    `person` is one line on whom the question is about (`knowledge.person`), or nothing.
    `release` names a resident release to ask (a comparison); None asks the live one.
    """

    question: str = field(repr=False)
    past: tuple[Past, ...] = field(default=(), repr=False)
    passages: tuple[Passage, ...] = field(default=(), repr=False)
    person: str = field(default="", repr=False)
    language: str = "ha"
    deadline: float = 60.0
    sampling: Sampling = Sampling()
    release: str | None = None


@dataclass(frozen=True, slots=True)
class Generation:
    """What an engine wrote, and which release wrote it.

    `end` is "stop" (the model was done), "length" (cut at max_tokens), "stopped" (by on_text), or
    "late" for what is kept of an answer whose deadline passed (`bot.writing`).
    """

    text: str = field(repr=False)
    release: str | None = None
    end: str = "stop"
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """What an operator is told: the engine, whether it can answer, and why it was chosen.

    `progress` (0 to 1) while a model loads; `resident` the releases that can be asked at once.
    """

    name: str
    ready: bool
    detail: str
    release: str | None = None
    progress: float | None = None
    resident: tuple[str, ...] = ()
    running: int = 0
    waiting: int = 0


class Engine(Protocol):
    """Answers a request. Called from several threads at once."""

    #: A test engine whose text goes out as it is; a model's text passes the guard.
    verbatim: bool

    def status(self) -> EngineStatus:
        """How the engine is; never blocks."""

    def generate(self, request: Request, on_text: OnText | None = None) -> Generation:
        """The answer; `on_text` sees it grow, where the engine can show that.

        Raises EngineAbsent, EngineBusy, EngineTimeout (which names the release that was writing)
        or another EngineError.
        """

    def load(self, release: Release) -> None:
        """Make a release resident and try it, beside the live one. Raises ReleaseUnusable."""

    def activate(self, release: Release) -> None:
        """Answer with this release from now on; it is loaded first if it is not resident.

        Answers that are being written end with the release that began them, and the previous
        release stays resident. Raises ReleaseUnusable; then the live one stays live.
        """

    def close(self) -> None:
        """Let go of memory and connections."""


class Only:
    """An engine that asks one resident release, whichever is live."""

    def __init__(self, engine: Engine, release: str) -> None:
        self._engine, self._release = engine, release
        self.verbatim, self.status = engine.verbatim, engine.status
        self.load, self.activate, self.close = engine.load, engine.activate, engine.close

    def generate(self, request: Request, on_text: OnText | None = None) -> Generation:
        """As the engine's own, of this release."""
        return self._engine.generate(replace(request, release=self._release), on_text)


class LibraryEngine:
    """No model: the vetted library answers, and everything else is said to be unknown."""

    verbatim = False

    def __init__(self, detail: str = "ENGINE=library") -> None:
        self._detail = detail

    def status(self) -> EngineStatus:
        """Always ready: the library needs nothing."""
        return EngineStatus("library", True, self._detail)

    def generate(self, request: Request, on_text: OnText | None = None) -> Generation:
        """Raises EngineAbsent: there is no model to ask."""
        raise EngineAbsent("no model")

    def load(self, release: Release) -> None:
        """Raises ReleaseUnusable: there are no weights here."""
        raise ReleaseUnusable(f"ENGINE=library has no model to load {release.name} into")

    def activate(self, release: Release) -> None:
        """Raises ReleaseUnusable: there are no weights here."""
        self.load(release)

    def close(self) -> None:
        """Nothing to let go of."""


class EchoEngine:
    """Repeats the question after a delay: the engine of acceptance and load tests."""

    verbatim = True

    def __init__(self, delay: float = 0.0) -> None:
        self._delay = delay

    def status(self) -> EngineStatus:
        """Always ready."""
        return EngineStatus("echo", True, f"repeats the question after {self._delay:g} s", "echo")

    def generate(self, request: Request, on_text: OnText | None = None) -> Generation:
        """The question again, word by word over the delay.

        Raises EngineTimeout when the delay is longer than the deadline.
        """
        words = _growing(request.question) if on_text and self._delay else []
        pause = min(self._delay, request.deadline) / (len(words) + 1)
        for count, text in enumerate(words, 1):
            time.sleep(pause)
            if on_text and not on_text(text):
                return Generation(text, "echo", "stopped", count)
        time.sleep(pause)
        if self._delay > request.deadline:
            raise EngineTimeout
        return Generation(request.question, "echo")

    def load(self, release: Release) -> None:
        """Raises ReleaseUnusable: there are no weights here."""
        raise ReleaseUnusable(f"ENGINE=echo has no model to load {release.name} into")

    def activate(self, release: Release) -> None:
        """Raises ReleaseUnusable: there are no weights here."""
        self.load(release)

    def close(self) -> None:
        """Nothing to let go of."""


def _growing(text: str) -> list[str]:
    """The beginnings of a text: up to each of its words but the last."""
    return [text[: match.end()] for match in re.finditer(r"\S+", text)][:-1]


class FakeEngine:
    """For tests: answers from a list, raises the exceptions in it, and remembers the requests.

    An answer grows word by word where somebody looks on; releases are only names. A `late` one's
    time is up before its last word.
    """

    verbatim = False

    def __init__(self, *answers: str | Exception, late: bool = False) -> None:
        self.answers, self.late = list(answers), late
        self.requests: list[Request] = []
        self.live = "fake-1"
        self.resident = [self.live]
        self.unusable: set[str] = set()

    def status(self) -> EngineStatus:
        """Always ready."""
        return EngineStatus("fake", True, "for tests", self.live, resident=tuple(self.resident))

    def generate(self, request: Request, on_text: OnText | None = None) -> Generation:
        """The next answer of the list, or its exception."""
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        release, words = request.release or self.live, answer.split(" ")
        for count in range(1, len(words)):
            if on_text and not on_text(" ".join(words[:count])):
                return Generation(" ".join(words[:count]), release, "stopped", count)
        if self.late:
            raise EngineTimeout(release=release)
        return Generation(answer, release, "stop", len(words))

    def load(self, release: Release) -> None:
        """Note the name. Raises ReleaseUnusable for a name in `unusable`."""
        if release.name in self.unusable:
            raise ReleaseUnusable(f"{release.name}: told to fail")
        if release.name not in self.resident:
            self.resident.append(release.name)

    def activate(self, release: Release) -> None:
        """The named release answers from now on."""
        self.load(release)
        self.live = release.name

    def close(self) -> None:
        """Nothing to let go of."""
