"""A channel in memory, for tests and for trying the service without a provider."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.channels.base import Accept
from core.errors import SendError
from core.messages import Capabilities, Delivery, Inbound, Reply


@dataclass(frozen=True, slots=True)
class Sent:
    """One call of `send` that the fake provider took."""

    address: str
    reply: Reply
    template: bool
    provider_id: str


@dataclass
class FakeChannel:
    """Takes every send unless told to fail; `deliver` plays a message that comes in."""

    name: str = "telegram"
    can: Capabilities = field(
        default_factory=lambda: Capabilities(4096, max_buttons=8, typing=True, documents=True)
    )
    sent: list[Sent] = field(default_factory=list)
    typed: list[str] = field(default_factory=list)
    drafted: list[tuple[int, str, str]] = field(default_factory=list)
    edited: list[tuple[str, str, Reply]] = field(default_factory=list)
    acknowledged: list[Inbound] = field(default_factory=list)
    #: Called with the new message's id while the sender still waits for our answer.
    on_taken: Callable[[str], None] | None = None
    #: Called while somebody still waits for our answer to an edit.
    on_edit: Callable[[], None] | None = None
    in_trouble: str = ""
    _faults: deque[SendError | None] = field(default_factory=deque)
    _edit_faults: deque[SendError | None] = field(default_factory=deque)
    _accept: Accept | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self, accept: Accept) -> None:
        """Remember where messages go."""
        self._accept = accept

    def stop(self) -> None:
        """Receive no more."""
        self._accept = None

    def fail_next(self, *faults: SendError | None) -> None:
        """Raise these in turn at the next sends; None lets one through."""
        self._faults.extend(faults)

    def fail_next_edit(self, *faults: SendError | None) -> None:
        """Raise these in turn at the next edits; None lets one through."""
        self._edit_faults.extend(faults)

    def deliver(self, inbound: Inbound) -> None:
        """Play one incoming message. Raises what `accept` raises; RuntimeError before `start`."""
        if self._accept is None:
            raise RuntimeError("the channel was not started")
        self._accept(inbound)

    def send(self, address: str, reply: Reply, *, template: bool = False) -> Delivery:
        """Take the reply, or raise the next fault."""
        with self._lock:
            fault = self._faults.popleft() if self._faults else None
            if fault is not None:
                raise fault
            provider_id = f"fake-{len(self.sent) + 1}"
            self.sent.append(Sent(address, reply, template, provider_id))
        if self.on_taken is not None:
            self.on_taken(provider_id)
        return Delivery(provider_id)

    def edit(self, address: str, provider_id: str, reply: Reply) -> None:
        """Note the new text, or raise the next fault."""
        if self.on_edit is not None:
            self.on_edit()
        with self._lock:
            fault = self._edit_faults.popleft() if self._edit_faults else None
            if fault is not None:
                raise fault
            self.edited.append((address, provider_id, reply))

    def typing(self, address: str) -> None:
        """Note that the sign was shown."""
        self.typed.append(address)

    def draft(self, number: int, address: str, text: str) -> None:
        """Note what was shown."""
        self.drafted.append((number, address, text))

    def acknowledge(self, inbound: Inbound) -> None:
        """Note that the press was seen."""
        self.acknowledged.append(inbound)

    def trouble(self) -> str:
        """What the test says."""
        return self.in_trouble

    def check(self) -> list[tuple[str, bool, str]]:
        """Always fine."""
        return [(self.name, True, "")]

    def texts(self, address: str | None = None) -> list[str]:
        """What was sent, to everybody or to one address."""
        return [s.reply.text for s in self.sent if address in (None, s.address)]
