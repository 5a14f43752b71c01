"""Starts `lafiya` by forking a process that has loaded it already: that takes seconds.

What is born runs the command line as any other, in a process of its own with its own settings, and
dies of SIGKILL as any other. Knows nothing of the service. `Service` starts it anew without this.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Born:
    """One process, with what `subprocess.Popen` would offer."""

    pid: int

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it is gone."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def poll(self) -> int | None:
        """None while it lives; its exit code is not known."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return -1
        return None

    def wait(self) -> None:
        """Return when it is gone."""
        while self.poll() is None:
            time.sleep(0.005)


class Nursery:
    """The process that the others are forked from."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            (sys.executable, "-m", "tests.acceptance.nursery"),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def bear(self, words: list[str], environ: dict[str, str], log: Path) -> Born:
        """Start `lafiya` with these words and this environment."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps({"words": words, "environ": environ, "log": str(log)}) + "\n")
        stdin.flush()
        return Born(int(stdout.readline()))

    def close(self) -> None:
        """End the process; those that were born live on."""
        self._process.communicate(timeout=10)


def main() -> None:
    """Fork for each line of standard input, and say the number of the child."""
    from bot.parts import make_mind
    from bot.texts import Texts
    from cli.main import main as lafiya
    from core.settings import Settings
    from inference.engine import LibraryEngine

    # What is shipped is read once a process: here, for all that will be born.
    make_mind(Settings(), LibraryEngine(), Texts())
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead are buried at once
    for line in sys.stdin:
        child = os.fork()
        if not child:
            _live(lafiya, json.loads(line))
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()


def _live(lafiya: Any, order: dict[str, Any]) -> None:
    """The child's whole life."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDONLY)
    log = os.open(order["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for mine, its in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(mine, its)
    os.environ.clear()
    os.environ.update(order["environ"])
    sys.argv = ["lafiya", *order["words"]]
    try:
        lafiya()
    except SystemExit:
        pass
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


if __name__ == "__main__":
    main()
