"""The console's side of the service: what it shows, and the same orders as in a chat.

An order from the page is a turn of that admin's, carried out by `bot.admin` like a message: one set
of rules, one wording of every refusal, one audit. Knows no route and no page.
"""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot import console_show as show
from bot.access import Access, Visitor
from bot.admin import BUTTONS, Desk
from bot.admin_compare import Contender
from bot.admin_correct import Correcting
from bot.admin_orders import Order, recognise
from bot.effects import Begun, Outcome, Used, WantsYes, Watch
from bot.mind import Mind
from core import logs
from core.errors import ReleaseRefused, ReleaseUnusable, SettingsError
from core.messages import Choice, Kind, Turn
from inference.engine import BASE
from storage import entrance, reports
from storage.releases import Listed
from storage.store import Store
from training.folder import RunFolder
from training.jobs import RunRefused
from training.report_files import PAGE, PICTURE, here, named
from training.rows import DataError

#: What the page orders. What needs a chat, or makes the next session, is ordered in a chat.
OFFERED = frozenset(
    {
        *(Order.TRAIN, Order.CANCEL, Order.RESUME, Order.EVALUATE, Order.LOAD, Order.COMPARE),
        *(Order.SWAP, Order.ROLLBACK, Order.SET, Order.SAVE, Order.EXPORT, Order.CORRECT),
    }
)
DAY = 86_400.0
MOST_RUNS = 20
MOST_ANSWERS = 10
#: What a button of the page may carry, in bytes: all that its form may order.
CHOICE_ROOM = 256


@dataclass(frozen=True, slots=True)
class Done:
    """What an order led to: words, perhaps buttons, perhaps several answers side by side."""

    text: str
    choices: tuple[Choice, ...] = ()
    contenders: tuple[Contender, ...] = ()


