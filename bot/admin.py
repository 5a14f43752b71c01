"""The admins' orders about models: /models, /load, /compare, /swap, /rollback, /set.

Each is a message of an admin's own conversation, answered by a worker like any other. To anybody
else these are words without a meaning: they never learn that such orders exist. What may go live is
not decided here but in `storage.releases`.
"""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from enum import StrEnum

from bot import admin_show
from bot.effects import Outcome, Used
from bot.mind import Mind
from bot.releases import ALIVE, CANDIDATE, Keeper
from bot.texts import Texts
from bot.writing import written
from core.errors import EngineError, LafiyaError, ReleaseRefused
from core.messages import Answer, Choice, Kind, Reply, Source, Turn
from inference.engine import BASE, Engine, Generation, OnText, Request
from knowledge.folding import fold
from storage import instances
from storage.instances import Serving
from storage.store import Store
from training.registry import Registry

#: Seconds that an answer waits for a release to be loaded, here or everywhere.
PATIENCE = 25.0
LOOK_AGAIN = 0.25


class Order(StrEnum):
    """What an admin may order."""

    MODELS = "models"
    LOAD = "load"
    COMPARE = "compare"
    SWAP = "swap"
    ROLLBACK = "rollback"
    SET = "set"


#: The words behind the slash, English and Hausa, folded.
WORDS: dict[str, Order] = {
    **{order.value: order for order in Order},
    "samfura": Order.MODELS,
    "loda": Order.LOAD,
    "kwatanta": Order.COMPARE,
    "musanya": Order.SWAP,
    "koma": Order.ROLLBACK,
    "saita": Order.SET,
}
#: What /set takes: its least and greatest value, and how a value is read.
KNOBS: dict[str, tuple[float, float, type[int] | type[float]]] = {
    "temperature": (0.1, 2.0, float),
    "max_tokens": (50, 500, int),
}


def recognise(text: str) -> tuple[Order, str] | None:
    """The order in a message and what follows its word; None for anything else."""
    first, *rest = text.split(maxsplit=1) or [""]
    order = WORDS.get(fold(first[1:].split("@")[0])) if first.startswith("/") else None
    return (order, rest[0].strip() if rest else "") if order else None


@dataclass(slots=True)
class Desk:
    """Carries out an admin's orders. `answer` is all that the conversation calls."""

    store: Store
    registry: Registry
    keeper: Keeper
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
                    return self._load(_name(rest), turn, mind)
                case Order.SWAP if rest:
                    return self._ask_swap(_name(rest), turn, mind)
            return Reply(mind.say(turn, f"admin-usage-{order.value}"))
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
        words = rest.replace("=", " ").split()
        knob, value = KNOBS.get(fold(words[0])) if words else None, None
        if knob and len(words) == 2:
            value = _number(words[1], *knob)
        if value is None:
            now = mind.sampling()
            values = {"temperature": f"{now.temperature:g}", "max_tokens": str(now.max_tokens)}
            return Reply(mind.say(turn, "admin-usage-set", **values))
        name = fold(words[0])
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

        thread = threading.Thread(target=stage, name="stage", daemon=True)
        thread.start()
        thread.join(self.patience)
        if failure:
            raise failure[0]
        return not thread.is_alive()

    def _compare(self, question: str, turn: Turn, mind: Mind) -> Reply:
        """The same question to base, live and candidate, all at once, each guarded and labelled."""
        if not self.keeper.able:
            return Reply(mind.say(turn, "admin-no-model"))
        asked = replace(turn, text=question, past=(), choice=None)
        roles = list(self._contenders())
        with ThreadPoolExecutor(len(roles)) as pool:
            answers = pool.map(lambda name: self._ask(name, asked, mind), dict(roles))
        parts = [
            f"{mind.say(turn, f'admin-role-{role}', release=name)}\n{answer}"
            for (name, role), answer in zip(roles, answers, strict=True)
        ]
        return Reply("\n\n".join(parts))

    def _contenders(self) -> Iterator[tuple[str, str]]:
        """(release, role), no release twice; the candidate is the one loaded, else the newest."""
        yield BASE, "base"
        wanted, rows = self.keeper.look(), self.registry.listed()
        live = wanted.pointer.release
        if live:
            yield live, "live"
        open_ = [row.name for row in rows if row.state in ("candidate", "passed", "failed")]
        loaded = wanted.tuning.get(CANDIDATE, "")
        candidate = loaded if loaded in {row.name for row in rows} else next(iter(open_), "")
        if candidate and candidate != live:
            yield candidate, "candidate"

    def _ask(self, name: str, turn: Turn, mind: Mind) -> str:
        """One release's answer as people would get it, or why there is none."""
        try:
            if not self._staged(name):
                return mind.say(turn, "admin-loading", release=name)
        except (EngineError, ReleaseRefused) as error:
            return mind.say(turn, "admin-no-answer", reason=str(error))
        only = replace(mind, engine=_Only(mind.engine, name))
        answer = written(turn, only, mind.library.search(turn.text))
        if isinstance(answer, Generation):
            return answer.text
        return mind.say(turn, "admin-no-answer", reason=answer)


class _Only:
    """An engine that asks one resident release, whichever is live."""

    def __init__(self, engine: Engine, release: str) -> None:
        self._engine, self._release = engine, release
        self.verbatim, self.status = engine.verbatim, engine.status
        self.load, self.activate, self.close = engine.load, engine.activate, engine.close

    def generate(self, request: Request, on_text: OnText | None = None) -> Generation:
        """As the engine's own, of this release."""
        return self._engine.generate(replace(request, release=self._release), on_text)


def _name(rest: str) -> str:
    """A release's name as phones write it: with a capital, and more words behind it."""
    return rest.split()[0].lower()


def _number(word: str, least: float, most: float, read: type[int] | type[float]) -> str | None:
    """A value in its range as it is stored; None when it is not one. A comma is a point."""
    try:
        value = read(word.replace(",", "."))
    except ValueError:
        return None
    return f"{value:g}" if least <= value <= most else None


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
