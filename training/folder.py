"""What a training run leaves on disk, so that a crash, a reboot and another process can read it.

    config.json   the run's settings            data/        train.jsonl, held_out.jsonl, card.*
    state.json    where it stands, replaced     progress.jsonl   one line a logging step
    checkpoints/  what resume begins from       adapter/     the trained adapter (PEFT)
    result.json   written last: no result, no finished run
    cancel        a request to stop, made by anybody
    fit.json      how a step is cut, once memory was too short for what was asked

Knows files only: nothing of models, processes or the database.
"""

import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel

from core.errors import LafiyaError
from training.config import TrainConfig, config
from training.rows import DataError

Phase = Literal[
    "waiting",
    "preparing",
    "loading",
    "training",
    "grading",
    "saving",
    "trained",
    "evaluating",
    "done",
    "cancelled",
    "failed",
    "interrupted",
]
#: Phases after which nobody works on a run any more.
ENDED: Final = frozenset({"done", "cancelled", "failed"})
#: Phases in which questions are asked: none is learnt from.
ASKING: Final = frozenset({"grading", "evaluating"})


class Stopped(LafiyaError):
    """Somebody asked for it, and it was stopped: what a process raises that works on a folder."""


@dataclass(frozen=True, slots=True)
class State:
    """Where a run stands. Seconds, tokens a second and bytes; `detail` is for the operator."""

    phase: Phase = "waiting"
    step: int = 0
    steps: int = 0
    loss: float | None = None
    held_out_loss: float | None = None
    base_loss: float | None = None
    best_loss: float | None = None
    eta: float | None = None
    speed: float | None = None
    memory: int | None = None
    batch: int = 0
    pid: int = 0
    at: float = 0.0
    #: Of an examination or a grading: how many questions were asked by now, of how many.
    asked: int = 0
    questions: int = 0
    detail: str = ""

    @property
    def count(self) -> tuple[int, int]:
        """How far it is, and of how many: questions while they are asked, else steps."""
        asking = self.phase in ASKING and self.questions
        return (self.asked, self.questions) if asking else (self.step, self.steps)

    @property
    def share(self) -> float:
        """How much of what is going on is done, from 0 to 1."""
        done, of = self.count
        return 1.0 if self.phase == "done" else done / of if of else 0.0


@dataclass(frozen=True, slots=True)
class RunFolder:
    """One run's folder."""

    path: Path

    @classmethod
    def create(cls, path: Path, wanted: BaseModel) -> "RunFolder":
        """A new folder with its settings. Raises FileExistsError when there is one already."""
        path.mkdir(parents=True)
        (path / "config.json").write_text(wanted.model_dump_json(indent=2) + "\n", "utf-8")
        run = cls(path)
        run.write(State(at=time.time()))
        return run

    @property
    def name(self) -> str:
        """What people call the run."""
        return self.path.name

    @property
    def data(self) -> Path:
        """The folder of the prepared conversations."""
        return self.path / "data"

    @property
    def checkpoints(self) -> Path:
        """The folder that resume begins from."""
        return self.path / "checkpoints"

    @property
    def adapter(self) -> Path:
        """The folder of the trained adapter."""
        return self.path / "adapter"

    def config(self) -> TrainConfig:
        """The run's settings. Raises SettingsError, or DataError when this is no run."""
        return config(self._json("config.json"))

    def state(self) -> State:
        """Where the run stands."""
        known = {field.name for field in fields(State)}
        raw = self._json("state.json")
        return State(**{name: value for name, value in raw.items() if name in known})

    def write(self, state: State) -> None:
        """Replace the state in one move: a reader never sees half of it."""
        replaced(self.path / "state.json", asdict(state), durable=False)

    def update(self, **changes: Any) -> State:
        """Change some of the state."""
        state = replace(self.state(), at=time.time(), **changes)
        self.write(state)
        return state

    def log(self, line: dict[str, Any]) -> None:
        """Append one line to the progress."""
        with (self.path / "progress.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")

    def progress(self) -> Iterator[dict[str, Any]]:
        """The logged lines, oldest first; of steps done twice (a resume) the later one."""
        path = self.path / "progress.jsonl"
        if not path.exists():
            return
        steps: dict[tuple[int, bool], dict[str, Any]] = {}
        for raw in path.read_text("utf-8").splitlines():
            try:
                line = json.loads(raw)
            except ValueError:
                continue  # the last line of a killed run
            key = (int(line.get("step", 0)), "held_out_loss" in line)
            steps.pop(key, None)
            steps[key] = line
        yield from (steps[key] for key in sorted(steps))

    def finish(self, result: dict[str, Any]) -> None:
        """Write the result, last of all."""
        replaced(self.path / "result.json", result)

    def result(self) -> dict[str, Any] | None:
        """The result of a finished run."""
        return self._json("result.json") if (self.path / "result.json").exists() else None

    def card(self) -> dict[str, Any]:
        """The card of the prepared data."""
        return self._json("data/card.json")

    def fit(self) -> dict[str, Any] | None:
        """How a step must be cut to fit into the memory, where that was found out."""
        return self._json("fit.json") if (self.path / "fit.json").exists() else None

    def keep_fit(self, fit: dict[str, Any]) -> None:
        """Note it, for all processes of the run and for the next start."""
        replaced(self.path / "fit.json", fit)

    def ask_to_stop(self) -> None:
        """Whoever runs it stops within a step and keeps a checkpoint."""
        (self.path / "cancel").touch()

    def asked_to_stop(self) -> bool:
        """Whether somebody wants the run to stop."""
        return (self.path / "cancel").exists()

    def forget_stop(self) -> None:
        """The run goes on."""
        (self.path / "cancel").unlink(missing_ok=True)

    def _json(self, name: str) -> dict[str, Any]:
        try:
            value = json.loads((self.path / name).read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise DataError(
                f"{self.path / name}: cannot be read ({type(error).__name__})"
            ) from None
        if not isinstance(value, dict):
            raise DataError(f"{self.path / name}: not what a run writes")
        return value


class Follower(RunFolder):
    """The folder as the other processes of a run have it: they read, the first one writes."""

    def write(self, state: State) -> None:
        """Left to the first process."""

    def log(self, line: dict[str, Any]) -> None:
        """Left to the first process."""

    def finish(self, result: dict[str, Any]) -> None:
        """Left to the first process."""


def replaced(path: Path, value: dict[str, Any], *, durable: bool = True) -> None:
    """Write JSON beside a file, then move it over the file; `durable`: on the disk before that."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with beside.open("w", encoding="utf-8") as file:
        file.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")
        file.flush()
        if durable:
            os.fsync(file.fileno())
    beside.replace(path)
