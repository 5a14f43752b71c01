"""A person's rights over what is stored: see it, erase it, and the clock that erases the rest.

Knows which rows hold a person's words. Does not know who may ask: the conversation decides.
"""

import json
import secrets
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, exists, insert, select, update

from core.errors import WrongDataKey
from storage import drafts, outbox, people
from storage.cipher import UNSEALED, Box
from storage.models import DONE, Audit, Consent, Conversation, Job, Message, Meta, Outbox, Person
from storage.store import BATCH, DATA_KEY, LINK_SECRET, Store, remember


def audit(connection: Connection, action: str, *, actor: str, now: float, **detail: str) -> None:
    """Note who did what, without words or addresses."""
    connection.execute(insert(Audit).values(at=now, actor=actor, action=action, detail=detail))


def export(connection: Connection, store: Store, person_id: int) -> str:
    """Everything stored about a person, as indented JSON in their own words."""
    person = connection.execute(select(Person.__table__).where(Person.id == person_id)).one()
    messages = connection.execute(
        select(Message.__table__)
        .join(Conversation, Conversation.id == Message.conversation_id)
        # What an admin was shown of others is not theirs.
        .where(Conversation.person_id == person_id, Message.kind != "shown")
        .order_by(Message.id)
    ).all()
    consents = connection.execute(
        select(Consent.__table__).where(Consent.person_id == person_id).order_by(Consent.id)
    ).all()
    topic = connection.scalar(select(Conversation.topic).where(Conversation.person_id == person_id))
    box = store.cipher.box(person.data_key)
    data: dict[str, Any] = {
        "channel": person.channel,
        "address": box.open(person.address),
        "name": box.open(person.name),
        "language": person.language,
        "country": person.country,
        "stopped": person.stopped,
        "since": _clock(person.created_at),
        "topic": topic,
        "consents": [
            {"about": c.kind, "granted": c.granted, "version": c.version, "at": _clock(c.at)}
            for c in consents
        ],
        "messages": [_exported(message, box) for message in messages],
    }
    return json.dumps(data, ensure_ascii=False, indent=2)


def _exported(message: Row[Any], box: Box) -> dict[str, Any]:
    known = {
        "choice": message.choice,
        "answered_by": message.release or message.source,
        "topic": message.topic,
        "danger_sign": message.danger_sign,
        "urgency": message.urgency,
    }
    return {
        "at": _clock(message.created_at),
        "from": "you" if message.direction == "in" else "assistant",
        "kind": message.kind,
        "text": box.open(message.body),
        **{name: value for name, value in known.items() if value is not None},
    }


def since(connection: Connection, person_id: int) -> float | None:
    """When the person's record began (anew after an erasure); None when there is none."""
    return connection.scalar(select(Person.created_at).where(Person.id == person_id))


def erase(
    connection: Connection,
    store: Store,
    person_id: int,
    conversation_id: int,
    *,
    upto: int,
    now: float,
) -> None:
    """Delete what a person said up to a message, their consents and name, and change their key.

    Messages that came after are kept (they wrote again). So is an alarm until its answer has been
    handed over: whoever writes "she is convulsing" and then says yes to being erased must still be
    told what to do. The row with the address stays until that and the goodbye are delivered;
    `sweep` then removes it with all that is left, unless the person has written again.
    """
    people.hold(connection, conversation_id)
    mine = Message.conversation_id == conversation_id
    unanswered = exists().where(Job.message_id == Message.id, Job.status != DONE)
    undelivered = exists().where(Outbox.message_id == Message.id, outbox.OPEN, Outbox.urgent)
    # Jobs and parts go with their messages (ON DELETE CASCADE).
    old = (mine, Message.id <= upto)
    connection.execute(delete(Message).where(*old, ~unanswered, ~undelivered))
    connection.execute(delete(Consent).where(Consent.person_id == person_id))
    again = select(Message.id).where(mine, Message.id > upto, Message.direction == "in").limit(1)
    newer = connection.scalar(again) is not None
    _change_key(connection, store, person_id, conversation_id)
    connection.execute(
        update(Person)
        .where(Person.id == person_id)
        .values(
            name="", language="ha", stopped=False, erased_at=None if newer else now, created_at=now
        )
    )
    connection.execute(
        update(Conversation)
        .where(Conversation.id == conversation_id)
        .values(
            waiting=[],
            menu=[],
            topic=None,
            noticed_at=None,
            training_asked_at=None,
            opened_at=now,
        )
    )
    audit(connection, "erase", actor="person", now=now)


def sweep(store: Store) -> int:
    """Remove people who erased themselves and have nothing left to be delivered. How many."""
    thread = Conversation.person_id == Person.id
    open_job = exists().where(Job.conversation_id == Conversation.id, Job.status != DONE, thread)
    open_part = exists().where(Outbox.conversation_id == Conversation.id, outbox.OPEN, thread)
    # Asked of the row itself: PostgreSQL asks again when somebody who writes held it meanwhile.
    gone = (Person.erased_at.is_not(None), ~open_job, ~open_part)
    with store.read() as connection:
        if connection.scalar(select(Person.id).where(*gone).limit(1)) is None:
            return 0
    with store.write() as connection:
        return connection.execute(delete(Person).where(*gone)).rowcount


