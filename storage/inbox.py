"""Taking messages in: once each, for good, together with the job that answers them.

Knows the order of the inserts and nothing about channels, triage or answers.
"""

import hashlib
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, tuple_, update
from sqlalchemy.engine import Row

from core.messages import Inbound
from storage.models import Conversation, Job, Message, Outbox, Person, Receipt
from storage.store import BATCH, Store


@dataclass(frozen=True, slots=True)
class Finding:
    """What triage saw in a message before it was stored: kept for the record and the lane."""

    sign: str | None = None
    urgency: str | None = None
    urgent: bool = False


def accept(
    store: Store,
    inbound: Inbound,
    finding: Finding,
    *,
    now: float,
    country: str | None = None,
    reply_hours: float = 24.0,
) -> int | None:
    """Commit one message and its job; the new job's id, or None for a repeated delivery.

    Raises StoreError when nothing could be committed: the provider must send it again.
    """
    inbound = _fitted(inbound)
    with store.write() as connection:
        if not _first_time(store, connection, inbound, now):
            return None
        conversation_id, key = _person(store, connection, inbound, country, now)
        _release_waiting(connection, conversation_id, now, reply_hours)
        message_id = _message(store, connection, inbound, finding, conversation_id, key, now)
        return _job(connection, conversation_id, message_id, finding.urgent, now)


def forget_receipts(store: Store, *, before: float) -> int:
    """Drop receipts that no provider repeats any more, some at a time. How many went."""
    key = tuple_(Receipt.channel, Receipt.external_id)
    some = select(Receipt.channel, Receipt.external_id).where(Receipt.received_at < before)
    return store.in_batches(delete(Receipt).where(key.in_(some.limit(BATCH))))


def ensure_person(
    store: Store, connection: Connection, inbound: Inbound, *, now: float
) -> tuple[int, int]:
    """(person id, conversation id) for somebody who may never have written (an admin to alert).

    The caller holds another person: this one is not waited for, as he might wait for that one.
    """
    inbound = _fitted(inbound)
    found = _find_person(store, connection, inbound) or _new_person(
        store, connection, inbound, None, now
    )
    return found.id, found.conversation_id


def _fitted(inbound: Inbound) -> Inbound:
    """The message with ids that every database takes; what is sealed needs no such care."""
    return replace(
        inbound,
        external_id=_fit(inbound.external_id, 128),
        sender=_fit(inbound.sender, 160),
        choice=_fit(inbound.choice, 64) if inbound.choice else None,
    )


def _fit(value: str, length: int) -> str:
    """Too long an id ends in its digest, so that two of them stay two."""
    plain = value.encode("utf-8", "replace").decode().replace("\0", "")
    if len(plain) <= length:
        return plain
    return plain[: length - 64] + hashlib.sha256(plain.encode()).hexdigest()


def _first_time(store: Store, connection: Connection, inbound: Inbound, now: float) -> bool:
    row = {"channel": inbound.channel, "external_id": inbound.external_id, "received_at": now}
    # A returned row, for psycopg does not count the rows of an insert.
    return store.add_once(connection, Receipt, row, Receipt.channel).first() is not None


def _person(
    store: Store, connection: Connection, inbound: Inbound, country: str | None, now: float
) -> tuple[int, str]:
    """(conversation, wrapped key) of who wrote; nobody else changes the person until the commit."""
    found = _find_person(store, connection, inbound, hold=True)
    if found is None:
        found = _new_person(store, connection, inbound, country, now)
    news: dict[str, str | None] = {}
    if found.erased_at is not None:
        # Somebody who erased everything and writes again is a newcomer.
        news["erased_at"] = None
    box = store.cipher.box(found.data_key)
    if box.open(found.address) != inbound.address:
        # Replies go to where the person wrote from last.
        news["address"] = box.seal(inbound.address)
    if news:
        connection.execute(update(Person).where(Person.id == found.id).values(news))
    return found.conversation_id, found.data_key


