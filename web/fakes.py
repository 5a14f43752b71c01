"""A service in memory, for tests of the pages."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.texts import Texts
from core.messages import Inbound


@dataclass(frozen=True)
class FakeShown:
    """One message of the fake's conversations."""

    id: int
    direction: str
    text: str
    choices: list[list[str]] = field(default_factory=list)
    source: str | None = None
    danger_sign: str | None = None


@dataclass
class FakeService:
    """Keeps what it was given; answers when told to, or raises `fault`."""

    texts: Texts = field(default_factory=Texts)
    accepted: list[Inbound] = field(default_factory=list)
    shown: dict[str, list[FakeShown]] = field(default_factory=dict)
    owed: set[str] = field(default_factory=set)
    growing: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    engine: str = "library"
    drafts: int = 0
    reasons: list[str] = field(default_factory=list)
    fault: Exception | None = None
    #: What is answered at once to every message; None leaves it waiting.
    reply: str | None = None

    def accept(self, inbound: Inbound) -> None:
        """Keep the message once, and answer it when there is a `reply`."""
        self._fail()
        if inbound.external_id in {known.external_id for known in self.accepted}:
            return
        self.accepted.append(inbound)
        self._show(inbound.sender, "in", inbound.text)
        self.owed.add(inbound.sender)
        if self.reply is not None:
            self.answer(inbound.sender, self.reply)

    def answer(self, session: str, text: str, **more: Any) -> None:
        """Answer the last message of a conversation."""
        self._show(session, "out", text, **{"source": "library", **more})
        self.owed.discard(session)

    def replies(self, session: str, after: int) -> list[FakeShown]:
        """The conversation after an id."""
        self._fail()
        return [shown for shown in self.shown.get(session, []) if shown.id > after]

    def waiting(self, session: str) -> bool:
        """Whether a message is not answered yet."""
        self._fail()
        return session in self.owed

    def draft(self, session: str) -> str | None:
        """What was put into `growing`."""
        self._fail()
        return self.growing.get(session)

    def readiness(self) -> Mapping[str, Any]:
        """The engine, ready unless there are reasons."""
        ready = {"ready": not self.reasons, "reasons": self.reasons}
        return {"engine": self.engine, "drafts": self.drafts, **ready}

    def data(self, token: str) -> str | None:
        """What was put into `files`."""
        self._fail()
        return self.files.get(token)

    def _show(self, session: str, direction: str, text: str, **more: Any) -> None:
        number = 1 + sum(map(len, self.shown.values()))
        shown = FakeShown(number, direction, text, **more)
        self.shown.setdefault(session, []).append(shown)

    def _fail(self) -> None:
        if self.fault is not None:
            raise self.fault
