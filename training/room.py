"""Who has the memory of this machine's GPU: the engines that answer, or a run that needs it whole.

Told by locks that the operating system drops with a process, so that a crash of either side gives
the room back by itself. Engines share one lock while their model is loaded; a run takes another to
say that it wants the room, and has it when it gets the engines' lock for itself. Knows no model.
"""

import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Final, Literal

from core.errors import LafiyaError

WANTED: Final = ".gpu.wanted"
INSIDE: Final = ".gpu.inside"
#: Seconds that a run waits for the engines to step aside: an answer in the making may take sixty.
PATIENCE: Final = 120.0
EVERY: Final = 0.2
#: Names the process that has the room, for what it becomes by exec.
_HAS: Final = "LAFIYA_HAS_ROOM"

Share = Literal["auto", "yes", "no"]


class NoRoom(LafiyaError):
    """The engines did not step aside in time."""


def needed(share: Share, need: Callable[[], int], free: Callable[[], int | None]) -> bool:
    """Whether the engines must step aside for a run.

    `share` is the setting SHARE_GPU; `need` estimates the run's bytes and `free` tells the free
    bytes of the GPU, None where there is none: on a processor both fit into memory as a rule, and
    `no` is there for where they do not. Both are asked only when it matters.
    """
    if share != "auto":
        return share == "no"
    bytes_free = free()
    return bytes_free is not None and need() > bytes_free


class Tenant:
    """An engine's side. One for each process that answers."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._file: IO[str] | None = None

    def wanted(self) -> str:
        """The name of the run that wants the room; empty when none does."""
        try:
            with (self._root / WANTED).open() as file:
                if not _taken(file, fcntl.LOCK_SH):
                    return file.read(200).strip() or "a run"
        except FileNotFoundError:
            pass
        return ""

    def enter(self) -> bool:
        """Be inside; False while a run has or wants the room."""
        if self._file is None and not self.wanted():
            self._root.mkdir(parents=True, exist_ok=True)
            file = (self._root / INSIDE).open("a")
            if not _taken(file, fcntl.LOCK_SH):
                file.close()
                return False
            self._file = file
        return self._file is not None

    def leave(self) -> None:
        """Let the run in."""
        if self._file is not None:
            self._file.close()
            self._file = None


def claim(
    root: Path,
    name: str,
    *,
    patience: float = PATIENCE,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Have the room until this process ends, whatever it becomes by exec. Raises NoRoom.

    `name` is what the engines say it was lent to.
    """
    if os.environ.get(_HAS) == str(os.getpid()):
        return  # as what it was before it became this
    root.mkdir(parents=True, exist_ok=True)
    until = clock() + patience
    said = (root / WANTED).open("a+")
    inside = (root / INSIDE).open("a")
    try:
        for file in (said, inside):
            while not _taken(file, fcntl.LOCK_EX):
                if clock() > until:
                    raise NoRoom(
                        f"the engine did not step aside within {patience:.0f} seconds; "
                        "SHARE_GPU=yes trains beside it"
                    )
                sleep(EVERY)
            if file is said:
                file.truncate(0)
                file.write(name)
                file.flush()
    except BaseException:
        said.close()
        inside.close()
        raise
    for file in (said, inside):
        # Never closed: the locks end with the process, and outlive what it becomes by exec.
        os.set_inheritable(file.fileno(), True)
        _KEPT.append(file)
    os.environ[_HAS] = str(os.getpid())


_KEPT: list[IO[str]] = []


def _taken(file: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
