"""The threads of a process: workers, senders, and one that keeps house. Decides nothing."""

import threading
import time
from collections.abc import Callable

from bot.bell import Bell
from core import logs
from core.errors import StoreError

#: How long an idle thread sleeps when nobody rings: other processes' work is found by looking.
IDLE = 0.25
AFTER_FAILURE = 1.0


class Runner:
    """Runs steps in threads until told to stop."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def run(self, name: str, step: Callable[[], bool], bell: Bell) -> None:
        """Call `step` for ever; while it says that it found nothing, wait for the bell."""

        def loop() -> None:
            while not self._stop.is_set():
                if not self._guarded(name, step):
                    bell.wait(IDLE)

        self._start(name, loop)

    def every(self, name: str, seconds: float, step: Callable[[], object]) -> None:
        """Call `step` every so many seconds."""

        def loop() -> None:
            while not self._stop.wait(seconds):
                self._guarded(name, lambda: bool(step()))

        self._start(name, loop)

    def stop(self, seconds: float = 10.0) -> None:
        """Let every thread finish what it is doing, for so long at most."""
        self._stop.set()
        until = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _start(self, name: str, loop: Callable[[], None]) -> None:
        thread = threading.Thread(target=loop, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _guarded(self, name: str, step: Callable[[], bool]) -> bool:
        """A failing step is logged and tried again: a thread of ours never ends by an error."""
        try:
            return step()
        except StoreError as error:
            logs.event("store.down", level=40, thread=name, why=str(error))
        except Exception as error:
            logs.crash("thread.failed", error, thread=name)
        self._stop.wait(AFTER_FAILURE)
        return False
