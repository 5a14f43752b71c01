"""Replies on their way out: queued in the answer's transaction, claimed one by one, accounted for.

Order: the first open row of a conversation goes first; urgent rows have a lane of their own.
Knows states and times. Knows no provider: rate limits and error kinds are `bot.delivery`'s.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Select, bindparam, case, exists, func, insert, select, update
from sqlalchemy.orm import aliased

from core import logs
from core.errors import WrongDataKey
from core.messages import Choice, DeliveryReport, Document, Reply
from storage import people
from storage.models import QUEUED, SENDING, Conversation, Outbox, Person
from storage.people import Line
from storage.store import Conflict, Store

#: After so many doubts in a row a part ends as `doubtful` (docs/adr/0003).
MOST_DOUBTS = 4
#: How long a part that cannot be read lets the others pass.
UNREADABLE_WAIT = 300.0
#: Said beside any other status, so that the index of open parts is used.
OPEN = Outbox.status.in_((QUEUED, SENDING))
ENDED = ("sent", "refused", "expired", "doubtful")
FINAL_WORDS = ("delivered", "read", "undelivered", "failed")


@dataclass(frozen=True, slots=True)
class Parcel:
    """One part to be sent: what, to whom, and its history so far."""

    id: int
    conversation_id: int
    channel: str
    address: str = field(repr=False)
    reply: Reply = field(repr=False)
    urgent: bool
    template: bool
    attempts: int
    doubts: int
    created_at: float
    expires_at: float
    last_in_at: float


def enqueue(
    connection: Connection,
    store: Store,
    line: Line,
    message_id: int,
    parts: Sequence[Reply],
    *,
    urgent: bool,
    now: float,
    expires_at: float,
) -> None:
    """Queue the parts of one reply, in order, inside the caller's transaction."""
    box = store.cipher.box(line.data_key)
    rows = [
        {
            "conversation_id": line.conversation_id,
            "message_id": message_id,
            "channel": line.channel,
            "urgent": urgent,
            "body": box.seal(part.text),
            "choices": [[choice.id, choice.label] for choice in part.choices],
            "document_name": part.document.name if part.document else None,
            "document": box.seal(_packed(part.document)) if part.document else None,
            "template": False,
            "status": "queued",
            "attempts": 0,
            "doubts": 0,
            "not_before": now,
            "expires_at": expires_at,
            "created_at": now,
        }
        for part in parts
    ]
    # One row by itself: drivers take a list the long way, and most replies are one part.
    connection.execute(_ENQUEUE, rows if len(rows) > 1 else rows[0])


def ready(
    store: Store, channel: str, *, now: float, limit: int, urgent_only: bool = False
) -> Iterator[Parcel]:
    """A channel's parts that may go now, urgent first: at most one a conversation and lane."""
    values = {"channel": channel, "now": now, "most": limit}
    with store.glance() as connection:
        rows = connection.execute(_READY[urgent_only], values).all()
    # Opened one by one: mostly the first may go.
    parcels = (_readable(store, row, now) for row in rows)
    return (parcel for parcel in parcels if parcel is not None)


def _ready(urgent_only: bool) -> Select[Any]:
    earlier = aliased(Outbox)
    behind = exists().where(
        earlier.conversation_id == Outbox.conversation_id,
        earlier.urgent == Outbox.urgent,
        earlier.id < Outbox.id,
        earlier.status.in_((QUEUED, SENDING)),
    )
    query = (
        select(Outbox.__table__, Person.address, Person.data_key, Conversation.last_in_at)
        .join(Conversation, Conversation.id == Outbox.conversation_id)
        .join(Person, Person.id == Conversation.person_id)
        .where(
            OPEN,
            Outbox.status == QUEUED,
            Outbox.channel == bindparam("channel"),
            Outbox.not_before <= bindparam("now"),
            ~behind,
        )
        .order_by(Outbox.urgent.desc(), Outbox.id)
        .limit(bindparam("most"))
    )
    return query.where(Outbox.urgent) if urgent_only else query


