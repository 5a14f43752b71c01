"""What running processes serve, and what admins set for all of them from a chat.

Each process writes its own row; a row that is not renewed is of a process that is gone.
"""

from dataclasses import asdict, dataclass

from sqlalchemy import delete, insert, select, update

from storage import privacy
from storage.release_models import Instance, LivePointer, Tuning
from storage.releases import Pointer
from storage.store import Store


@dataclass(frozen=True, slots=True)
class Serving:
    """One process: its engine, the release that answers there, and what keeps it from more."""

    id: str
    engine: str
    release: str | None
    candidate: str | None
    ready: bool
    reason: str
    seen_at: float


@dataclass(frozen=True, slots=True)
class Wanted:
    """What every process should serve: the pointer and what admins set."""

    pointer: Pointer
    tuning: dict[str, str]


def wanted(store: Store) -> Wanted:
    """What this and every process should serve. Raises StoreError."""
    with store.read() as connection:
        row = connection.execute(select(LivePointer.counter, LivePointer.release)).first()
        rows = connection.execute(select(Tuning.key, Tuning.value))
        tuning = {key: value for key, value in rows}
    return Wanted(Pointer(row.counter, row.release) if row else Pointer(), tuning)


def tune(store: Store, key: str, value: str, *, actor: str, now: float) -> None:
    """Set one thing for all processes; the change is audited."""
    with store.write() as connection:
        changed = update(Tuning).where(Tuning.key == key).values(value=value)
        if not connection.execute(changed).rowcount:
            connection.execute(store.insert_once(Tuning).values(key=key, value=value))
        privacy.audit(connection, f"set.{key}", actor=actor, now=now, value=value)


def report(store: Store, serving: Serving) -> None:
    """Write or renew a process's own row."""
    values = asdict(serving)
    with store.write(patient=True) as connection:
        mine = update(Instance).where(Instance.id == serving.id).values(**values)
        if not connection.execute(mine).rowcount:
            connection.execute(insert(Instance).values(**values))


def seen(store: Store, *, since: float) -> list[Serving]:
    """The processes heard of since a time, by id."""
    table = Instance.__table__
    query = select(table).where(table.c.seen_at >= since).order_by(table.c.id)
    with store.read() as connection:
        return [Serving(**row._mapping) for row in connection.execute(query)]


def leave(store: Store, instance: str, *, before: float) -> None:
    """Remove a process's row as it ends, and those not heard of for long."""
    with store.write(patient=True) as connection:
        gone = (Instance.id == instance) | (Instance.seen_at < before)
        connection.execute(delete(Instance).where(gone))
