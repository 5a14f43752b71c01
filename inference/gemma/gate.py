"""The door before the model: so many inside, so many waiting, the rest is turned away at once.

transformers' own `max_queue_size` bounds nothing (its loop empties the queue into a list). Knows
no request.
"""

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from core.errors import EngineAbsent, EngineBusy, EngineTimeout


class Gate:
    """First come, first served. Shut at first; `refuse` turns everybody away with a reason."""

    def __init__(self, running: int, waiting: int) -> None:
        self._changed = threading.Condition()
        self._most, self._queue_most = running, waiting
        self._inside = 0
        self._queue: deque[object] = deque()
        self._open = False
        self._refusal: str | None = "the model is being loaded"

    @contextmanager
    def passed(self, until: float) -> Iterator[None]:
        """Be inside; wait for it till `until` (time.monotonic).

        Raises EngineBusy, EngineTimeout, or EngineAbsent when nobody is let in.
        """
        self._enter(until)
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    def wait_open(self, until: float) -> None:
        """For one who is inside: wait while it is shut. Raises EngineTimeout or EngineAbsent."""
        with self._changed:
            while not self._open:
                self._check()
                if not self._changed.wait(until - time.monotonic()):
                    raise EngineTimeout("the deadline passed while the model was rebuilt")

    def open(self, running: int) -> None:
        """Let so many in."""
        with self._changed:
            self._open, self._most, self._refusal = True, running, None
            self._changed.notify_all()

    def shut(self) -> None:
        """Let nobody in for now; those who wait go on waiting."""
        with self._changed:
            self._open = False

    def refuse(self, reason: str) -> None:
        """Turn everybody away, those who wait too."""
        with self._changed:
            self._open, self._refusal = False, reason
            self._changed.notify_all()

    def counts(self) -> tuple[int, int]:
        """How many are inside, and how many wait."""
        return self._inside, len(self._queue)

    def _enter(self, until: float) -> None:
        me = object()
        with self._changed:
            self._check()
            if len(self._queue) >= self._queue_most and not self._may_enter():
                raise EngineBusy("the model's queue is full")
            self._queue.append(me)
            try:
                while not (self._may_enter() and self._queue[0] is me):
                    if not self._changed.wait(until - time.monotonic()):
                        raise EngineTimeout("the deadline passed in the model's queue")
                    self._check()
                self._inside += 1
            finally:
                self._queue.remove(me)
                self._changed.notify_all()

    def _may_enter(self) -> bool:
        return self._open and self._inside < self._most

    def _check(self) -> None:
        if self._refusal is not None:
            raise EngineAbsent(self._refusal)
