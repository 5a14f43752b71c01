"""Who goes first: taking messages in, before the work on those that were taken.

All threads of a process share one interpreter (and, on SQLite, one writer). Without this, a dozen
workers and senders that are busy make a provider wait for its 200. Knows no table.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

#: Nobody waits longer: however many messages come in, answers are made and sent.
MOST = 0.1


class Gate:
    """Lets patient threads pass one by one, in the moments when no request is in hand."""

    def __init__(self, most: float = MOST) -> None:
        self._most = most
        self._requests = 0
        self._changed = threading.Condition()
        self._queue = threading.Lock()

    @contextmanager
    def request(self) -> Iterator[None]:
        """While inside, a request is in hand: patient threads wait."""
        with self._changed:
            self._requests += 1
        try:
            yield
        finally:
            with self._changed:
                self._requests -= 1
                if not self._requests:
                    self._changed.notify_all()

    def give_way(self) -> None:
        """Return when no request is in hand, and in any case after a moment."""
        with self._queue, self._changed:
            self._changed.wait_for(lambda: not self._requests, self._most)