@dataclass(frozen=True, slots=True)
class Console:
    """What a visitor may see and order."""

    store: Store
    desk: Desk
    mind: Mind
    access: Access
    #: Tells in chats what was brought about here: `bot.announce.Announcer.announce`.
    announce: Callable[[WantsYes | Begun, float], None]
    clock: Callable[[], float] = time.time

    def enter(self, token: str) -> str | None:
        """The session that a link opens; None when it opens none. Raises StoreError."""
        return self.access.enter(token, now=self.clock())

    def visitor(self, session: str) -> Visitor | None:
        """Whose session this is, if it still is one."""
        return self.access.visitor(session, now=self.clock())

    def overview(self, language: str) -> dict[str, Any]:
        """Queues, runs, releases and what is set. Raises StoreError."""
        now, wanted, desk = self.clock(), self.desk.keeper.look(), self.desk
        texts, sampling, live = self.mind.texts, desk.keeper.sampling(), wanted.pointer.release
        hour = reports.load(self.store, now=now)
        day = reports.load(self.store, now=now, window=DAY)
        rows = desk.registry.listed()
        return {
            "load": show.load(hour, day),
            "runs": self._runs(language),
            "live": live or BASE,
            "served": desk.lines(texts, language),
            "releases": [show.release(row, live, texts, language) for row in rows],
            "temperature": sampling.temperature,
            "max_tokens": sampling.max_tokens,
            "able": desk.keeper.able,
        }

    def run(self, name: str, language: str) -> dict[str, Any] | None:
        """One run with its curve and the card of its data; None when there is none."""
        try:
            run = self.desk.training.jobs.find(name)
            shown = self._run(run, language)
        except (RunRefused, DataError):
            return None
        curve = show.curve(run.progress(), shown["base"])
        return {**shown, "curve": curve, "card": _card(run), "config": _config(run)}

    def release(self, name: str, language: str) -> dict[str, Any] | None:
        """One release with its verdict and the report of its examination."""
        try:
            row = self.desk.registry.find(name)
        except ReleaseRefused:
            return None
        try:
            page, missing = self._report(name, PAGE) or b"", "console-report-elsewhere"
        except ReleaseUnusable as error:
            logs.event("console.report_unusable", level=40, release=name, why=str(error))
            page, missing = b"", "console-report-unusable"
        return {
            **show.verdict(row, self.mind.texts, language),
            "report": page.decode("utf-8", "replace"),
            "missing": missing,
            "picture": bool(page) and self._pictured(row),
        }

    def picture(self, name: str) -> bytes | None:
        """The picture of a release's examination; None when there is none to be had."""
        try:
            return self._report(name, PICTURE)
        except (ReleaseRefused, ReleaseUnusable):
            return None

    def answers(self, visitor: Visitor, language: str) -> list[dict[str, Any]]:
        """The newest answers that may be put right. Raises StoreError.

        Audited like `/answers` in a chat; what is shown is kept nowhere, so that none has to be
        forgotten when its person erases.
        """
        self._note(Used(Order.ANSWERS.value, visitor.actor))
        texts = self.mind.texts
        found = Correcting(self.store).found(MOST_ANSWERS, texts)
        return [show.answer(exchange, texts, language) for exchange in found]

    def order(self, visitor: Visitor, language: str, text: str, choice: str) -> Done | None:
        """Carry out an order or a confirmation, as if it came by chat; None when it is neither.

        May take as long as an answer of the model. Raises StoreError.
        """
        order, rest = _meant(text, choice)
        if order not in OFFERED:
            return None
        turn = Turn(
            text,
            Kind.CHOICE if choice else Kind.TEXT,
            choice or None,
            language=language,
            is_admin=True,
            actor=visitor.actor,
            choice_room=CHOICE_ROOM,
        )
        if order is Order.COMPARE and rest and self.desk.keeper.able:
            self._note(Used(order.value, visitor.actor))
            return Done("", contenders=tuple(self.desk.contest().answers(rest, turn, self.mind)))
        outcome = self.desk.answer(turn, self.mind)
        return self._done(outcome, visitor.actor) if outcome else None

    def _done(self, outcome: Outcome, actor: str) -> Done:
        reply, now = outcome.answer.reply, self.clock()
        for effect in outcome.effects:
            match effect:
                case Used():
                    self._note(effect)
                case WantsYes():
                    self.announce(effect, now)
                case Watch(run):
                    self.announce(Begun(run, reply.text, actor), now)
        return Done(reply.text, reply.choices)

    def _note(self, used: Used) -> None:
        action, now = f"admin.{used.order}", self.clock()
        entrance.note(self.store, action, actor=used.actor, now=now, by="console")

    def _runs(self, language: str) -> list[dict[str, Any]]:
        """The newest runs; not one whose folder is just being made, or is broken."""
        found = []
        for run in self.desk.training.jobs.all()[:MOST_RUNS]:
            with contextlib.suppress(DataError):
                found.append(self._run(run, language))
        return found

    def _run(self, run: RunFolder, language: str) -> dict[str, Any]:
        state = self.desk.training.jobs.state(run)
        return show.run(run.name, state, self.mind.texts, language)

    def _report(self, name: str, file: str) -> bytes | None:
        return self.desk.registry.report_file(name, file, self.desk.training.jobs.root)

    def _pictured(self, row: Listed) -> bool:
        """Whether there is a picture, which is not fetched for that."""
        runs = self.desk.training.jobs.root
        return PICTURE in named(row.report) or here(row, runs, PICTURE) is not None


def _meant(text: str, choice: str) -> tuple[Order | None, str]:
    """Which order a text or a pressed button is, and what follows its word."""
    if choice:
        return BUTTONS.get(choice.partition(":")[0]), ""
    return recognise(text) or (None, "")


def _card(run: RunFolder) -> dict[str, Any]:
    try:
        return run.card()
    except DataError:
        return {}


def _config(run: RunFolder) -> dict[str, str]:
    try:
        return show.config(run.config())
    except (DataError, SettingsError):
        return {}  # of a version that knew other knobs
