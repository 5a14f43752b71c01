"""What the store's tests begin from: messages taken in, jobs answered, parts queued."""

import threading
from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import text

from core.messages import Inbound, Reply
from storage import inbox, jobs, outbox, people, threads
from storage.inbox import Finding
from storage.jobs import Claimed
from storage.outbox import Parcel
from storage.people import Line
from storage.store import Store

NOW = 1_800_000_000.0
DAY = 86_400.0
LEASE = "this-process"
OTHER = "another-process"
#: What must never be found where it was erased or encrypted.
WORDS = "Yarona Sadauki yana amai"
NAME = "Hadizatu Gwarzo"
NUMBER = "+2348031234567"
SECRETS = ("Sadauki", "amai", "Hadizatu", "Gwarzo", "2348031234567")


def message(external_id: str = "1", sender: str = "77", **more: Any) -> Inbound:
    """One message; the same `external_id` is the same delivery."""
    fields = {"address": sender, "text": f"sakon {external_id}", **more}
    return Inbound("telegram", external_id, sender, **fields)


def private(external_id: str = "1", **more: Any) -> Inbound:
    """A message whose words, name and number are looked for afterwards."""
    fields = {"address": NUMBER, "text": WORDS, "name": NAME, **more}
    return Inbound("whatsapp", external_id, NUMBER, **fields)


def accept(store: Store, inbound: Inbound, *, urgent: bool = False, now: float = NOW) -> int | None:
    """Take a message in; its job's id."""
    return inbox.accept(store, inbound, Finding(urgent=urgent), now=now)


def claim(store: Store, *, now: float = NOW, lease: str = LEASE, **more: Any) -> Claimed | None:
    """Claim the next job for ten seconds."""
    return jobs.claim(store, lease=lease, now=now, lease_seconds=10, **more)


def finish(store: Store, job: Claimed, *, now: float = NOW) -> bool:
    """End a job in a transaction of its own."""
    with store.write() as connection:
        return jobs.finish(connection, job, now=now)


def queue(
    store: Store,
    conversation_id: int,
    *texts: str | Reply,
    urgent: bool = False,
    now: float = NOW,
    expires: float = NOW + DAY,
) -> int:
    """Store a reply and queue its parts; the message's id."""
    parts = [part if isinstance(part, Reply) else Reply(part) for part in texts]
    with store.write() as connection:
        line: Line = people.line(connection, conversation_id)
        made = threads.add_reply(
            connection, store, line, " ".join(p.text for p in parts), now=now, source="library"
        )
        outbox.enqueue(
            connection, store, line, made, parts, urgent=urgent, now=now, expires_at=expires
        )
    return made


def ready(
    store: Store, channel: str = "telegram", *, now: float = NOW, urgent_only: bool = False
) -> list[Parcel]:
    """The parts of a channel that may go."""
    return list(outbox.ready(store, channel, now=now, limit=32, urgent_only=urgent_only))


def start(store: Store, parcel: Parcel, *, lease: str = LEASE, now: float = NOW) -> bool:
    """Mark a part as being sent, for ten seconds."""
    return outbox.start(store, parcel, lease=lease, now=now, lease_seconds=10)


def send(
    store: Store, channel: str = "telegram", *, provider_id: str = "", now: float = NOW
) -> str:
    """Send the first part that may go; its text."""
    parcel = ready(store, channel, now=now)[0]
    assert start(store, parcel, now=now)
    outbox.settle(
        store, parcel.id, lease=LEASE, status="sent", now=now, provider_id=provider_id or None
    )
    return parcel.reply.text


def rows(store: Store, query: str, **values: Any) -> list[tuple[Any, ...]]:
    """What a query finds."""
    with store.read() as connection:
        return [tuple(row) for row in connection.execute(text(query), values)]


def one(store: Store, query: str, **values: Any) -> Any:
    """The only value that a query finds."""
    [[value]] = rows(store, query, **values)
    return value


TABLES = (
    "people",
    "consents",
    "conversations",
    "messages",
    "jobs",
    "outbox",
    "audit",
    "receipts",
    "early_reports",
    "drafts",
)


def everything(store: Store) -> str:
    """All rows of all tables as one text."""
    return "\n".join(repr(row) for table in TABLES for row in rows(store, f"SELECT * FROM {table}"))


def at_once(*steps: Callable[[], Any]) -> list[Any]:
    """Run the steps in threads that start together; what each returned, errors raised here."""
    gate = threading.Barrier(len(steps))
    results: list[Any] = [None] * len(steps)
    errors: list[BaseException] = []

    def run(number: int, step: Callable[[], Any]) -> None:
        try:
            gate.wait()
            results[number] = step()
        except BaseException as error:
            errors.append(error)

    runners = [threading.Thread(target=run, args=pair) for pair in enumerate(steps)]
    for runner in runners:
        runner.start()
    for runner in runners:
        runner.join(60)
        assert not runner.is_alive(), "a thread hangs"
    if errors:
        raise errors[0]
    return results


def times(count: int, step: Callable[[], Any]) -> Iterable[Callable[[], Any]]:
    """The same step, so many times."""
    return [step] * count
