"""Who is told how a run goes on: which conversation, by which message, and what was told last.

A row is claimed before a message is edited, so that of several processes one edits. Knows no run
and no channel: what is told, and when, is `bot.progress`'s.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, Select, bindparam, delete, insert, or_, select, tuple_, update
from sqlalchemy.orm import aliased

from storage.models import Conversation, Message, Outbox, Person, Receipt
from storage.models import Watch as Row
from storage.store import Store

OPEN: Final = "open"
ENDED: Final = "ended"
DONE: Final = "done"


@dataclass(frozen=True, slots=True)
class Watch:
    """One conversation that follows a run.

    `sent` is the provider's id of the message to be edited: None until it was handed over.
    """

    message_id: int
    run: str
    status: str
    told: str
    told_at: float
    not_before: float
    lease_until: float | None
    conversation_id: int
    channel: str
    address: str = field(repr=False)
    language: str
    stopped: bool
    last_in_at: float
    sent: str | None


def add(
    connection: Connection, message_id: int, conversation_id: int, run: str, *, now: float
) -> None:
    """Follow a run from the reply to a message on; an earlier message of the talk about it rests.

    Inside the transaction of that reply, whose row makes the edits possible.
    """
    mine = select(Message.id).where(Message.conversation_id == conversation_id)
    connection.execute(delete(Row).where(Row.run == run, Row.message_id.in_(mine)))
    fixed = {"status": OPEN, "told": "", "not_before": 0.0}
    connection.execute(insert(Row).values(message_id=message_id, run=run, told_at=now, **fixed))


def following(store: Store) -> list[Watch]:
    """Every conversation that still follows a run. Raises StoreError, WrongDataKey."""
    with store.glance() as connection:
        rows = connection.execute(_FOLLOWING, {"done": DONE}).all()
    return [_watch(store, row) for row in rows]


def claim(store: Store, watch: Watch, *, lease: str, now: float, seconds: float) -> bool:
    """The right to tell, for so long; False when another process has it, or has told since."""
    free = or_(Row.lease_until.is_(None), Row.lease_until < now)
    query = _mine(watch).where(Row.told_at == watch.told_at, Row.told == watch.told, free)
    with store.write(patient=True) as connection:
        values = {"lease": lease, "lease_until": now + seconds}
        return connection.execute(query.values(values)).rowcount == 1


def settle(store: Store, watch: Watch, *, lease: str, **values: Any) -> None:
    """Give a claim back with what became of it (told, told_at, not_before, status)."""
    held = _mine(watch).where(Row.lease == lease)
    with store.write(patient=True) as connection:
        connection.execute(held.values(lease=None, lease_until=None, **values))


def step(connection: Connection, watch: Watch, **values: Any) -> bool:
    """Note, in the transaction of a reply, that it was told; False when somebody has meanwhile.

    Whoever edits right now loses its claim: what it shows is old.
    """
    seen = _mine(watch).where(Row.told == watch.told)
    free = {"lease": None, "lease_until": None}
    return connection.execute(seen.values(**free, **values)).rowcount == 1


def close(store: Store, watch: Watch) -> None:
    """Nothing more is told."""
    with store.write(patient=True) as connection:
        connection.execute(_mine(watch).values(status=DONE))


def first(connection: Connection, store: Store, run: str, at: float, *, now: float) -> bool:
    """Whether nobody has told that a run ended at a time: decided by a constraint, kept for days.

    Noted among the receipts, as what came in once (`bot.app.RECEIPTS`).
    """
    receipt = {"channel": "run", "external_id": f"{run}:{at}"[-128:], "received_at": now}
    return store.add_once(connection, Receipt, receipt, Receipt.channel).first() is not None


def followed(connection: Connection, run: str, *, since: float) -> bool:
    """Whether anybody follows a run, or has been told of it since a time."""
    return connection.execute(_followers(run, since).limit(1)).first() is not None


def bystanders(
    connection: Connection, run: str, admins: Collection[tuple[str, str]], *, since: float
) -> list[tuple[int, str]]:
    """The conversations of the others among admins, given by channel and identity, and the language
    of each: of those who have written to us and may be written to.
    """
    talks = (
        select(Conversation.id, Person.language)
        .join(Person, Person.id == Conversation.person_id)
        .where(
            tuple_(Person.channel, Person.identity).in_(list(admins)),
            Conversation.last_in_at > 0,
            Person.stopped.is_(False),
            Person.erased_at.is_(None),
            Conversation.id.not_in(_followers(run, since)),
        )
        .order_by(Conversation.id)
    )
    return [(row.id, row.language) for row in connection.execute(talks)]


def _followers(run: str, since: float) -> Select[Any]:
    current = or_(Row.status == OPEN, Row.told_at >= since)
    return (
        select(Message.conversation_id)
        .join(Row, Row.message_id == Message.id)
        .where(Row.run == run, current)
    )


def _mine(watch: Watch) -> Any:
    return update(Row).where(Row.message_id == watch.message_id, Row.status == watch.status)


def _following() -> Select[Any]:
    reply = aliased(Message)
    sent = (
        select(Outbox.provider_id)
        .join(reply, reply.id == Outbox.message_id)
        .where(
            # With the id: the index of a conversation's messages is read from there on.
            reply.conversation_id == Message.conversation_id,
            reply.id > Row.message_id,
            reply.reply_to == Row.message_id,
            Outbox.status == "sent",
        )
        .order_by(Outbox.id.desc())
        .limit(1)
        .correlate(Row, Message)
        .scalar_subquery()
        .label("sent")
    )
    return (
        select(
            *(getattr(Row, name) for name in ("message_id", "run", "status", "told")),
            *(getattr(Row, name) for name in ("told_at", "not_before", "lease_until")),
            Message.conversation_id,
            *(getattr(Person, name) for name in ("channel", "address", "data_key")),
            *(getattr(Person, name) for name in ("language", "stopped")),
            Conversation.last_in_at,
            sent,
        )
        .join(Message, Message.id == Row.message_id)
        .join(Conversation, Conversation.id == Message.conversation_id)
        .join(Person, Person.id == Conversation.person_id)
        .where(Row.status != bindparam("done"))
        .order_by(Row.message_id)
    )


_FOLLOWING = _following()


def _watch(store: Store, row: Any) -> Watch:
    fields = row._asdict()
    box = store.cipher.box(fields.pop("data_key"))
    return Watch(**{**fields, "address": box.open(row.address)})
