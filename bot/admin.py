"""The admins' orders about models: /models, /load, /compare, /swap, /rollback, /set, /train ...

Each is a message of an admin's own conversation, answered by a worker like any other. To anybody
else these are words without a meaning: they never learn that such orders exist. What may go live is
not decided here but in `storage.releases`.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from bot import admin_show
from bot.access import Access
from bot.admin_compare import Contest
from bot.admin_correct import Correcting
from bot.admin_export import Exporting
from bot.admin_live import Change
from bot.admin_orders import Order, knob, recognise, release_name
from bot.admin_training import Said, Training
from bot.effects import Effect, Outcome, Used
from bot.mind import Mind
from bot.releases import ALIVE, Keeper
from bot.texts import Texts
from core.errors import EngineError, LafiyaError, ReleaseRefused
from core.messages import Answer, Kind, Reply, Source, Turn
from inference.engine import BASE
from knowledge.folding import fold
from storage import instances
from storage.instances import Serving
from storage.store import Store
from training.jobs import RunRefused
from training.registry import Registry

#: Seconds that an answer waits for a release to be loaded, here or everywhere.
PATIENCE = 25.0
#: Behind an order: what it does is told, and nothing is done.
HELP = frozenset({"help", "taimako", "?"})
#: What the ids of our buttons begin with.
BUTTONS = {
    "swap": Order.SWAP,
    "rollback": Order.ROLLBACK,
    "train": Order.TRAIN,
    "resume": Order.RESUME,
    "cancel": Order.CANCEL,
    "curve": Order.PROGRESS,
    "push": Order.SAVE,
}


@dataclass(slots=True)
class Desk:
    """Carries out an admin's orders. `answer` is all that the conversation calls."""

    store: Store
    registry: Registry
    keeper: Keeper
    training: Training
    access: Access
    exporting: Exporting
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
        if fold(rest) in HELP:
            return _outcome(Reply(_help(order, turn, mind)), order, turn)
        reply, effects = self._obey(order, rest, turn, mind)
        return _outcome(reply, order, turn, *effects)

    def lines(self, texts: Texts, language: str) -> str:
        """What `/status` adds: the live release, every process with its own, a run that goes on."""
        live = self.registry.pointer().release or BASE
        servings, run = self.servings(), self.training.line(texts, language)
        if not servings and live == BASE:
            return run
        there = sum(serving.release == live for serving in servings)
        head = texts("status-live", language, release=live, there=there, all=len(servings))
        lines = [head, *admin_show.instance_lines(texts, language, servings), run]
        return "\n".join(line for line in lines if line)

    def servings(self) -> list[Serving]:
        """The processes that answer now."""
        return instances.seen(self.store, since=self.clock() - ALIVE)

    def contest(self) -> Contest:
        """What asks several releases the same question."""
        return Contest(self.registry, self.keeper, self._change().staged)

    def _change(self) -> Change:
        return Change(
            self.store, self.registry, self.keeper, self.servings, self.patience, self.clock
        )

    def _obey(self, order: Order, rest: str, turn: Turn, mind: Mind) -> Said:
        try:
            return self._begun(order, rest, turn, mind) or (
                self._shown(order, rest, turn, mind)
                or Reply(mind.say(turn, f"admin-usage-{order.value}")),
                (),
            )
        except (RunRefused, ReleaseRefused, EngineError) as error:
            return _refused(error, turn, mind), self._instead(error)

    def _instead(self, error: LafiyaError) -> tuple[Effect, ...]:
        """Whoever wants a run while one goes on follows that one.

        It may be their own: begun by this very message, and then the process died.
        """
        busy = isinstance(error, RunRefused) and error.code == "busy"
        return self.training.follow() if busy else ()

    def _begun(self, order: Order, rest: str, turn: Turn, mind: Mind) -> Said | None:
        """Orders that go on in this conversation: runs and exports tell how they go; answers."""
        training = self.training
        match order:
            case Order.TRAIN:
                return training.train(rest, turn, mind, now=self.clock())
            case Order.PROGRESS:
                return training.progress(rest, turn, mind)
            case Order.RESUME:
                return training.ask_resume(release_name(rest) if rest else "", turn, mind)
            case Order.ANSWERS:
                return Correcting(self.store).answers(turn, mind)
            case Order.EVALUATE if rest:
                name = self.registry.find(release_name(rest)).name
                return training.evaluate(name, turn, mind)
            case Order.SAVE:
                return self.exporting.save(rest, turn, mind)
            case Order.EXPORT:
                return self.exporting.export(rest, turn, mind)
        return None

    def _shown(self, order: Order, rest: str, turn: Turn, mind: Mind) -> Reply | None:
        """Orders about releases, and what is only looked at; None: something is missing."""
        match order:
            case Order.MODELS:
                return self._models(turn, mind)
            case Order.SET:
                return self._set(rest, turn, mind)
            case Order.ROLLBACK:
                return self._change().ask_rollback(turn, mind)
            case Order.COMPARE if rest:
                return self._compare(rest, turn, mind)
            case Order.LOAD if rest:
                return self._change().load(self._named(rest), turn, mind)
            case Order.SWAP if rest:
                return self._change().ask_swap(self._named(rest), turn, mind)
            case Order.CANCEL:
                return self.training.ask_cancel(turn, mind)
            case Order.DATA:
                return Reply(self.training.data(turn, mind))
            case Order.CORRECT:
                return Correcting(self.store).correct(rest, turn, mind, now=self.clock())
            case Order.CONSOLE:
                link = self.access.link(turn.actor, turn.language, now=self.clock())
                return Reply(mind.say(turn, "admin-console", link=link))
        return None

    def _pressed(self, turn: Turn, mind: Mind) -> Outcome | None:
        """A button of ours: `swap:NAME:COUNTER:yes`, `cancel:NAME:ask`, `train:OPTIONS:yes` ..."""
        word, _, about = (turn.choice or "").partition(":")
        if word not in BUTTONS:
            return None
        order = BUTTONS[word]
        if about == "no" or about.endswith(":no"):
            return _outcome(Reply(mind.say(turn, "admin-unchanged")), order, turn)
        try:
            done = self._meant(order, about, turn, mind)
        except (RunRefused, ReleaseRefused, EngineError) as error:
            done = _refused(error, turn, mind), self._instead(error)
        return _outcome(done[0], order, turn, *done[1]) if done else None

    def _meant(self, order: Order, about: str, turn: Turn, mind: Mind) -> Said | None:
        """What a pressed button asks for; None when we made no such button."""
        training = self.training
        match order, about.split(":"):
            case Order.TRAIN, [*words, "yes"]:
                sure = f"{':'.join(words)} now"
                return training.train(sure, turn, mind, now=self.clock())
            case Order.RESUME, [name, "ask"]:
                return training.ask_resume(name, turn, mind)
            case Order.RESUME, [name, "yes"]:
                return training.resume(name, turn, mind)
            case Order.CANCEL, [_, "ask"]:
                return training.ask_cancel(turn, mind), ()
            case Order.CANCEL, [name, "yes"]:
                return training.cancel(name, turn, mind), ()
            case Order.PROGRESS, [name]:
                return training.curve(training.jobs.find(name), turn, mind), ()
            case Order.SWAP, [name, "ask"]:
                return self._change().ask_swap(name, turn, mind), ()
            case Order.SWAP, [name, counter, "yes"] if counter.isdigit():
                return self._change().swap(name, int(counter), turn, mind)
            case Order.SAVE, [name, "yes"]:
                return self.exporting.push(name, turn, mind)
            case Order.ROLLBACK, [counter, "yes"] if counter.isdigit():
                return Reply(self._change().rollback(int(counter), turn, mind)), ()
        return None

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

    def _named(self, rest: str) -> str:
        """The release that an admin means by its name or label. Raises ReleaseRefused."""
        name = release_name(rest)
        return name if name == BASE else self.registry.find(name).name

    def _compare(self, question: str, turn: Turn, mind: Mind) -> Reply:
        if not self.keeper.able:
            return Reply(mind.say(turn, "admin-no-model"))
        return Reply(self.contest().text(question, turn, mind))


def _help(order: Order, turn: Turn, mind: Mind) -> str:
    """The line of the admins' help that is about this order."""
    lines = mind.say(turn, "admin-help").splitlines()
    return "\n".join(line for line in lines if f"/{order.value}" in line)


def _refused(error: RunRefused | ReleaseRefused | EngineError, turn: Turn, mind: Mind) -> Reply:
    """Why not: in their language where we know the reason, else with the engine's own words."""
    match error:
        case RunRefused():
            return Reply(mind.say(turn, f"admin-run-{error.code}", run=error.run or "–"))
        case ReleaseRefused():
            key = f"admin-refused-{error.code.replace('_', '-')}"
            return Reply(mind.say(turn, key, release=error.release or "–"))
    return Reply(mind.say(turn, "admin-unusable", reason=str(error)))


def _outcome(reply: Reply, order: Order, turn: Turn, *effects: Effect) -> Outcome:
    """The reply, what it changes, and the note that this admin has used this order."""
    answer = Answer(reply, Source.SERVICE, reason=f"admin:{order.value}")
    return Outcome(answer, (*effects, Used(order.value, turn.actor)))
