"""How many bare commits a second this machine makes: what every durable webhook has to pay for.

One row a transaction, as durable as the service's own: SQLite in WAL mode with synchronous=FULL,
PostgreSQL with its default fsync.
"""

import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

TABLE = "CREATE TABLE IF NOT EXISTS bare (id INTEGER PRIMARY KEY, body TEXT)"
BODY = "Ina da tambaya a kan lafiyar iyalina, lamba 771000001-1"


def sqlite_rate(seconds: float) -> float:
    """Commits a second by one writer (SQLite lets in one at a time)."""
    with tempfile.TemporaryDirectory(prefix="lafiya-bench-") as folder:
        connection = sqlite3.connect(Path(folder) / "bare.db", isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(TABLE)

        def commit() -> None:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO bare (body) VALUES (?)", (BODY,))
            connection.execute("COMMIT")

        rate = _rate(commit, seconds)
        connection.close()
        return rate


def postgres_rate(server: Any, seconds: float, writers: int = 8) -> float:
    """Commits a second by as many writers as the service has web threads."""
    url = server.get_uri("postgres")
    with psycopg.connect(url) as first:
        first.execute("CREATE TABLE IF NOT EXISTS bare (id SERIAL PRIMARY KEY, body TEXT)")
    rates: list[float] = []

    def write() -> None:
        with psycopg.connect(url) as connection:

            def commit() -> None:
                connection.execute("INSERT INTO bare (body) VALUES (%s)", (BODY,))
                connection.commit()

            rates.append(_rate(commit, seconds))

    threads = [threading.Thread(target=write) for _ in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(rates)


def _rate(commit: Callable[[], None], seconds: float) -> float:
    count, begun = 0, time.perf_counter()
    while time.perf_counter() - begun < seconds:
        commit()
        count += 1
    return count / (time.perf_counter() - begun)
