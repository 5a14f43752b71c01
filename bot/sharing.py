"""The engine and the training on one machine's memory: who steps aside, and when he is back.

Looks at the room every few seconds. Decides nothing about memory: a run that needs the room has
claimed it (`training.room`), and one that died has not.
"""

from core import logs
from core.errors import LafiyaError
from inference.aside import Aside
from inference.choose import Explained
from inference.engine import Engine
from training.room import Tenant

#: Seconds that answers in the making are waited for.
DRAIN = 60.0


def sharer(engine: Engine, tenant: Tenant) -> "Sharer | None":
    """What brings this engine out of a run's way; None for one that has no memory to give."""
    inner = engine.engine if isinstance(engine, Explained) else engine
    return Sharer(inner, tenant) if isinstance(inner, Aside) else None


def lent(run: str) -> str:
    """What is said while a run has the room; empty when none has."""
    return f"the memory is lent to {run}: the library answers until it ends" if run else ""


class Sharer:
    """Brings one process's engine out of a run's way, and back."""

    def __init__(self, engine: Aside, tenant: Tenant) -> None:
        self._engine, self._tenant = engine, tenant
        self._until: float | None = None
        tenant.enter()

    def tick(self, now: float) -> None:
        """Look who wants the room, and do the next step."""
        run = self._tenant.wanted()
        if run:
            self._out(run, now)
        elif self._until is not None:
            self._until = None  # it gave up while we were finishing
            self._engine.refuse("")
        elif not self._engine.here and self._tenant.enter():
            self._back()
        elif self._engine.here:
            self._tenant.enter()

    def close(self) -> None:
        """This process answers no more."""
        self._tenant.leave()

    def _out(self, run: str, now: float) -> None:
        self._engine.refuse(lent(run))
        if not self._engine.here:
            return
        if self._until is None:
            self._until = now + DRAIN
        if self._engine.idle() or now >= self._until:
            self._until = None
            self._engine.leave()
            self._tenant.leave()
            logs.event("engine.aside", run=run)

    def _back(self) -> None:
        try:
            self._engine.back()
        except LafiyaError as error:
            self._engine.refuse(str(error))
            self._tenant.leave()
        else:
            logs.event("engine.back")
