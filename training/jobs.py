"""Runs as processes of their own: begun, looked at, stopped, taken up again.

A run outlives whoever began it, and its crash or lack of memory takes nobody down. Who is running
is told by a lock that the operating system drops with the process: no left-over file can lie.
"""

import fcntl
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Final

from core import logs
from core.errors import LafiyaError
from training.config import TrainConfig
from training.folder import ENDED, RunFolder, State

LOCK: Final = ".lock"
LOG: Final = "log.txt"
#: Seconds that a process may take to end after its run is done.
LEAVING: Final = 10.0


class RunRefused(LafiyaError):
    """A run cannot be begun or changed now. `code` is stable; `run` the one that is in the way."""

    def __init__(self, code: str, message: str, run: str = "") -> None:
        super().__init__(message)
        self.code, self.run = code, run


@dataclass(frozen=True, slots=True)
class Jobs:
    """All runs under one folder; one may be active at a time.

    `entry` is the module that a run's process is started with; it is given the run's folder and
    `arguments`. `examiner` is the one that examines: it is given `evaluate` and a release.
    """

    root: Path
    entry: str = "training.run"
    arguments: tuple[str, ...] = ()
    examiner: str = "cli"

    def start(self, wanted: TrainConfig, *, name: str) -> RunFolder:
        """Begin a run in a process of its own. Raises RunRefused when one is active."""
        self.root.mkdir(parents=True, exist_ok=True)
        with self._reserved() as lock:
            try:
                run = RunFolder.create(self.root / name, wanted)
            except FileExistsError:
                raise RunRefused("taken", f"there is a run called {name} already", name) from None
            self._begin(run, lock)
        return run

    def resume(self, name: str) -> RunFolder:
        """Go on from the last checkpoint. Raises RunRefused: active, done, or no such run."""
        run = self.find(name)
        if run.result() is not None:
            raise RunRefused("done", f"{name} is done", name)
        with self._reserved() as lock:
            run.forget_stop()
            run.update(phase="waiting", detail="")
            self._begin(run, lock)
        return run

    def examine(self, name: str) -> None:
        """Examine a release in a process of its own. Raises RunRefused when one is active."""
        self.root.mkdir(parents=True, exist_ok=True)
        with self._reserved() as lock:
            self._spawn(self.root / f"{name}.evaluation.txt", lock, self._examination(name), name)

    def cancel(self, name: str) -> None:
        """Stop within a step, keeping a checkpoint. Raises RunRefused when it is not active."""
        run = self.find(name)
        if self.state(run).phase in ENDED or not self._busy():
            raise RunRefused("idle", f"{name} is not running", name)
        run.ask_to_stop()

    def find(self, name: str) -> RunFolder:
        """A run by its name. Raises RunRefused."""
        run = RunFolder(self.root / name)
        if Path(name).name != name or not (run.path / "config.json").exists():
            raise RunRefused("unknown", f"there is no run called {name}", name)
        return run

    def all(self) -> list[RunFolder]:
        """Every run, the newest first."""
        found = [RunFolder(path.parent) for path in self.root.glob("*/config.json")]
        return sorted(found, key=lambda run: (run.path.stat().st_ctime, run.name), reverse=True)

    def active(self) -> RunFolder | None:
        """The run that is going on now."""
        if not self._busy():
            return None
        return next((run for run in self.all() if run.state().phase not in ENDED), None)

    def state(self, run: RunFolder) -> State:
        """Where a run stands; one that nobody works on any more was interrupted."""
        state = run.state()
        if state.phase in ENDED or self._busy():
            return state
        # It may have ended between the two looks.
        state = run.state()
        if state.phase in ENDED:
            return state
        return replace(state, phase="interrupted", detail="stopped in the middle; it can go on")

    def _busy(self) -> bool:
        try:
            with self._lock() as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except FileNotFoundError:
            return False
        return False

    @contextmanager
    def _reserved(self) -> Iterator[IO[str]]:
        """The lock, to be handed to the run's process. Raises RunRefused when it is held."""
        with (self.root / LOCK).open("a") as file:
            until = time.monotonic() + LEAVING
            while not _taken(file):
                active = self.active()
                if active or time.monotonic() > until:
                    run = active.name if active else ""
                    raise RunRefused("busy", f"{run or 'a run'} is running", run)
                # A run that is done is just leaving.
                time.sleep(0.05)
            yield file

    @contextmanager
    def _lock(self) -> Iterator[IO[str]]:
        with (self.root / LOCK).open() as file:
            yield file

    def _examination(self, name: str) -> list[str]:
        return [sys.executable, "-m", self.examiner, "evaluate", name]

    def _begin(self, run: RunFolder, lock: IO[str]) -> None:
        command = [sys.executable, "-m", self.entry, str(run.path), *self.arguments]
        self._spawn(run.path / LOG, lock, command, run.name)

    def _spawn(self, log: Path, lock: IO[str], command: list[str], name: str) -> None:
        """The child inherits the lock: it is free again when its last process ends."""
        with log.open("ab") as file:
            process = subprocess.Popen(  # noqa: S603 -- our own interpreter and our own module
                command,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=[lock.fileno()],
                env={**os.environ, "TOKENIZERS_PARALLELISM": "false"},
            )
        # Somebody must take its exit status, or it stays in the process table.
        threading.Thread(target=process.wait, name=f"run-{name}", daemon=True).start()
        logs.event("train.started", run=name, pid=process.pid)


def wait(run: RunFolder, jobs: Jobs, *, every: float = 0.5) -> Iterator[State]:
    """The states of a run as they change, the last one being its end (or its interruption)."""
    seen: State | None = None
    while True:
        state = jobs.state(run)
        if state != seen:
            yield state
        if state.phase in ENDED or state.phase == "interrupted":
            return
        seen = state
        time.sleep(every)


def _taken(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
