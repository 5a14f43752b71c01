"""The admins' orders that change what answers people: /load, /swap, /rollback.

A question before each change, and after it how far the running processes have come. What may go
live is decided in `storage.releases`; here it is tried first and told afterwards.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from bot import admin_show
from bot.admin_training import Said, yes_no
from bot.effects import WantsYes
from bot.mind import Mind
from bot.releases import CANDIDATE, Keeper
from core import logs
from core.errors import LafiyaError, ReleaseRefused, ReleaseUnusable
from core.messages import Reply, Turn
from inference.engine import BASE
from storage import instances
from storage.instances import Serving
from storage.releases import Listed
from storage.store import Store
from training.registry import Registry

LOOK_AGAIN = 0.25


@dataclass(frozen=True, slots=True)
class Change:
    """Carries out the orders. `servings` are the processes that answer now.

    `patience`: seconds that an answer waits for a release to be loaded, here or everywhere.
    """

    store: Store
    registry: Registry
    keeper: Keeper
    servings: Callable[[], list[Serving]]
    patience: float
    clock: Callable[[], float]

    def load(self, name: str, turn: Turn, mind: Mind) -> Reply:
        """Resident here and, by the store, soon everywhere: for comparing."""
        if name != BASE:
            self.registry.find(name)
            if not self.staged(name):
                return Reply(mind.say(turn, "admin-loading", release=name))
            actor, now = turn.actor, self.clock()
            instances.tune(self.store, CANDIDATE, name, actor=actor, now=now)
            self.keeper.look()
        return Reply(mind.say(turn, "admin-loaded", release=name))

    def ask_swap(self, name: str, turn: Turn, mind: Mind) -> Reply:
        """The gate is asked before the person is: no button for what would be refused."""
        row, pointer = self._passed(name), self.registry.pointer()
        if pointer.release == name:
            raise ReleaseRefused("already_live", f"{name} is live already", name)
        text = mind.say(
            turn,
            "admin-swap-ask",
            release=name,
            before=pointer.release or BASE,
            figures=admin_show.figures(row) or "–",
        )
        return Reply(text, yes_no(turn, mind, f"swap:{name}:{pointer.counter}", "swap"))

    def _passed(self, name: str) -> Listed:
        """A release that may be asked about. The registry decides again, for good."""
        row = self.registry.find(name)
        if not row.verdict:
            code = "failed" if row.verdict is False else "not_passed"
            raise ReleaseRefused(code, f"{name} has not passed the gate", name)
        return row

    def swap(self, name: str, counter: int, turn: Turn, mind: Mind) -> Said:
        """Tried here first: what this engine cannot serve does not become live at all."""
        self._passed(name)
        if self.keeper.able and not self.staged(name):
            return Reply(mind.say(turn, "admin-loading", release=name)), ()
        step = self.registry.promote(name, actor=turn.actor, now=self.clock(), expected=counter)
        if step.live:
            return Reply(self._live(name, turn, mind)), ()
        there, needed = step.approvals, self.registry.approvals
        text = mind.say(turn, "admin-swap-agreed", release=name, there=there, all=needed)
        return Reply(text), (WantsYes(name, there, needed, turn.actor),)

    def ask_rollback(self, turn: Turn, mind: Mind) -> Reply:
        """Whether to go back, and where that leads. Raises ReleaseRefused (no_previous)."""
        pointer, before = self.registry.pointer(), self.registry.before()
        text = mind.say(
            turn, "admin-rollback-ask", release=pointer.release or BASE, before=before or BASE
        )
        return Reply(text, yes_no(turn, mind, f"rollback:{pointer.counter}", "rollback"))

    def rollback(self, counter: int, turn: Turn, mind: Mind) -> str:
        """Go back. Raises ReleaseRefused."""
        now = self.clock()
        pointer = self.registry.rollback(actor=turn.actor, now=now, expected=counter)
        return self._live(pointer.release or BASE, turn, mind)

    def _live(self, release: str, turn: Turn, mind: Mind) -> str:
        """What became of it, after a moment in which the processes may load it."""
        head = mind.say(turn, "admin-live", release=release)
        servings = self._until_served(release)
        return f"{head}\n{admin_show.spread(mind.texts, turn.language, release, servings)}"

    def _until_served(self, release: str) -> list[Serving]:
        until = time.monotonic() + self.patience
        while True:
            self.keeper.tick(self.clock())
            self.keeper.join(max(0.0, until - time.monotonic()))
            self.keeper.tick(self.clock())
            servings = self.servings()
            settled = all(s.release == release for s in servings) or self.keeper.trouble()
            if settled or time.monotonic() >= until:
                return servings
            time.sleep(LOOK_AGAIN)

    def staged(self, name: str) -> bool:
        """Whether a release is resident here, after a while; it goes on being loaded if not.

        Raises ReleaseRefused or ReleaseUnusable.
        """
        failure: list[LafiyaError] = []

        def stage() -> None:
            try:
                self.keeper.stage(name)
            except LafiyaError as error:
                failure.append(error)
            except Exception as error:
                logs.crash("release.failed", error, release=name)
                failure.append(ReleaseUnusable(f"{name}: unforeseen: {type(error).__name__}"))

        thread = threading.Thread(target=stage, name="stage", daemon=True)
        thread.start()
        thread.join(self.patience)
        if failure:
            raise failure[0]
        return not thread.is_alive()
