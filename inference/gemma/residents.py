"""Which releases are in memory, in which slot, which one is live, and who still needs which.

Numbers and names only: no weights, no model.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from core.errors import EngineAbsent, ReleaseUnusable
from inference.engine import BASE, Release

#: The slot of the base model: no weights are added.
BASE_SLOT = 0


@dataclass(slots=True)
class _Resident:
    slot: int
    folder: str
    users: int = 0
    asked: float = 0.0


class Residents:
    """The base model and at most `room` releases beside it."""

    def __init__(self, room: int = 3) -> None:
        self._changed = threading.Condition()
        self._held: dict[str, _Resident] = {BASE: _Resident(BASE_SLOT, "")}
        self._free = list(range(room, 0, -1))
        self.live: str | None = None
        self._previous: str | None = None

    def names(self) -> tuple[str, ...]:
        """What can be asked, the base model first."""
        with self._changed:
            return tuple(self._held)

    def folder(self, name: str) -> str | None:
        """Where a resident release was read from; None when it is not resident."""
        with self._changed:
            return self._held[name].folder if name in self._held else None

    @contextmanager
    def pinned(self, name: str | None) -> Iterator[tuple[str, int]]:
        """The name and slot of a release (None: the live one), which stays while this is held.

        Raises EngineAbsent when none is live, ReleaseUnusable when the named one is not resident.
        """
        with self._changed:
            chosen = name or self.live
            if chosen is None:
                raise EngineAbsent("no release is live")
            if chosen not in self._held:
                raise ReleaseUnusable(f"{chosen} is not loaded")
            resident = self._held[chosen]
            resident.users += 1
            resident.asked = time.monotonic()
        try:
            yield chosen, resident.slot
        finally:
            with self._changed:
                resident.users -= 1
                self._changed.notify_all()

    def reserve(self, patience: float) -> int:
        """A slot for one more release: a free one, else that of the one asked longest ago.

        The live one and those that answers still use stay; the previous one goes last. Raises
        ReleaseUnusable when none becomes free in `patience` seconds.
        """
        until = time.monotonic() + patience
        with self._changed:
            while not self._free:
                name = self._idle()
                if name is not None:
                    self._free.append(self._held.pop(name).slot)
                elif not self._changed.wait(until - time.monotonic()):
                    raise ReleaseUnusable("all places are taken by releases that still answer")
            return self._free.pop()

    def give_back(self, slot: int) -> None:
        """A reserved slot that was not needed."""
        with self._changed:
            self._free.append(slot)

    def publish(self, release: Release, slot: int) -> None:
        """From now on the release can be asked."""
        with self._changed:
            held = _Resident(slot, release.folder, asked=time.monotonic())
            self._held[release.name] = held

    def go_live(self, name: str) -> None:
        """New questions are answered by this release. Raises ReleaseUnusable: not resident."""
        with self._changed:
            if name not in self._held:
                raise ReleaseUnusable(f"{name} is not loaded")
            if name != self.live:
                self._previous, self.live = self.live, name

    def _idle(self) -> str | None:
        """Whom to let go: nobody's, not live; of these the previous one last."""
        keep = {BASE, self.live}
        idle = [name for name, held in self._held.items() if name not in keep and not held.users]
        return min(
            idle, key=lambda name: (name == self._previous, self._held[name].asked), default=None
        )
