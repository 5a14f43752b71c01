"""The admins' orders about training: /train, /resume, /cancel, /evaluate, /progress, /data.

Training and examination run in processes of their own (`training.jobs`); here they are begun, asked
how they stand, and stopped. Knows no model. Who may order is decided in `bot.admin`, and how an
admin is told of a run as it goes on in `bot.progress`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot import admin_curve, admin_progress
from bot.effects import Effect, Watch
from bot.mind import Mind
from bot.texts import Texts
from core.errors import SettingsError
from core.messages import Choice, Reply, Turn
from knowledge.folding import fold
from training.config import TrainConfig, config
from training.folder import RunFolder
from training.jobs import Jobs, RunRefused, told
from training.needs import check
from training.rows import DataError

#: What may be said behind /train, as chats write it, and what the knob is called.
KNOBS: Mapping[str, str] = {
    "epochs": "epochs",
    "batch": "batch",
    "accumulation": "accumulation",
    "lr": "learning_rate",
    "rank": "rank",
    "data": "data",
    "evaluate": "evaluate",
}
#: Said behind /train, it begins without being asked.
NOW = frozenset({"now", "yanzu"})
#: Said behind /progress, it asks for the picture.
CURVE = frozenset({"curve", "zane"})
#: A reply, and what it changes.
Said = tuple[Reply, tuple[Effect, ...]]


@dataclass(frozen=True, slots=True)
class Training:
    """Carries out the orders. `model` is the base model that runs are made for.

    `disturbs`: whether a training takes the machine from a model that answers people here.
    """

    jobs: Jobs
    model: str
    disturbs: Callable[[], bool] = lambda: False

    def train(self, rest: str, turn: Turn, mind: Mind, *, now: float) -> Said:
        """Begin a run, or ask whether it shall begin. Raises RunRefused when one is active."""
        words = rest.split()
        sure = [word for word in words if fold(word) not in NOW]
        try:
            wanted = config({"model": self.model, **options(" ".join(sure))})
            check(wanted)
        except SettingsError as error:
            return Reply(mind.say(turn, "admin-usage-train", reason=str(error))), ()
        if len(sure) == len(words) and self.disturbs():
            return self._ask_train(sure, wanted, turn, mind), ()
        name = f"r{datetime.fromtimestamp(now, UTC):%Y%m%d-%H%M%S}"
        run = self.jobs.start(wanted, name=name)
        text = mind.say(turn, "admin-train", run=run.name, data=", ".join(wanted.data))
        return Reply(text), (Watch(self.jobs.key(run)),)

    def progress(self, rest: str, turn: Turn, mind: Mind) -> Said:
        """Where the newest run or the examination stands; from here on this message tells it."""
        task = self._newest()
        if task is None:
            return Reply(mind.say(turn, "admin-progress-none")), ()
        if fold(rest) in CURVE:
            return self.curve(task, turn, mind), ()
        state, key = self.jobs.state(task), self.jobs.key(task)
        batch = task.config().batch if key == told(key) else 0
        text = admin_progress.standing(mind.texts, turn.language, key, state, batch)
        if task == self.jobs.working():
            return Reply(text), (Watch(key),)
        drawn = any("loss" in line for line in task.progress())
        curve = Choice(f"curve:{told(key)}", mind.say(turn, "label-curve"))
        return Reply(text, (curve,) if drawn else ()), ()

    def curve(self, run: RunFolder, turn: Turn, mind: Mind) -> Reply:
        """The losses of a run as a picture, or why there is none."""
        found = admin_curve.picture(run, shown=turn.pictures)
        if isinstance(found, str):
            return Reply(mind.say(turn, found))
        return Reply(mind.say(turn, "admin-curve", run=run.name), document=found)

    def ask_cancel(self, turn: Turn, mind: Mind) -> Reply:
        """Whether what is going on shall be stopped."""
        task = self.jobs.working()
        if task is None:
            return Reply(mind.say(turn, "admin-cancel-none"))
        name = told(self.jobs.key(task))
        figures = admin_progress.figures(self.jobs.state(task)) or "–"
        text = mind.say(turn, "admin-cancel-ask", run=name, figures=figures)
        return Reply(text, yes_no(turn, mind, f"cancel:{name}", "cancel"))

    def cancel(self, name: str, turn: Turn, mind: Mind) -> Reply:
        """Stop what is going on, if that is still the same. Raises RunRefused."""
        task = self.jobs.working()
        if task is None or told(self.jobs.key(task)) != name:
            raise RunRefused("idle", f"{name} is not running", name)
        self.jobs.stop(task)
        return Reply(mind.say(turn, "admin-cancel", run=name))

    def ask_resume(self, name: str, turn: Turn, mind: Mind) -> Said:
        """Go on with a run that was stopped or killed (no name: the newest), after a yes.

        Raises RunRefused.
        """
        run = self.jobs.find(name) if name else next(iter(self.jobs.all()), None)
        if run is None:
            return Reply(mind.say(turn, "admin-progress-none")), ()
        if not self.disturbs() or self.jobs.working() or run.state().phase == "done":
            return self.resume(run.name, turn, mind)
        text = mind.say(turn, "admin-resume-ask", run=run.name)
        return Reply(text, yes_no(turn, mind, f"resume:{run.name}", "resume")), ()

    def resume(self, name: str, turn: Turn, mind: Mind) -> Said:
        """Go on with a run. Raises RunRefused."""
        run = self.jobs.resume(name)
        return Reply(mind.say(turn, "admin-resume", run=name)), (Watch(self.jobs.key(run)),)

    def evaluate(self, name: str, turn: Turn, mind: Mind) -> Said:
        """Examine a release in a process of its own. Raises RunRefused."""
        task = self.jobs.examine(name)
        return Reply(mind.say(turn, "admin-evaluate", release=name)), (Watch(self.jobs.key(task)),)

    def follow(self) -> tuple[Effect, ...]:
        """That this conversation is told of what is going on, if anything is."""
        task = self.jobs.working()
        return (Watch(self.jobs.key(task)),) if task else ()

    def line(self, texts: Texts, language: str) -> str:
        """What `/status` says of a run that is going on."""
        task = self.jobs.working()
        if task is None:
            return ""
        state, name = self.jobs.state(task), told(self.jobs.key(task))
        phase = texts(f"admin-phase-{state.phase}", language)
        shown = admin_progress.figures(state) or "–"
        return texts("status-run", language, run=name, phase=phase, figures=shown)

    def data(self, turn: Turn, mind: Mind) -> str:
        """The card of the newest run's data."""
        run = self.jobs.active() or next(iter(self.jobs.all()), None)
        try:
            card = run.card() if run else {}
        except DataError:
            card = {}
        if not card:
            return mind.say(turn, "admin-data-none")
        dropped = ", ".join(f"{why} {count}" for why, count in card["dropped"].items())
        sources = ", ".join(f"{one['name']} ({one['rows']})" for one in card["sources"])
        return mind.say(
            turn,
            "admin-data",
            run=run.name if run else "",
            train=str(card["train"]),
            held=str(card["held_out"]),
            faulty=str(card["faulty"]),
            sources=sources,
            dropped=dropped or "0",
        )

    def _ask_train(self, words: list[str], wanted: TrainConfig, turn: Turn, mind: Mind) -> Reply:
        """The options travel in the button; what is too long for one is written again."""
        about = f"train:{' '.join(words)}"
        shown = {"data": ", ".join(wanted.data), "epochs": f"{wanted.epochs:g}"}
        if len(f"{about}:yes".encode()) <= turn.choice_room:
            text = mind.say(turn, "admin-train-ask", **shown)
            return Reply(text, yes_no(turn, mind, about, "train"))
        order = f"/train {' '.join(words)} {'now' if turn.language == 'en' else 'yanzu'}"
        return Reply(mind.say(turn, "admin-train-again", order=order, **shown))

    def _newest(self) -> RunFolder | None:
        return self.jobs.working() or next(iter(self.jobs.all()), None)


def yes_no(turn: Turn, mind: Mind, about: str, word: str) -> tuple[Choice, ...]:
    """The two buttons under a question before something that cannot be taken back lightly."""
    return (
        Choice(f"{about}:yes", mind.say(turn, "label-yes")),
        Choice(f"{word}:no", mind.say(turn, "label-no")),
    )


def options(rest: str) -> dict[str, Any]:
    """What follows /train as knobs: `epochs=1 lr=2e-4 data=starter,store`.

    Raises SettingsError naming what is not understood.
    """
    values: dict[str, Any] = {}
    for word in rest.split():
        name, equals, value = word.partition("=")
        knob = KNOBS.get(name.lower())
        if not equals or not value or knob is None:
            raise SettingsError(f"{word[:40]}: {', '.join(f'{one}=' for one in KNOBS)}")
        values[knob] = tuple(filter(None, value.split(","))) if knob == "data" else value
    return values
