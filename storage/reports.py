"""Counts for `/status`, the readiness page and the metrics: never a person, never a word."""

from dataclasses import dataclass

from sqlalchemy import func, select

from storage import jobs, outbox
from storage.models import DONE, Job, Message, Person
from storage.store import Store


@dataclass(frozen=True, slots=True)
class Load:
    """How much there is to do and what became of the last hour."""

    people: int
    queued: int
    running: int
    oldest_wait: float
    received: int
    sources: dict[str, int]
    parts: dict[str, int]


def load(store: Store, *, now: float, window: float = 3600.0) -> Load:
    """The state of the queues and the last `window` seconds."""
    since = now - window
    with store.read() as connection:
        depth = jobs.depth(connection)
        oldest = connection.scalar(select(func.min(Job.created_at)).where(Job.status != DONE))
        received = connection.scalar(
            select(func.count())
            .select_from(Message)
            .where(Message.direction == "in", Message.created_at >= since)
        )
        sources = connection.execute(
            select(Message.source, func.count())
            .where(Message.direction == "out", Message.kind == "text")
            .where(Message.created_at >= since)
            .group_by(Message.source)
        )
        return Load(
            people=connection.scalar(select(func.count()).select_from(Person)) or 0,
            queued=depth["queued"],
            running=depth["running"],
            oldest_wait=now - oldest if oldest else 0.0,
            received=received or 0,
            sources={source or "other": count for source, count in sources},
            parts=outbox.counts(connection, since=since),
        )
