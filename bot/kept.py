"""The engine as the conversation sees it: silent while the live release is not there.

Decides nothing: the keeper says when answers are held back.
"""

from dataclasses import replace

from bot.releases import Keeper
from core.errors import EngineAbsent
from inference.engine import Engine, EngineStatus, Generation, OnText, Release, Request


class Kept:
    """The engine as everybody else sees it: silent while the live release is not there."""

    def __init__(self, engine: Engine, keeper: Keeper) -> None:
        self._engine, self._keeper = engine, keeper
        self.verbatim = engine.verbatim

    def status(self) -> EngineStatus:
        """The engine's own status; not ready while its answers are held back."""
        status, held = self._engine.status(), self._keeper.holding()
        if held is None or not status.ready:
            return status
        return replace(status, ready=False, detail=f"{status.detail}; {held}", release=None)

    def generate(self, request: Request, on_text: OnText | None = None) -> Generation:
        """As the engine's own; raises EngineAbsent while the live release is not loaded."""
        held = self._keeper.held() if request.release is None else None
        if held:
            raise EngineAbsent(held)
        return self._engine.generate(request, on_text)

    def load(self, release: Release) -> None:
        """As the engine's own."""
        self._engine.load(release)

    def activate(self, release: Release) -> None:
        """As the engine's own."""
        self._engine.activate(release)

    def close(self) -> None:
        """As the engine's own."""
        self._engine.close()