def _new_person(
    store: Store, connection: Connection, inbound: Inbound, country: str | None, now: float
) -> Row[Any]:
    key = store.cipher.new_key()
    box = store.cipher.box(key)
    values = {
        "channel": inbound.channel,
        "identity": store.cipher.blind(inbound.channel, inbound.sender),
        "address": box.seal(inbound.address),
        "name": box.seal(inbound.name[:80]),
        "data_key": key,
        "language": "ha",
        "country": country,
        "stopped": False,
        "created_at": now,
    }
    # Two first messages of one person may arrive at once: the constraints pick the rows.
    store.add_once(connection, Person, values)
    person_id = connection.scalar(_PERSON, _whose(store, inbound))
    thread = {"menu": [], "waiting": [], "last_in_at": 0.0, "opened_at": now}
    store.add_once(connection, Conversation, {"person_id": person_id, **thread})
    found = _find_person(store, connection, inbound, hold=True)
    assert found is not None  # noqa: S101  (just inserted, or there already)
    return found


def _find_person(
    store: Store, connection: Connection, inbound: Inbound, *, hold: bool = False
) -> Row[Any] | None:
    return connection.execute(_HOLD if hold else _FIND, _whose(store, inbound)).first()


def _whose(store: Store, inbound: Inbound) -> dict[str, str]:
    identity = store.cipher.blind(inbound.channel, inbound.sender)
    return {"channel": inbound.channel, "identity": identity}


def _message(
    store: Store,
    connection: Connection,
    inbound: Inbound,
    finding: Finding,
    conversation_id: int,
    key: str,
    now: float,
) -> int:
    connection.execute(_WROTE, {"conversation": conversation_id, "last_in_at": now})
    values = {
        "conversation_id": conversation_id,
        "direction": "in",
        "channel": inbound.channel,
        "external_id": inbound.external_id,
        "kind": inbound.kind.value,
        "body": store.cipher.box(key).seal(inbound.text),
        "choice": inbound.choice,
        "edited": inbound.edited,
        "danger_sign": finding.sign,
        "urgency": finding.urgency,
        "sent_at": inbound.sent_at.timestamp() if inbound.sent_at else None,
        "created_at": now,
    }
    return connection.scalars(_ADD_MESSAGE, values).one()


def _job(
    connection: Connection, conversation_id: int, message_id: int, urgent: bool, now: float
) -> int:
    values = {
        "conversation_id": conversation_id,
        "message_id": message_id,
        "urgent": urgent,
        "status": "queued",
        "attempts": 0,
        "run_after": now,
        "created_at": now,
    }
    return connection.scalars(_ADD_JOB, values).one()


def _release_waiting(
    connection: Connection, conversation_id: int, now: float, reply_hours: float
) -> None:
    """The person wrote, so the provider's window is open again: held replies may go."""
    times = {"not_before": now, "expires_at": now + reply_hours * 3600}
    connection.execute(_RELEASE, {"conversation": conversation_id, "status": "queued", **times})


# Statements are built once: on the way in, building them cost more than running them.
_WHOSE = (Person.channel == bindparam("channel"), Person.identity == bindparam("identity"))
_PERSON = select(Person.id).where(*_WHOSE).with_for_update(key_share=True)
#: Nobody is without a conversation: both are added in one transaction.
_FIND = (
    select(
        Person.id,
        Person.data_key,
        Person.erased_at,
        Person.address,
        Conversation.id.label("conversation_id"),
    )
    .join(Conversation, Conversation.person_id == Person.id)
    .where(*_WHOSE)
)
_HOLD = _FIND.with_for_update(of=Person, key_share=True)
_WROTE = update(Conversation).where(Conversation.id == bindparam("conversation"))
_ADD_MESSAGE = insert(Message).returning(Message.id)
_ADD_JOB = insert(Job).returning(Job.id)
_RELEASE = update(Outbox).where(
    Outbox.conversation_id == bindparam("conversation"), Outbox.status == "waiting"
)