# Statements are built once: building them cost more than running them.
_READY = {urgent_only: _ready(urgent_only) for urgent_only in (False, True)}
_ENQUEUE = insert(Outbox)
_POSTPONE = update(Outbox).where(Outbox.id == bindparam("part"), Outbox.status == QUEUED)
_START = (
    _POSTPONE
    # Another sender's try since this parcel was read: its history is stale.
    .where(Outbox.attempts == bindparam("tries")).values(attempts=Outbox.attempts + 1)
)
_SETTLE = update(Outbox).where(
    Outbox.id == bindparam("part"), Outbox.status == SENDING, Outbox.lease == bindparam("held")
)


def start(store: Store, parcel: Parcel, *, lease: str, now: float, lease_seconds: float) -> bool:
    """Mark the part as being sent, right before the request; False when another has or had it."""
    known = {"part": parcel.id, "tries": parcel.attempts}
    values = {"status": "sending", "lease": lease, "lease_until": now + lease_seconds}
    try:
        with store.at_once(patient=not parcel.urgent) as connection:
            return connection.execute(_START, {**known, **values}).rowcount == 1
    except Conflict:
        return False


def postpone(store: Store, parcel_id: int, *, until: float) -> None:
    """Let a queued part wait for its chat's turn."""
    with store.at_once(patient=True) as connection:
        connection.execute(_POSTPONE, {"part": parcel_id, "not_before": until})


def settle(
    store: Store, parcel_id: int, *, lease: str, status: str, now: float, **values: Any
) -> None:
    """Record what became of a part that this sender holds: queued again, waiting, or an end."""
    if status in ENDED:
        values["ended_at"] = now
    held = {"part": parcel_id, "held": lease}
    values |= {"status": status, "lease": None, "lease_until": None}
    with store.at_once() as connection:
        connection.execute(_SETTLE, {**held, **values})


def revive(store: Store, *, now: float) -> tuple[int, int]:
    """Parts whose sender died in mid-send are doubtful: each doubt earns one repeat, to a limit.

    Returns how many were queued again and how many ended.
    """
    late = (OPEN, Outbox.status == SENDING, Outbox.lease_until < now)
    with store.read() as connection:
        if not connection.scalar(select(func.count()).select_from(Outbox).where(*late)):
            return 0, 0
    with store.write() as connection:
        ended = connection.execute(
            update(Outbox)
            .where(*late, Outbox.doubts >= MOST_DOUBTS)
            .values(status="doubtful", ended_at=now, code="crash", lease=None, lease_until=None)
        )
        again = connection.execute(
            update(Outbox)
            .where(*late)
            .values(
                status="queued",
                doubts=Outbox.doubts + 1,
                not_before=now,
                lease=None,
                lease_until=None,
            )
        )
        return again.rowcount, ended.rowcount


def report(store: Store, word: DeliveryReport) -> int | None:
    """Note a provider's later word on a part; the part's id, or None when it is not ours.

    Callbacks come twice and out of order: a final word is not overwritten by an earlier stage.
    """
    known = func.coalesce(Outbox.provider_status, "")
    query = update(Outbox).where(
        Outbox.channel == word.channel, Outbox.provider_id == word.provider_id
    )
    if word.status not in FINAL_WORDS:
        query = query.where(known.not_in(FINAL_WORDS))
    if word.status == "delivered":
        query = query.where(known != "read")
    values = {"provider_status": word.status[:16]}
    if word.code:
        values["code"] = word.code[:32]
    with store.write() as connection:
        return connection.scalars(query.values(values).returning(Outbox.id)).first()


def hold(store: Store, parcel_id: int) -> None:
    """A part that the provider took and then could not deliver waits until the person writes."""
    with store.write() as connection:
        connection.execute(
            update(Outbox)
            .where(Outbox.id == parcel_id, Outbox.status == "sent", ~Outbox.template)
            .values(status="waiting", ended_at=None, provider_id=None, provider_status=None)
        )