def forget_old(store: Store, *, before: float) -> int:
    """Delete messages older than a time, with their jobs and parts, some at a time. How many.

    What is not answered or not delivered yet is kept. People of whom no message is left and who
    did not write since are deleted too, with their consents.
    """
    unanswered = exists().where(Job.message_id == Message.id, Job.status != DONE)
    undelivered = exists().where(Outbox.message_id == Message.id, outbox.OPEN)
    old = select(Message.id).where(Message.created_at < before, ~unanswered, ~undelivered)
    forgotten = store.in_batches(delete(Message).where(Message.id.in_(old.limit(BATCH))))
    while _forget_people(store, before):
        pass
    return forgotten


def _forget_people(store: Store, before: float) -> int:
    """Delete some people who are long silent. How many."""
    silent = Person.id.in_(
        select(Conversation.person_id).where(
            Conversation.last_in_at < before,
            Conversation.opened_at < before,
            ~exists().where(Message.conversation_id == Conversation.id),
        )
    )
    with store.read() as connection:
        ids = connection.scalars(select(Person.id).where(silent).limit(BATCH)).all()
    if not ids:
        return 0
    with store.write() as connection:
        # Held first, asked again after: they may be writing right now.
        connection.execute(select(Person.id).where(Person.id.in_(ids)).with_for_update())
        return connection.execute(delete(Person).where(Person.id.in_(ids), silent)).rowcount


def link_secret(store: Store) -> str:
    """The secret that signs links to a person's data: made once, kept with the database.

    Safe inside a transaction: `migrate` made it, so that this only reads.
    """
    return remember(store, LINK_SECRET, secrets.token_urlsafe(32))


def encrypt_all(store: Store) -> int:
    """Seal a database that was written without a DATA_KEY. How many people it held.

    One transaction: a crash leaves the old state. Sealed already with this key: nothing is done.
    Raises WrongDataKey when it was sealed with another one.
    """
    with store.write() as connection:
        query = select(Meta.value).where(Meta.key == DATA_KEY).with_for_update()
        known = connection.scalar(query)
        if known == store.cipher.fingerprint:
            return 0
        if known not in (None, UNSEALED):
            raise WrongDataKey
        everybody = connection.execute(select(Person.id, Person.channel, Person.identity)).all()
        for person in everybody:
            identity = store.cipher.blind(person.channel, person.identity)
            connection.execute(
                update(Person).where(Person.id == person.id).values(identity=identity)
            )
            talk = select(Conversation.id).where(Conversation.person_id == person.id)
            _change_key(connection, store, person.id, connection.scalar(talk), Box(None))
        connection.execute(
            update(Meta).where(Meta.key == DATA_KEY).values(value=store.cipher.fingerprint)
        )
    _rewrite(store)
    return len(everybody)


def _change_key(
    connection: Connection,
    store: Store,
    person_id: int,
    conversation_id: int | None,
    old: Box | None = None,
) -> None:
    """A new key for a person: what was sealed with the old one is unreadable in every copy."""
    if conversation_id is not None:
        drafts.drop_all(connection, conversation_id)
    row = connection.execute(select(Person.__table__).where(Person.id == person_id)).one()
    old = old or store.cipher.box(row.data_key)
    key = store.cipher.new_key()
    box = store.cipher.box(key)
    _reseal(connection, Person, Person.id == person_id, ("address", "name"), old, box)
    connection.execute(update(Person).where(Person.id == person_id).values(data_key=key))
    if store.cipher.encrypts and conversation_id is not None:
        talk = conversation_id
        _reseal(connection, Message, Message.conversation_id == talk, ("body",), old, box)
        _reseal(connection, Outbox, Outbox.conversation_id == talk, ("body", "document"), old, box)


def _reseal(
    connection: Connection,
    table: type[Person] | type[Message] | type[Outbox],
    where: ColumnElement[bool],
    fields: tuple[str, ...],
    old: Box,
    new: Box,
) -> None:
    for row in connection.execute(select(table.__table__).where(where)).mappings().all():
        values = {name: new.seal(old.open(row[name])) for name in fields if row[name] is not None}
        connection.execute(update(table).where(table.id == row["id"]).values(values))


def _rewrite(store: Store) -> None:
    """Copy the tables, so that no page keeps what they held before."""
    store.outside("VACUUM" if store.is_sqlite else "VACUUM FULL people, messages, outbox, drafts")
    checkpoint(store)


def checkpoint(store: Store) -> None:
    """Fold SQLite's write-ahead log into the file, so that erased text is not left in the log."""
    if store.is_sqlite:
        store.outside("PRAGMA wal_checkpoint(TRUNCATE)")


def _clock(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
