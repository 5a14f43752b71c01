"""Runs as processes of their own: begun, looked at, stopped, taken up again.

A run outlives whoever began it, and its crash or lack of memory takes nobody down. Who is running
is told by a lock that the operating system drops with the process: no left-over file can lie.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Final

from pydantic import BaseModel

from core import logs
from core.errors import LafiyaError
from training.folder import ENDED, RunFolder, State

LOCK: Final = ".lock"
LOG: Final = "log.txt"
EVALUATION: Final = "evaluation"
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

    `entry` is the module that a run's process is started with, `examiner` the one that examines a
    release: each is given the folder that it works in, and `arguments`.
    """

    root: Path
    entry: str = "training.run"
    arguments: tuple[str, ...] = ()
    examiner: str = "cli.examiner"

    def start(self, wanted: BaseModel, *, name: str, anew: bool = False) -> RunFolder:
        """Begin a run in a process of its own; with `anew` in place of an older one of this name.

        Raises RunRefused when one is active, or when the name is taken.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        with self._reserved(name) as lock:
            if anew:
                shutil.rmtree(self.root / name, ignore_errors=True)
            try:
                run = RunFolder.create(self.root / name, wanted)
            except FileExistsError:
                raise RunRefused("taken", f"there is a run called {name} already", name) from None
            self._begin(self.entry, run, lock)
        return run

    def resume(self, name: str) -> RunFolder:
        """Go on from the last checkpoint. Raises RunRefused: active, done, or no such run."""
        run = self.find(name)
        if run.state().phase == "done":
            raise RunRefused("done", f"{name} is done", name)
        with self._reserved(name) as lock:
            run.forget_stop()
            run.update(phase="waiting", detail="")
            self._begin(self.entry, run, lock)
        return run

    def examine(self, name: str) -> RunFolder:
        """Examine a release in a process of its own; the folder that says how it goes.

        Raises RunRefused when a run or an examination is active.
        """
        folder = examination(self.root / name)
        folder.path.mkdir(parents=True, exist_ok=True)
        with self._reserved(self.key(folder)) as lock:
            folder.forget_stop()
            folder.write(State(at=time.time()))
            self._begin(self.examiner, folder, lock)
        return folder

    def cancel(self, name: str) -> None:
        """Stop within a step, keeping a checkpoint. Raises RunRefused when it is not active."""
        self.stop(self.find(name))

    def stop(self, task: RunFolder) -> None:
        """Stop a run or an examination soon. Raises RunRefused when it is not going on."""
        if self.state(task).phase in ENDED or not self._at_work(task):
            raise RunRefused("idle", f"{self.key(task)} is not running", told(self.key(task)))
        task.ask_to_stop()

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
        task = self.working()
        return task if task and (task.path / "config.json").exists() else None

    def working(self) -> RunFolder | None:
        """What is going on now: a run, or the examination of a release."""
        task = self.task(self._holder() or "")
        return task if task and task.state().phase not in ENDED else None

    def task(self, key: str) -> RunFolder | None:
        """A run or an examination by its key; None when this machine has none such."""
        task = RunFolder(self.root / key)
        return task if key and (task.path / "state.json").exists() else None

    def key(self, task: RunFolder) -> str:
        """What names a run or an examination among all of them: `r1`, `r1/evaluation`."""
        return task.path.relative_to(self.root).as_posix()

    def state(self, run: RunFolder) -> State:
        """Where a run stands; one that nobody works on any more was interrupted."""
        state = run.state()
        if state.phase in ENDED or self._at_work(run):
            return state
        # It may have ended between the two looks.
        state = run.state()
        if state.phase in ENDED:
            return state
        return replace(state, phase="interrupted", detail="stopped in the middle; it can go on")

    def _at_work(self, task: RunFolder) -> bool:
        """Whether a process works on it. Whoever has just taken the lock has not signed it yet."""
        return self._holder() in ("", self.key(task))

    def _holder(self) -> str | None:
        """The key that the lock's holder wrote into it; None when nobody holds it."""
        try:
            with self._lock() as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    return file.read().strip()
        except FileNotFoundError:
            pass
        return None

    @contextmanager
    def _reserved(self, key: str) -> Iterator[IO[str]]:
        """The lock, signed, to be handed to a process. Raises RunRefused when it is held."""
        with (self.root / LOCK).open("a") as file:
            until = time.monotonic() + LEAVING
            while not _taken(file):
                task = self.working()
                if task or time.monotonic() > until:
                    run = told(self.key(task)) if task else ""
                    raise RunRefused("busy", f"{run or 'a run'} is running", run)
                # A run that is done is just leaving.
                time.sleep(0.05)
            file.truncate(0)
            file.write(key)
            file.flush()
            yield file

    @contextmanager
    def _lock(self) -> Iterator[IO[str]]:
        with (self.root / LOCK).open() as file:
            yield file

    def _begin(self, module: str, task: RunFolder, lock: IO[str]) -> None:
        command = [sys.executable, "-m", module, str(task.path), *self.arguments]
        self._spawn(task.path / LOG, lock, command, self.key(task))

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


def examination(run: Path) -> RunFolder:
    """The folder of the examination of a run's release, or of a release that has no run here."""
    return RunFolder(run / EVALUATION)


def told(key: str) -> str:
    """The name of the run or release that a key is about."""
    return key.partition("/")[0]


def _taken(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
