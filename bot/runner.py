"""The threads of a process: workers, senders, and one that keeps house. Decides nothing."""

import threading
import time
from collections.abc import Callable

from bot.bell import Bell
from core import logs
from core.errors import StoreError

#: Nobody rings for what other processes queued, or for what was to wait a while: one thread of a
#: pool looks this often, the others (for when that one is busy) now and then.
LOOK_EVERY = 0.25
LOOK_SELDOM = 2.0
AFTER_FAILURE = 1.0


class Runner:
    """Runs steps in threads until told to stop."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._pools: list[tuple[Bell, int]] = []

    def run(self, name: str, count: int, step: Callable[[], bool], bell: Bell) -> None:
        """Call `step` for ever in `count` threads; while it finds nothing, wait for the bell."""
        self._pools.append((bell, count))
        self._start(f"{name}-0", lambda: self._look(name, count, step, bell))
        for number in range(1, count):
            self._start(f"{name}-{number}", lambda: self._listen(name, step, bell))

    def _look(self, name: str, count: int, step: Callable[[], bool], bell: Bell) -> None:
        rang = False
        while not self._stop.is_set():
            found = self._guarded(name, step)
            if found and not rang:
                # Found by looking: there may be more than one thread can do.
                _ring(bell, count - 1)
            rang = found or bell.wait(LOOK_EVERY)

    def _listen(self, name: str, step: Callable[[], bool], bell: Bell) -> None:
        while not self._stop.is_set():
            if not self._guarded(name, step):
                bell.wait(LOOK_SELDOM)

    def every(self, name: str, seconds: float, step: Callable[[], object]) -> None:
        """Call `step` every so many seconds."""

        def loop() -> None:
            while not self._stop.wait(seconds):
                self._guarded(name, lambda: bool(step()))

        self._start(name, loop)

    def stop(self, seconds: float = 10.0) -> None:
        """Let every thread finish what it is doing, for so long at most."""
        self._stop.set()
        for bell, count in self._pools:
            _ring(bell, count)
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


def _ring(bell: Bell, times: int) -> None:
    for _ in range(times):
        bell.ring()
