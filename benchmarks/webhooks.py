"""Webhook to 200: how many a second, and how long one takes, against the machine's bare commits.

`python -m benchmarks.webhooks [--quick]`.
"""

from typing import Any

from benchmarks import commits
from benchmarks.report import run_part, table
from benchmarks.targets import (
    Target,
    lafiya,
    load,
    postgres_server,
    postgres_url,
    sqlite_url,
    tutorial,
)

RATE = 100.0
CLOSED = ("target", "per_second", "p50_ms", "p99_ms", "errors", "of_commits", "of_tutorial")
OPEN = ("target", "count", "errors", "p50_ms", "p99_ms", "max_ms", "client_lag_p99_ms")
#: A model that answers within a second is a fast one; tutorials call it inside the webhook.
SLOW_MODEL = "1"


def measure(scale: float = 1.0) -> dict[str, Any]:
    """Everything this file measures; `scale` shortens it."""
    found: dict[str, Any] = {"closed": [], "open": [], "commits": {}}
    with postgres_server() as server, sqlite_url() as file:
        seconds = max(0.5, 3 * scale)
        found["commits"] = {
            "sqlite": round(commits.sqlite_rate(seconds), 1),
            "postgres": round(commits.postgres_rate(server, seconds), 1),
        }
        with lafiya("lafiya web, SQLite", file, "web") as target:
            _closed(found, target, scale, "sqlite")
        with postgres_url(server) as url, lafiya("lafiya web, PostgreSQL", url, "web") as target:
            _closed(found, target, scale, "postgres")
        with sqlite_url() as fresh, lafiya("lafiya serve, SQLite", fresh, "serve") as target:
            _closed(found, target, scale, "sqlite")
        with sqlite_url() as fresh, lafiya("lafiya serve, SQLite", fresh, "serve") as target:
            _open(found, target, scale)
        apart = ("web", "worker", "worker")
        with postgres_url(server) as url, lafiya("lafiya web + 2 worker", url, *apart) as target:
            _open(found, target, scale)
    for name, delay in (("tutorial bot", "0"), ("tutorial bot, 1 s model", SLOW_MODEL)):
        with tutorial(name, ECHO_DELAY=delay) as target:
            _closed(found, target, scale if delay == "0" else scale / 6, "")
            _open(found, target, scale)
    with (
        sqlite_url() as fresh,
        lafiya("lafiya serve, SQLite, 1 s model", fresh, "serve", ECHO_DELAY=SLOW_MODEL) as target,
    ):
        _open(found, target, scale)
    _ratios(found)
    return found


def _closed(found: dict[str, Any], target: Target, scale: float, database: str) -> None:
    count = max(40, int(900 * scale) // 2 * 2)
    seen = load(target, count, offset=1000)
    found["closed"].append({"target": target.name, "database": database, **seen})


def _open(found: dict[str, Any], target: Target, scale: float) -> None:
    load(target, 40, offset=500_000)  # the first requests open connections and fill caches
    count = max(100, int(1000 * scale))
    seen = load(target, count, rate=RATE, offset=100_000)
    found["open"].append({"target": target.name, "rate": RATE, **seen})


def _ratios(found: dict[str, Any]) -> None:
    """Of the bare commits, and of the tutorial bot, from the same run."""
    base = next(row["per_second"] for row in found["closed"] if row["target"] == "tutorial bot")
    for row in found["closed"]:
        rate = found["commits"].get(row["database"])
        row["of_commits"] = round(row["per_second"] / rate, 3) if rate else None
        row["of_tutorial"] = round(row["per_second"] / base, 2) if base else None


def show(found: dict[str, Any]) -> str:
    """The tables as Markdown."""
    bare = ", ".join(f"{name} {rate:g}" for name, rate in found["commits"].items())
    return "\n\n".join(
        [
            f"Bare commits a second in this run: {bare}.",
            "Closed loop, 8 connections:",
            table(CLOSED, found["closed"]),
            f"Open loop, {RATE:g} deliveries a second, while workers answer; "
            "times count from when a delivery was due:",
            table(OPEN, found["open"]),
        ]
    )


if __name__ == "__main__":
    run_part(__doc__, measure, show)
