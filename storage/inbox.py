"""Taking messages in: once each, for good, together with the job that answers them.

Knows the order of the inserts and nothing about channels, triage or answers.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.engine import CursorResult

from core.messages import Inbound
from storage.models import Conversation, Job, Message, Outbox, Person, Receipt
from storage.store import Store


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
    with store.write() as connection:
        if not _first_time(store, connection, inbound, now):
            return None
        person_id, key = _person(store, connection, inbound, country, now)
        conversation_id = _conversation(store, connection, person_id, now)
        _release_waiting(connection, conversation_id, now, reply_hours)
        message_id = _message(store, connection, inbound, finding, conversation_id, key, now)
        return _job(connection, conversation_id, message_id, finding.urgent, now)


def forget_receipts(store: Store, *, before: float) -> int:
    """Drop receipts that no provider repeats any more. How many went."""
    with store.write() as connection:
        result = connection.execute(delete(Receipt).where(Receipt.received_at < before))
        return result.rowcount


def ensure_person(
    store: Store, connection: Connection, inbound: Inbound, *, now: float
) -> tuple[int, int]:
    """(person id, conversation id) for somebody who may never have written (an admin to alert)."""
    person_id, _ = _person(store, connection, inbound, None, now)
    return person_id, _conversation(store, connection, person_id, now)


def _first_time(store: Store, connection: Connection, inbound: Inbound, now: float) -> bool:
    row = {"channel": inbound.channel, "external_id": inbound.external_id, "received_at": now}
    done: CursorResult[object] = connection.execute(store.insert_once(Receipt).values(row))
    return done.rowcount == 1


def _person(
    store: Store, connection: Connection, inbound: Inbound, country: str | None, now: float
) -> tuple[int, str]:
    identity = store.cipher.blind(inbound.channel, inbound.sender)
    found = _find_person(connection, inbound.channel, identity)
    if found is None:
        key = store.cipher.new_key()
        box = store.cipher.box(key)
        values = {
            "channel": inbound.channel,
            "identity": identity,
            "address": box.seal(inbound.address),
            "name": box.seal(inbound.name[:80]),
            "data_key": key,
            "country": country,
            "created_at": now,
        }
        # Two first messages of one person may arrive at once: the constraint picks the row.
        connection.execute(store.insert_once(Person).values({**_PERSON_DEFAULTS, **values}))
        found = _find_person(connection, inbound.channel, identity)
        assert found is not None  # noqa: S101  (just inserted, or there already)
    person_id, key, erased_at = found
    if erased_at is not None:
        # Somebody who erased everything and writes again is a newcomer.
        connection.execute(update(Person).where(Person.id == person_id).values(erased_at=None))
    return person_id, key


_PERSON_DEFAULTS = {"language": "ha", "stopped": False, "erased_at": None}


def _find_person(
    connection: Connection, channel: str, identity: str
) -> tuple[int, str, float | None] | None:
    row = connection.execute(
        select(Person.id, Person.data_key, Person.erased_at).where(
            Person.channel == channel, Person.identity == identity
        )
    ).first()
    return (row[0], row[1], row[2]) if row else None


def _conversation(store: Store, connection: Connection, person_id: int, now: float) -> int:
    query = select(Conversation.id).where(Conversation.person_id == person_id)
    found = connection.scalar(query)
    if found is None:
        values = {"person_id": person_id, "opened_at": now, "menu": []}
        values["last_in_at"] = 0.0
        connection.execute(store.insert_once(Conversation).values(values))
        found = connection.scalar(query)
        assert found is not None  # noqa: S101
    return found


def _message(
    store: Store,
    connection: Connection,
    inbound: Inbound,
    finding: Finding,
    conversation_id: int,
    key: str,
    now: float,
) -> int:
    connection.execute(
        update(Conversation).where(Conversation.id == conversation_id).values(last_in_at=now)
    )
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
    return connection.scalars(insert(Message).values(values).returning(Message.id)).one()


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
    return connection.scalars(insert(Job).values(values).returning(Job.id)).one()


def _release_waiting(
    connection: Connection, conversation_id: int, now: float, reply_hours: float
) -> None:
    """The person wrote, so the provider's window is open again: held replies may go."""
    connection.execute(
        update(Outbox)
        .where(Outbox.conversation_id == conversation_id, Outbox.status == "waiting")
        .values(status="queued", not_before=now, expires_at=now + reply_hours * 3600)
    )
