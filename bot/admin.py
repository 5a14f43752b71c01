"""The admins' orders about models: /models, /load, /compare, /swap, /rollback, /set, /train ...

Each is a message of an admin's own conversation, answered by a worker like any other. To anybody
else these are words without a meaning: they never learn that such orders exist. What may go live is
not decided here but in `storage.releases`.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from bot import admin_show
from bot.access import Access
from bot.admin_compare import Contest
from bot.admin_orders import Order, knob, recognise, release_name
from bot.admin_training import Training
from bot.effects import Outcome, Used
from bot.mind import Mind
from bot.releases import ALIVE, CANDIDATE, Keeper
from bot.texts import Texts
from core import logs
from core.errors import EngineError, LafiyaError, ReleaseRefused, ReleaseUnusable
from core.messages import Answer, Choice, Kind, Reply, Source, Turn
from inference.engine import BASE
from storage import instances
from storage.instances import Serving
from storage.store import Store
from training.jobs import RunRefused
from training.registry import Registry

#: Seconds that an answer waits for a release to be loaded, here or everywhere.
PATIENCE = 25.0
LOOK_AGAIN = 0.25


@dataclass(slots=True)
class Desk:
    """Carries out an admin's orders. `answer` is all that the conversation calls."""

    store: Store
    registry: Registry
    keeper: Keeper
    training: Training
    access: Access
    patience: float = PATIENCE
    clock: Callable[[], float] = time.time

    def answer(self, turn: Turn, mind: Mind) -> Outcome | None:
        """The outcome of an order or of a pressed confirmation; None when it is neither.

        Raises StoreError.
        """
        if not turn.is_admin:
            return None
        if turn.choice is not None:
            return self._pressed(turn, mind)
        found = recognise(turn.text) if turn.kind is Kind.TEXT else None
        if found is None:
            return None
        order, rest = found
        return _outcome(self._obey(order, rest, turn, mind), order, turn)

    def lines(self, texts: Texts, language: str) -> str:
        """What `/status` adds: the live release, and every process with its own."""
        live = self.registry.pointer().release or BASE
        servings = self.servings()
        if not servings and live == BASE:
            return ""
        there = sum(serving.release == live for serving in servings)
        head = texts("status-live", language, release=live, there=there, all=len(servings))
        return "\n".join([head, *admin_show.instance_lines(texts, language, servings)])

    def servings(self) -> list[Serving]:
        """The processes that answer now."""
        return instances.seen(self.store, since=self.clock() - ALIVE)

    def _obey(self, order: Order, rest: str, turn: Turn, mind: Mind) -> Reply:
        try:
            match order:
                case Order.MODELS:
                    return self._models(turn, mind)
                case Order.SET:
                    return self._set(rest, turn, mind)
                case Order.ROLLBACK:
                    return self._ask_rollback(turn, mind)
                case Order.COMPARE if rest:
                    return self._compare(rest, turn, mind)
                case Order.LOAD if rest:
                    return self._load(release_name(rest), turn, mind)
                case Order.SWAP if rest:
                    return self._ask_swap(release_name(rest), turn, mind)
                case Order.TRAIN:
                    return Reply(self.training.train(rest, turn, mind, now=self.clock()))
                case Order.PROGRESS:
                    return Reply(self.training.progress(turn, mind))
                case Order.CANCEL:
                    return Reply(self.training.cancel(turn, mind))
                case Order.RESUME:
                    return Reply(self.training.resume(turn, mind))
                case Order.DATA:
                    return Reply(self.training.data(turn, mind))
                case Order.CONSOLE:
                    link = self.access.link(turn.actor, turn.language, now=self.clock())
                    return Reply(mind.say(turn, "admin-console", link=link))
                case Order.EVALUATE if rest:
                    name = self.registry.find(release_name(rest)).name
                    return Reply(self.training.evaluate(name, turn, mind))
            return Reply(mind.say(turn, f"admin-usage-{order.value}"))
        except RunRefused as error:
            return Reply(mind.say(turn, f"admin-run-{error.code}", run=error.run or "–"))
        except (ReleaseRefused, EngineError) as error:
            return _refused(error, turn, mind)

    def _pressed(self, turn: Turn, mind: Mind) -> Outcome | None:
        """`swap:NAME:COUNTER:yes`, `rollback:COUNTER:yes`, or one of them with `no`."""
        match (turn.choice or "").split(":"):
            case ["swap" | "rollback" as word, *_, "no"]:
                return _outcome(Reply(mind.say(turn, "admin-unchanged")), Order(word), turn)
            case ["swap", name, counter, "yes"] if counter.isdigit():
                reply = self._done(lambda: self._swap(name, int(counter), turn, mind), turn, mind)
                return _outcome(reply, Order.SWAP, turn)
            case ["rollback", counter, "yes"] if counter.isdigit():
                reply = self._done(lambda: self._rollback(int(counter), turn, mind), turn, mind)
                return _outcome(reply, Order.ROLLBACK, turn)
        return None

    def _done(self, step: Callable[[], str], turn: Turn, mind: Mind) -> Reply:
        try:
            return Reply(step())
        except (ReleaseRefused, EngineError) as error:
            return _refused(error, turn, mind)

    def _models(self, turn: Turn, mind: Mind) -> Reply:
        rows, live = self.registry.listed(), self.registry.pointer().release
        servings = self.servings()
        text = admin_show.releases_list(mind.texts, turn.language, rows, live, servings)
        return Reply(text)

    def _set(self, rest: str, turn: Turn, mind: Mind) -> Reply:
        found = knob(rest)
        if found is None:
            now = mind.sampling()
            values = {"temperature": f"{now.temperature:g}", "max_tokens": str(now.max_tokens)}
            return Reply(mind.say(turn, "admin-usage-set", **values))
        name, value = found
        instances.tune(self.store, name, value, actor=turn.actor, now=self.clock())
        self.keeper.look()
        return Reply(mind.say(turn, "admin-set", knob=name, value=value))

    def _load(self, name: str, turn: Turn, mind: Mind) -> Reply:
        """Resident here and, by the store, soon everywhere: for comparing."""
        if name != BASE:
            self.registry.find(name)
            if not self._staged(name):
                return Reply(mind.say(turn, "admin-loading", release=name))
            actor, now = turn.actor, self.clock()
            instances.tune(self.store, CANDIDATE, name, actor=actor, now=now)
            self.keeper.look()
        return Reply(mind.say(turn, "admin-loaded", release=name))

    def _ask_swap(self, name: str, turn: Turn, mind: Mind) -> Reply:
        """The gate is asked before the person is: no button for what would be refused."""
        row, pointer = self.registry.find(name), self.registry.pointer()
        if pointer.release == name:
            raise ReleaseRefused("already_live", f"{name} is live already", name)
        if not row.verdict:
            code = "failed" if row.verdict is False else "not_passed"
            raise ReleaseRefused(code, f"{name} has not passed the gate", name)
        text = mind.say(
            turn,
            "admin-swap-ask",
            release=name,
            before=pointer.release or BASE,
            figures=admin_show.figures(row) or "–",
        )
        return Reply(text, _yes_no(turn, mind, f"swap:{name}:{pointer.counter}", "swap"))

    def _swap(self, name: str, counter: int, turn: Turn, mind: Mind) -> str:
        """Tried here first: what this engine cannot serve does not become live at all."""
        if self.keeper.able and not self._staged(name):
            return mind.say(turn, "admin-loading", release=name)
        step = self.registry.promote(name, actor=turn.actor, now=self.clock(), expected=counter)
        if not step.live:
            needed = self.registry.approvals
            return mind.say(
                turn, "admin-swap-agreed", release=name, there=step.approvals, all=needed
            )
        return self._live(name, turn, mind)

    def _ask_rollback(self, turn: Turn, mind: Mind) -> Reply:
        pointer, before = self.registry.pointer(), self.registry.before()
        text = mind.say(
            turn, "admin-rollback-ask", release=pointer.release or BASE, before=before or BASE
        )
        return Reply(text, _yes_no(turn, mind, f"rollback:{pointer.counter}", "rollback"))

    def _rollback(self, counter: int, turn: Turn, mind: Mind) -> str:
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

    def _staged(self, name: str) -> bool:
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

    def _compare(self, question: str, turn: Turn, mind: Mind) -> Reply:
        if not self.keeper.able:
            return Reply(mind.say(turn, "admin-no-model"))
        contest = Contest(self.registry, self.keeper, self._staged)
        return Reply(contest.text(question, turn, mind))


def _yes_no(turn: Turn, mind: Mind, about: str, word: str) -> tuple[Choice, ...]:
    return (
        Choice(f"{about}:yes", mind.say(turn, "label-yes")),
        Choice(f"{word}:no", mind.say(turn, "label-no")),
    )


def _refused(error: ReleaseRefused | EngineError, turn: Turn, mind: Mind) -> Reply:
    """Why not: in their language where we know the reason, else with the engine's own words."""
    if isinstance(error, ReleaseRefused):
        key = f"admin-refused-{error.code.replace('_', '-')}"
        return Reply(mind.say(turn, key, release=error.release or "–"))
    return Reply(mind.say(turn, "admin-unusable", reason=str(error)))


def _outcome(reply: Reply, order: Order, turn: Turn) -> Outcome:
    """The reply, and the note that this admin has used this order."""
    answer = Answer(reply, Source.SERVICE, reason=f"admin:{order.value}")
    return Outcome(answer, (Used(order.value, turn.actor),))
