"""Message in, reply out: how many a second reach the providers, and after how long.

`python -m benchmarks.replies [--quick]`. The service keeps the providers' limits (Telegram 30 a
second, WhatsApp 80), the tutorial bot does not know of them.
"""

from typing import Any

from benchmarks.report import run_part, table
from benchmarks.targets import Target, lafiya, load, postgres_server, postgres_url, sqlite_url
from benchmarks.targets import tutorial as tutorial_bot

COLUMNS = (
    "target",
    "count",
    "replies",
    "replies_per_second",
    "reply_p50_ms",
    "reply_p99_ms",
    "p99_ms",
    "of_tutorial",
)


def measure(scale: float = 1.0) -> dict[str, Any]:
    """Everything this file measures; `scale` shortens it."""
    rows: list[dict[str, Any]] = []
    with postgres_server() as server:
        with sqlite_url() as url, lafiya("lafiya serve, SQLite", url, "serve") as target:
            _run(rows, target, scale)
        with postgres_url(server) as url, lafiya("lafiya serve, PostgreSQL", url, "serve") as one:
            _run(rows, one, scale)
        apart = ("web", "worker", "worker")
        with postgres_url(server) as url, lafiya("lafiya web + 2 worker", url, *apart) as many:
            _run(rows, many, scale)
    with tutorial_bot("tutorial bot") as bot:
        _run(rows, bot, scale)
    base = rows[-1]["replies_per_second"]
    for row in rows:
        row["of_tutorial"] = round(row["replies_per_second"] / base, 2) if base else None
    return {"replies": rows}


def _run(rows: list[dict[str, Any]], target: Target, scale: float) -> None:
    load(target, 8, offset=500_000, patience=10)
    count = max(40, int(500 * scale) // 2 * 2)
    seen = load(target, count, offset=1000, per_chat=1, patience=60)
    rows.append({"target": target.name, **seen})


def show(found: dict[str, Any]) -> str:
    """The table as Markdown."""
    return "One message a chat, 8 connections, echo engine:\n\n" + table(COLUMNS, found["replies"])


if __name__ == "__main__":
    run_part(__doc__, measure, show)
