"""The queue of messages to be answered: claim, renew, finish, revive.

The database decides who runs what: a partial unique index keeps one ordinary job of a conversation
running, whatever the queries here see. Urgent jobs are outside that rule.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, bindparam, exists, func, select, update
from sqlalchemy.orm import aliased
from sqlalchemy.sql.dml import ReturningUpdate

from storage import people
from storage.models import DONE, QUEUED, RUNNING, Job
from storage.people import Line
from storage.store import Conflict, Store

#: Said beside any other status, so that the index of open jobs is used.
_OPEN = Job.status != DONE


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Claimed:
    """A job that this worker holds until its lease ends.

    `attempts` counts the claims: with the lease it tells this one from every other.
    """

    id: int
    conversation_id: int
    message_id: int
    urgent: bool
    attempts: int
    created_at: float
    lease: str


def claim(
    store: Store, *, lease: str, now: float, lease_seconds: float, urgent_only: bool = False
) -> Claimed | None:
    """Take the next job: urgent ones first, then in order, one ordinary a conversation at a time.

    None when there is nothing to do, or when another worker was a moment faster.
    """
    if store.is_sqlite and not _any(store, urgent_only, now):
        return None
    values = {"now": now, "lease": lease, "lease_until": now + lease_seconds}
    try:
        with store.at_once(patient=not urgent_only) as connection:
            row = connection.execute(_START[urgent_only], values).first()
            return Claimed(**row._mapping, lease=lease) if row else None
    except Conflict:
        # Two claims of one conversation could not see each other; the index refused the second.
        return None


def _any(store: Store, urgent_only: bool, now: float) -> bool:
    """Whether anything waits: a look costs less than the only writer's turn.

    On PostgreSQL a claim that finds nothing writes nothing, and is one round trip like the look.
    """
    with store.glance() as connection:
        return connection.scalar(_NEXT[urgent_only], {"now": now}) is not None


def renew(store: Store, lease: str, *, now: float, lease_seconds: float) -> None:
    """Say that the holder of this lease is alive and still at its job."""
    with store.at_once() as connection:
        connection.execute(
            update(Job)
            .where(_OPEN, Job.lease == lease, Job.status == RUNNING)
            .values(lease_until=now + lease_seconds)
        )


def finish(connection: Connection, job: Claimed, *, now: float) -> Line | None:
    """End the job inside the caller's transaction; None when the lease was lost to another.

    Call it first in the transaction: it holds the person, as accepting and erasing do, and says
    where the reply goes.
    """
    line = people.hold(connection, job.conversation_id)
    values = {"status": "done", "ended_at": now, "lease": None, "lease_until": None}
    done = connection.execute(_MINE, {**_claimed(job), **values}).rowcount == 1
    return line if done else None


def put_back(store: Store, job: Claimed, *, now: float, delay: float) -> None:
    """Queue the job again after a failure, to be tried in `delay` seconds."""
    values = {"status": "queued", "run_after": now + delay, "lease": None, "lease_until": None}
    with store.at_once() as connection:
        connection.execute(_MINE, {**_claimed(job), **values})


def revive(store: Store, *, now: float) -> int:
    """Queue the jobs of workers that died. How many there were."""
    late = (_OPEN, Job.status == RUNNING, Job.lease_until < now)
    with store.read() as connection:
        if not connection.scalar(select(func.count()).select_from(Job).where(*late)):
            return 0
    with store.write() as connection:
        done = connection.execute(
            update(Job)
            .where(*late)
            .values(status="queued", run_after=now, lease=None, lease_until=None)
        )
        return done.rowcount


def depth(connection: Connection) -> dict[str, int]:
    """How many jobs are queued and running."""
    rows = connection.execute(select(Job.status, func.count()).where(_OPEN).group_by(Job.status))
    return {"queued": 0, "running": 0, **{status: count for status, count in rows}}


def _claimed(job: Claimed) -> dict[str, Any]:
    return {"job": job.id, "held": job.lease, "claims": job.attempts}


#: A claim that its worker still holds.
_MINE = update(Job).where(
    Job.id == bindparam("job"),
    Job.status == RUNNING,
    Job.lease == bindparam("held"),
    Job.attempts == bindparam("claims"),
)


def _next(urgent_only: bool) -> Select[tuple[int]]:
    earlier = aliased(Job)
    blocked = exists().where(
        earlier.conversation_id == Job.conversation_id,
        earlier.status != DONE,
        earlier.urgent.is_(False),
        earlier.id < Job.id,
    )
    query = select(Job.id).where(_OPEN, Job.status == QUEUED, Job.run_after <= bindparam("now"))
    query = query.where(Job.urgent if urgent_only else Job.urgent | ~blocked)
    return query.order_by(Job.urgent.desc(), Job.id).limit(1)


#: Built once: idle workers ask four times a second.
_NEXT = {urgent_only: _next(urgent_only) for urgent_only in (False, True)}


def _start(urgent_only: bool) -> ReturningUpdate[Any]:
    free = _NEXT[urgent_only].with_for_update(skip_locked=True).scalar_subquery()
    return (
        update(Job)
        # The status is asked again: on PostgreSQL the row may change before it is locked.
        .where(Job.id == free, Job.status == QUEUED)
        .values(
            status="running",
            lease=bindparam("lease"),
            lease_until=bindparam("lease_until"),
            attempts=Job.attempts + 1,
        )
        .returning(
            Job.id, Job.conversation_id, Job.message_id, Job.urgent, Job.attempts, Job.created_at
        )
    )


_START = {urgent_only: _start(urgent_only) for urgent_only in (False, True)}
