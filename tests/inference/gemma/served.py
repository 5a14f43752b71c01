"""Starts a real model server for a test, and waits until it answers."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx


@dataclass
class Served:
    """A server that runs: its address, and its process for those who want to hurt it."""

    url: str
    process: subprocess.Popen[bytes]

    def freeze(self) -> None:
        """It goes on listening, and does nothing."""
        os.killpg(self.process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on."""
        os.killpg(self.process.pid, signal.SIGCONT)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


@contextmanager
def serving(
    command: Sequence[str],
    port: int,
    folder: Path,
    seconds: float,
    env: Mapping[str, str],
    ready: str = "/health",
) -> Iterator[Served]:
    """Run a server until the block ends; its output is in `server.log` of the folder."""
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            command,
            stdout=log,
            stderr=log,
            cwd=folder,
            env={**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", **env},
            start_new_session=True,
        )
    served = Served(f"http://127.0.0.1:{port}", process)
    try:
        _wait(served, f"{served.url}{ready}", seconds, folder / "server.log")
        yield served
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)


def _wait(served: Served, address: str, seconds: float, log: Path) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if served.process.poll() is not None:
            break
        try:
            if httpx.get(address, timeout=2).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.3)
    raise AssertionError(f"it did not start:\n{log.read_text(errors='replace')[-3000:]}")
