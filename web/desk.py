"""Between the routes and the service: taking messages in, waiting for answers, reading talks.

Knows no HTTP. Bounds what one visitor can cost the others.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from core.messages import Inbound
from web.flood import Flood
from web.incoming import Refused
from web.service import Service

#: How long a page without scripts is kept waiting for its answer, and how many at once:
#: each holds a thread that the webhooks need too.
LINGER, LINGERING = 5.0, 2


@dataclass(frozen=True, slots=True)
class Desk:
    """Takes in no more than one place may send, and waits for no more answers than it has seats."""

    service: Service
    flood: Flood
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    _seats: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(LINGERING))

    def take(self, message: Inbound, address: str) -> None:
        """Take a message in. Raises Refused from a flood, StoreError."""
        wait = self.flood.wait(address, self.clock())
        if wait:
            raise Refused("page-too-many", 429, after=wait)
        self.service.accept(message)

    def linger(self, session: str) -> None:
        """Wait a while for the answer, unless others wait already. Raises StoreError."""
        if not self._seats.acquire(blocking=False):
            return
        try:
            until = self.clock() + LINGER
            while self.service.waiting(session) and self.clock() < until:
                self.sleep(0.1)
        finally:
            self._seats.release()

    def talk(self, session: str, after: int) -> dict[str, Any]:
        """The conversation after an id. Raises StoreError.

        `waiting` is read first: a reply that is committed in between is then among the messages,
        or asked for once more; the other way round it could be missed. A reply that came after its
        draft was read makes the draft old: then it is left out.
        """
        waiting = self.service.waiting(session)
        draft = self.service.draft(session) if waiting else None
        history = self.service.replies(session, after)
        if any(shown.direction == "out" for shown in history):
            draft = None
        return {"waiting": waiting, "history": history, "draft": draft}