def again(store: Store, parcel_id: int, *, until: float) -> None:
    """A part that the provider took and then failed to pass on is queued again for a later time."""
    with store.write() as connection:
        connection.execute(
            update(Outbox)
            .where(Outbox.id == parcel_id, Outbox.status == "sent", Outbox.expires_at > until)
            .values(
                status="queued",
                not_before=until,
                ended_at=None,
                provider_id=None,
                provider_status=None,
            )
        )


def invite(store: Store, parcel_id: int, *, now: float) -> None:
    """Queue the approved template beside a held part, unless one is on its way already."""
    held = Outbox.__table__.alias("held")
    copied = ("conversation_id", "message_id", "channel", "urgent", "body", "expires_at")
    with store.write() as connection:
        row = connection.execute(select(held).where(held.c.id == parcel_id)).first()
        if row is None:
            return
        # The parts of one reply are refused together: one template for all of them.
        people.hold(connection, row.conversation_id)
        recent = select(Outbox.id).where(
            Outbox.conversation_id == row.conversation_id,
            Outbox.template,
            Outbox.created_at > now - 3600,
        )
        if connection.scalar(recent.limit(1)) is not None:
            return
        values = {name: getattr(row, name) for name in copied}
        fresh = {"status": "queued", "attempts": 0, "doubts": 0, "choices": [], "template": True}
        times = {"not_before": now, "created_at": now}
        connection.execute(insert(Outbox).values(**values, **fresh, **times))


def counts(connection: Connection, *, since: float) -> dict[str, int]:
    """Parts by status: all open ones, and those that ended since a time.

    A part that the provider took and then could not pass on counts as `undelivered`.
    """
    recent = Outbox.ended_at >= since
    lost = Outbox.provider_status.in_(("failed", "undelivered")) & (Outbox.status == "sent")
    status = case((lost, "undelivered"), else_=Outbox.status).label("state")
    query = select(status, func.count()).group_by("state")
    rows = connection.execute(query.where(Outbox.ended_at.is_(None) | recent))
    return {state: count for state, count in rows}


def document(store: Store, part_id: int) -> Document | None:
    """What goes out with a part, for a provider that fetches it; None when it is gone."""
    query = (
        select(Outbox.document_name, Outbox.document, Person.data_key)
        .join(Conversation, Conversation.id == Outbox.conversation_id)
        .join(Person, Person.id == Conversation.person_id)
        .where(Outbox.id == part_id, Outbox.document_name.is_not(None))
    )
    with store.glance() as connection:
        row = connection.execute(query).first()
    if row is None:
        return None
    return _unpacked(row.document_name, store.cipher.box(row.data_key).open(row.document))


def _packed(document: Document) -> str:
    """A file as the text that is sealed."""
    content = document.content
    return content.decode() if document.is_text else b64encode(content).decode()


def _unpacked(name: str, text: str) -> Document:
    plain = Document(name, text.encode())
    return plain if plain.is_text else Document(name, b64decode(text))


def _readable(store: Store, row: Any, now: float) -> Parcel | None:
    """A part that no key opens is put off and named in the log: it must not stop the others."""
    try:
        return _parcel(store, row)
    except WrongDataKey:
        logs.event("part.unreadable", level=40, part=row.id)
        postpone(store, row.id, until=now + UNREADABLE_WAIT)
        return None


def _parcel(store: Store, row: Any) -> Parcel:
    box = store.cipher.box(row.data_key)
    document = _unpacked(row.document_name, box.open(row.document)) if row.document_name else None
    choices = tuple(Choice(key, label) for key, label in row.choices)
    return Parcel(
        id=row.id,
        conversation_id=row.conversation_id,
        channel=row.channel,
        address=box.open(row.address),
        reply=Reply(box.open(row.body), choices, document),
        urgent=row.urgent,
        template=row.template,
        attempts=row.attempts,
        doubts=row.doubts,
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_in_at=row.last_in_at,
    )
