"""The console's side of the service: what it shows, and the same orders as in a chat.

An order from the page is a turn of that admin's, carried out by `bot.admin` like a message: one set
of rules, one wording of every refusal, one audit. Knows no route and no page.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot import console_show as show
from bot.access import Access, Visitor
from bot.admin import Desk
from bot.admin_orders import Order, recognise
from bot.effects import Used
from bot.mind import Mind
from core.messages import Kind, Reply, Turn
from inference.engine import BASE
from storage import entrance, reports
from storage.store import Store

DAY = 86_400.0
MOST_RUNS = 20


@dataclass(frozen=True, slots=True)
class Console:
    """What a visitor may see and order."""

    store: Store
    desk: Desk
    mind: Mind
    access: Access
    clock: Callable[[], float] = time.time

    def enter(self, token: str) -> str | None:
        """The session that a link opens; None when it opens none. Raises StoreError."""
        return self.access.enter(token, now=self.clock())

    def visitor(self, session: str) -> Visitor | None:
        """Whose session this is, if it still is one."""
        return self.access.visitor(session, now=self.clock())

    def overview(self, language: str) -> dict[str, Any]:
        """Queues, runs, releases and what is set. Raises StoreError."""
        now, wanted = self.clock(), self.desk.keeper.look()
        texts, sampling, live = self.mind.texts, self.desk.keeper.sampling(), wanted.pointer.release
        hour = reports.load(self.store, now=now)
        day = reports.load(self.store, now=now, window=DAY)
        return {
            "load": show.load(hour, day),
            "runs": self._runs(language),
            "live": live or BASE,
            "served": self.desk.lines(texts, language),
            "releases": [
                show.release(row, live, texts, language) for row in self.desk.registry.listed()
            ],
            "sampling": {
                "temperature": sampling.temperature,
                "max_tokens": sampling.max_tokens,
            },
            "able": self.desk.keeper.able,
        }

    def order(self, visitor: Visitor, language: str, text: str, choice: str | None) -> Reply | None:
        """Carry out an order or a confirmation, as if it came by chat; None when it is neither.

        May take as long as an answer of the model. Raises StoreError.
        """
        found = recognise(text)
        if found and found[0] is Order.CONSOLE:
            return None  # a session does not beget the next one
        turn = Turn(
            text,
            Kind.TEXT if choice is None else Kind.CHOICE,
            choice,
            language=language,
            is_admin=True,
            actor=visitor.actor,
        )
        outcome = self.desk.answer(turn, self.mind)
        if outcome is None:
            return None
        for effect in outcome.effects:
            if isinstance(effect, Used):
                self._note(effect)
        return outcome.answer.reply

    def _note(self, used: Used) -> None:
        action, now = f"admin.{used.order}", self.clock()
        entrance.note(self.store, action, actor=used.actor, now=now, by="console")

    def _runs(self, language: str) -> list[dict[str, Any]]:
        jobs = self.desk.training.jobs
        return [
            show.run(run.name, jobs.state(run), self.mind.texts, language)
            for run in jobs.all()[:MOST_RUNS]
        ]
