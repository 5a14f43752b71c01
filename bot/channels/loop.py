"""One asyncio loop on a thread of its own, for a client library that knows nothing else.

Everything that touches the library runs in here; the rest of the house only waits for results.
"""

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


class LoopStopped(RuntimeError):
    """The loop was stopped: nothing was started."""


class LoopThread:
    """Starts its thread at the first call, so that making one costs nothing."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stopped = False
        self._ours: set[asyncio.Task[Any]] = set()

    def spawn(self, make: Callable[[], Coroutine[Any, Any, T]]) -> "Future[T]":
        """Start a coroutine in the loop. Raises LoopStopped after `stop`."""
        with self._lock:
            if self._stopped:
                raise LoopStopped
            return asyncio.run_coroutine_threadsafe(self._noted(make), self._running())

    def stop(self, finish: Callable[[], Awaitable[None]], timeout: float) -> None:
        """Cancel what runs, await `finish` in the loop, and end the thread."""
        with self._lock:
            self._stopped = True
            loop, thread = self._loop, self._thread
        if loop is None or thread is None or not thread.is_alive():
            return
        asyncio.run_coroutine_threadsafe(self._end(finish), loop)
        thread.join(timeout)

    async def _noted(self, make: Callable[[], Coroutine[Any, Any, T]]) -> T:
        task = asyncio.current_task()
        if task is None:
            raise LoopStopped
        self._ours.add(task)
        try:
            return await make()
        finally:
            self._ours.discard(task)

    def _running(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()
        return self._loop

    def _run(self) -> None:
        loop = self._loop
        if loop is None:
            return
        asyncio.set_event_loop(loop)
        try:
            loop.run_forever()
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.run_until_complete(loop.shutdown_default_executor())
        finally:
            loop.close()

    async def _end(self, finish: Callable[[], Awaitable[None]]) -> None:
        # Only our own tasks: a library's inner ones end with them, and warn when cancelled alone.
        ours = list(self._ours)
        for task in ours:
            task.cancel()
        await asyncio.gather(*ours, return_exceptions=True)
        with contextlib.suppress(Exception):  # closing a connection that is already gone
            await finish()
        asyncio.get_running_loop().stop()
