"""Several servers as one: who is up, who holds which release, whose turn it is.

Knows servers and releases by name; no question. One thread looks after each server.
"""

import threading
import time
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from core import logs
from core.errors import ReleaseUnusable
from inference import openai_lora
from inference.engine import Release
from inference.openai_server import Server


class Fleet:
    """The servers. `wanted` are the releases that each of them should hold."""

    def __init__(self, servers: Sequence[Server], root: str, linger: float) -> None:
        """`root` is where the servers see the releases; a release that nobody wants any more stays
        for `linger` seconds, for other processes that have not heard of it yet."""
        self.servers = tuple(servers)
        self.wanted: dict[str, Release] = {}
        self._root = root
        self._linger = linger
        self._left: dict[str, float] = {}
        self._turn = 0
        self._lock = threading.Lock()
        self._closed = threading.Event()

    def start(self, every: float, patience: float) -> None:
        """Look after the servers every so many seconds; wait for the first look, if not long."""
        looked = threading.Semaphore(0)
        for server in self.servers:
            run = threading.Thread(
                target=self._look_after,
                args=(server, every, looked),
                name=f"lafiya-{server.label}",
                daemon=True,
            )
            run.start()
        until = time.monotonic() + patience
        for _ in self.servers:
            looked.acquire(timeout=max(0.0, until - time.monotonic()))

    @contextmanager
    def turn(self, release: str, tried: Collection[Server]) -> Iterator[Server | None]:
        """The server whose turn it is: with the fewest questions in hand, then in a circle."""
        with self._lock:
            server = self._pick(release, tried)
            if server:
                server.running[release] += 1
        try:
            yield server
        finally:
            if server:
                with self._lock:
                    server.running[release] -= 1

    def able(self, release: str) -> list[Server]:
        """The servers that are up and hold a release."""
        return [server for server in self.servers if server.up and server.can(release)]

    def running(self) -> int:
        """Questions in hand."""
        return sum(server.running.total() for server in self.servers)

    def hold(self, release: Release) -> None:
        """Put a release on every server that is up. Raises ReleaseUnusable when none takes it."""
        path = openai_lora.path_of(release, self._root)
        with self._lock:
            # Nobody wants it yet, and nobody may take it away for that.
            self._left.pop(release.name, None)
        with ThreadPoolExecutor(len(self.servers)) as pool:
            faults = list(pool.map(lambda server: _hold(server, release, path), self.servers))
        if all(faults):
            raise ReleaseUnusable("; ".join(dict.fromkeys(fault for fault in faults if fault)))

    def hold_on(self, server: Server, name: str) -> bool:
        """Put a wanted release on one server again, which has lost it."""
        release = self.wanted.get(name)
        if release is None:
            return False
        return server.try_hold(release, openai_lora.path_of(release, self._root)) is None

    def want(self, releases: Collection[Release]) -> None:
        """These and no others should be held from now on."""
        now = time.monotonic()
        with self._lock:
            wanted = {release.name: release for release in releases}
            self._left |= {name: now for name in self.wanted if name not in wanted}
            self.wanted = wanted

    def why_not(self, release: str) -> str:
        """The servers that cannot be asked for a release, each with its reason."""
        return "; ".join(
            f"{s.label} {_reason(s, release)}" for s in self.servers if not _ok(s, release)
        )

    def close(self) -> None:
        """Look after nobody any more."""
        self._closed.set()
        for server in self.servers:
            server.wire.close()

    def tend(self, server: Server) -> None:
        """Give a server what it should hold, and take what nobody asks for."""
        for name in list(self.wanted):
            if name not in server.held:
                self.hold_on(server, name)
        for name in list(server.held):
            # Not while somebody puts it there again, who would find it and see it vanish.
            with server.ordering:
                if self._is_left(server, name):
                    server.let_go(name)

    def _is_left(self, server: Server, name: str) -> bool:
        with self._lock:
            left = self._left.get(name)
            if left is None or name in self.wanted or server.running[name]:
                return False
            return time.monotonic() - left >= self._linger

    def _pick(self, release: str, tried: Collection[Server]) -> Server | None:
        able = [s for s in self.servers if s not in tried and s.can(release)]
        if not able:
            return None
        self._turn += 1
        count, turn = len(self.servers), self._turn
        order = {server: (n + turn) % count for n, server in enumerate(self.servers)}
        # One that nobody has looked at yet comes last.
        return min(able, key=lambda s: (s.up is None, s.running.total(), order[s]))

    def _look_after(self, server: Server, every: float, looked: threading.Semaphore) -> None:
        while not self._closed.is_set():
            try:
                server.look()
                looked.release()
                if server.up:
                    self.tend(server)
            except Exception as error:  # the next look may go better; without it nobody looks
                logs.crash("engine.look_failed", error, server=server.label)
            self._closed.wait(every)


def _hold(server: Server, release: Release, path: str) -> str | None:
    """Why a server cannot hold a release."""
    server.look()
    if not server.up:
        return f"{server.label} {server.reason}"
    server.faults.pop(release.name, None)
    return server.try_hold(release, path)


def _ok(server: Server, release: str) -> bool:
    return server.up is True and server.can(release)


def _reason(server: Server, release: str) -> str:
    if not server.up:
        return server.reason
    _, fault = server.faults.get(release, (0.0, ""))
    return fault or f"does not hold {release} yet"
