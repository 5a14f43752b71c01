"""An engine that can give its memory back, and comes up again: for a machine that also trains.

Knows no run: whoever does says when. While it is aside it answers nobody and says why.
"""

from collections.abc import Callable

from core.errors import EngineAbsent, ReleaseUnusable
from inference.engine import Engine, EngineStatus, Generation, OnText, Release, Request


class Aside:
    """The engine that `make` builds, as long as it is here. In its place wherever it goes."""

    verbatim = False

    def __init__(self, make: Callable[[], Engine], why: str = "", name: str = "transformers"):
        """Begin to load at once, or not before `back` when `why` says why. Raises as `make`."""
        self._make, self._why, self._name = make, why, name
        self._engine: Engine | None = None if why else make()

    @property
    def here(self) -> bool:
        """Whether there is an engine, answering or not."""
        return self._engine is not None

    def refuse(self, why: str) -> None:
        """Begin nothing more; "" begins again. What is begun goes on."""
        self._why = why

    def idle(self) -> bool:
        """Whether nothing is in the making."""
        status = self.status()
        return not (status.running or status.waiting)

    def leave(self) -> None:
        """Give the memory back; what is still in the making fails."""
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.close()

    def back(self) -> None:
        """Load anew, without any release. Raises as `make`; then it is not here."""
        self._engine = self._make()
        self._why = ""

    def status(self) -> EngineStatus:
        """The engine's own; why it answers nobody."""
        engine, why = self._engine, self._why
        if engine is None:
            return EngineStatus(self._name, False, why)
        status = engine.status()
        if not why:
            return status
        return EngineStatus(status.name, False, why, running=status.running, waiting=status.waiting)

    def generate(self, request: Request, on_text: OnText | None = None) -> Generation:
        """As the engine's own. Raises EngineAbsent while it is aside."""
        engine, why = self._engine, self._why
        if engine is None or why:
            raise EngineAbsent(why)
        return engine.generate(request, on_text)

    def load(self, release: Release) -> None:
        """As the engine's own. Raises ReleaseUnusable while it is aside."""
        self._there(release).load(release)

    def activate(self, release: Release) -> None:
        """As the engine's own. Raises ReleaseUnusable while it is aside."""
        self._there(release).activate(release)

    def close(self) -> None:
        """For good."""
        self.refuse("the model is stopped")
        self.leave()

    def _there(self, release: Release) -> Engine:
        engine, why = self._engine, self._why
        if engine is None or why:
            raise ReleaseUnusable(f"{release.name}: {why}")
        return engine
