"""What takes longer than a request may: done in a thread of its own, and asked about meanwhile.

Knows no HTTP. An errand's end is kept for a while, for whoever gave it and nobody else.
"""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

from web.incoming import Refused

T = TypeVar("T")
#: Errands under way at once, and ended ones that can still be asked about.
MOST, KEPT = 4, 64


class Errands(Generic[T]):
    """Runs errands and keeps their ends."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._given: OrderedDict[str, tuple[str, Future[T]]] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, owner: str, step: Callable[[], T]) -> str:
        """Begin one; what to ask for its end with. Raises Refused when too many are under way."""
        number, future = secrets.token_urlsafe(12), Future[T]()
        with self._lock:
            under_way = sum(not other.done() for _, other in self._given.values())
            if under_way >= self._most:
                raise Refused("console-busy", 429, after=5.0)
            self._given[number] = (owner, future)
            while len(self._given) > KEPT:
                self._forget_one()
        threading.Thread(target=_run, args=(future, step), name="errand", daemon=True).start()
        return number

    def end(self, owner: str, number: str) -> T | None:
        """An errand's end, or None while it is under way. Raises what the errand raised, and
        Refused when this owner gave no such errand.
        """
        with self._lock:
            known, future = self._given.get(number, ("", None))
        if future is None or known != owner:
            raise Refused("console-gone", 404)
        return future.result() if future.done() else None

    def _forget_one(self) -> None:
        """The oldest that has ended; those under way are fewer than what is kept."""
        ended = next(number for number, (_, other) in self._given.items() if other.done())
        del self._given[ended]


def _run(future: Future[T], step: Callable[[], T]) -> None:
    try:
        future.set_result(step())
    except Exception as error:
        future.set_exception(error)
