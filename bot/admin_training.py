"""The admins' orders about training: /train, /progress, /cancel, /evaluate, /data.

Training and examination run in processes of their own (`training.jobs`); here they are begun, asked
how they stand, and stopped. Knows no model. Who may order is decided in `bot.admin`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.mind import Mind
from core.errors import SettingsError
from core.messages import Turn
from training.config import config
from training.folder import RunFolder, State
from training.jobs import Jobs
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
BAR = 12


@dataclass(frozen=True, slots=True)
class Training:
    """Carries out the orders. `model` is the base model that runs are made for."""

    jobs: Jobs
    model: str

    def train(self, rest: str, turn: Turn, mind: Mind, *, now: float) -> str:
        """Begin a run; its name. Raises RunRefused when one is active."""
        try:
            wanted = config({"model": self.model, **options(rest)})
        except SettingsError as error:
            return mind.say(turn, "admin-usage-train", reason=str(error))
        name = f"r{datetime.fromtimestamp(now, UTC):%Y%m%d-%H%M%S}"
        run = self.jobs.start(wanted, name=name)
        return mind.say(turn, "admin-train", run=run.name, data=", ".join(wanted.data))

    def progress(self, turn: Turn, mind: Mind) -> str:
        """Where the newest run stands."""
        run = self._newest()
        if run is None:
            return mind.say(turn, "admin-progress-none")
        state = self.jobs.state(run)
        phase = mind.say(turn, f"admin-phase-{state.phase}")
        lines = [f"{run.name}: {phase}", bar(state.share), figures(state), state.detail]
        return "\n".join(line for line in lines if line)

    def cancel(self, turn: Turn, mind: Mind) -> str:
        """Stop the active run within a step. Raises RunRefused."""
        run = self.jobs.active()
        if run is None:
            return mind.say(turn, "admin-progress-none")
        self.jobs.cancel(run.name)
        return mind.say(turn, "admin-cancel", run=run.name)

    def resume(self, turn: Turn, mind: Mind) -> str:
        """Go on with the newest run that was stopped or killed. Raises RunRefused."""
        run = self._newest()
        if run is None:
            return mind.say(turn, "admin-progress-none")
        self.jobs.resume(run.name)
        return mind.say(turn, "admin-resume", run=run.name)

    def evaluate(self, name: str, turn: Turn, mind: Mind) -> str:
        """Examine a release in a process of its own. Raises RunRefused."""
        self.jobs.examine(name)
        return mind.say(turn, "admin-evaluate", release=name)

    def data(self, turn: Turn, mind: Mind) -> str:
        """The card of the newest run's data."""
        run = self._newest()
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

    def _newest(self) -> RunFolder | None:
        return self.jobs.active() or next(iter(self.jobs.all()), None)


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


def bar(share: float) -> str:
    """A bar of blocks and its percentage."""
    done = round(BAR * min(1.0, max(0.0, share)))
    return f"{'▓' * done}{'░' * (BAR - done)} {100 * share:.0f} %"


def figures(state: State) -> str:
    """The figures of a run in one line; letters that need no language."""
    minutes = f"ETA {state.eta / 60:.0f} min" if state.eta else ""
    parts = (
        f"{state.step}/{state.steps}" if state.steps else "",
        f"loss {state.loss:.3f}" if state.loss is not None else "",
        f"held-out {state.held_out_loss:.3f}" if state.held_out_loss is not None else "",
        minutes if state.phase == "training" else "",
    )
    return " · ".join(part for part in parts if part)
