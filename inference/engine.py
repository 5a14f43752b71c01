"""The port of every engine, and the engines that need no model.

An engine turns a question, its memory and passages into text. It decides nothing about safety and
knows no channel and no table.
"""

import time
from dataclasses import dataclass, field
from typing import Protocol

from core.errors import EngineAbsent, EngineTimeout
from core.messages import Past


@dataclass(frozen=True, slots=True)
class Request:
    """What an engine is asked. `deadline` is in seconds from now; `past` is oldest first."""

    question: str = field(repr=False)
    past: tuple[Past, ...] = field(default=(), repr=False)
    passages: tuple[str, ...] = field(default=(), repr=False)
    language: str = "ha"
    deadline: float = 60.0


@dataclass(frozen=True, slots=True)
class Generation:
    """What an engine wrote, and which release wrote it."""

    text: str = field(repr=False)
    release: str | None = None


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """What an operator is told: the engine, whether it can answer, and why it was chosen."""

    name: str
    ready: bool
    detail: str
    release: str | None = None


class Engine(Protocol):
    """Answers a request. Called from several threads at once."""

    #: A test engine whose text goes out as it is; a model's text passes the guard.
    verbatim: bool

    def status(self) -> EngineStatus:
        """How the engine is; never blocks."""

    def generate(self, request: Request) -> Generation:
        """The answer. Raises EngineAbsent, EngineBusy, EngineTimeout or another EngineError."""

    def close(self) -> None:
        """Let go of memory and connections."""


class LibraryEngine:
    """No model: the vetted library answers, and everything else is said to be unknown."""

    verbatim = False

    def __init__(self, detail: str = "ENGINE=library") -> None:
        self._detail = detail

    def status(self) -> EngineStatus:
        """Always ready: the library needs nothing."""
        return EngineStatus("library", True, self._detail)

    def generate(self, request: Request) -> Generation:
        """Raises EngineAbsent: there is no model to ask."""
        raise EngineAbsent("no model")

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

    def generate(self, request: Request) -> Generation:
        """The question again. Raises EngineTimeout when the delay is longer than the deadline."""
        time.sleep(min(self._delay, request.deadline))
        if self._delay > request.deadline:
            raise EngineTimeout
        return Generation(request.question, "echo")

    def close(self) -> None:
        """Nothing to let go of."""


class FakeEngine:
    """For tests: answers from a list, raises the exceptions in it, and remembers the requests."""

    verbatim = False

    def __init__(self, *answers: str | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[Request] = []

    def status(self) -> EngineStatus:
        """Always ready."""
        return EngineStatus("fake", True, "for tests", "fake-1")

    def generate(self, request: Request) -> Generation:
        """The next answer of the list, or its exception."""
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return Generation(answer, "fake-1")

    def close(self) -> None:
        """Nothing to let go of."""
