"""A person's rights over what is stored: see it, erase it, and the clock that erases the rest.

Knows which rows hold a person's words. Does not know who may ask: the conversation decides.
"""

import json
import secrets
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, delete, exists, insert, select, text, update

from storage.models import Audit, Consent, Conversation, Job, Message, Meta, Outbox, Person
from storage.store import Store


def audit(connection: Connection, action: str, *, actor: str, now: float, **detail: str) -> None:
    """Note who did what, without words or addresses."""
    connection.execute(insert(Audit).values(at=now, actor=actor, action=action, detail=detail))


def export(connection: Connection, store: Store, person_id: int) -> str:
    """Everything stored about a person, as indented JSON in their own words."""
    person = connection.execute(select(Person.__table__).where(Person.id == person_id)).one()
    messages = connection.execute(
        select(Message.__table__)
        .join(Conversation, Conversation.id == Message.conversation_id)
        .where(Conversation.person_id == person_id)
        .order_by(Message.id)
    ).all()
    consents = connection.execute(
        select(Consent.__table__).where(Consent.person_id == person_id).order_by(Consent.id)
    ).all()
    box = store.cipher.box(person.data_key)
    data: dict[str, Any] = {
        "channel": person.channel,
        "address": box.open(person.address),
        "name": box.open(person.name),
        "language": person.language,
        "stopped": person.stopped,
        "since": _clock(person.created_at),
        "consents": [
            {"about": c.kind, "granted": c.granted, "version": c.version, "at": _clock(c.at)}
            for c in consents
        ],
        "messages": [
            {
                "at": _clock(m.created_at),
                "from": "you" if m.direction == "in" else "assistant",
                "kind": m.kind,
                "text": box.open(m.body),
                "answered_by": m.release or m.source,
            }
            for m in messages
        ],
    }
    return json.dumps(data, ensure_ascii=False, indent=2)


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

    Messages that came after are kept (they wrote again). The row with the address stays until the
    goodbye is delivered; `sweep` then removes it.
    """
    mine = Message.conversation_id == conversation_id
    newer = connection.execute(
        select(Message.id, Message.body).where(mine, Message.id > upto)
    ).all()
    old = select(Message.id).where(mine, Message.id <= upto)
    connection.execute(delete(Job).where(Job.message_id.in_(old)))
    connection.execute(delete(Outbox).where(Outbox.message_id.in_(old)))
    connection.execute(delete(Message).where(mine, Message.id <= upto))
    connection.execute(delete(Consent).where(Consent.person_id == person_id))
    _change_key(connection, store, person_id, [(row.id, row.body) for row in newer])
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
            waiting_message_id=None,
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
    open_job = exists().where(Job.conversation_id == Conversation.id, Job.status != "done", thread)
    open_part = exists().where(
        Outbox.conversation_id == Conversation.id,
        Outbox.status.in_(("queued", "sending")),
        thread,
    )
    gone = select(Person.id).where(Person.erased_at.is_not(None), ~open_job, ~open_part)
    with store.read() as connection:
        if connection.scalar(gone.limit(1)) is None:
            return 0
    with store.write() as connection:
        done = connection.execute(delete(Person).where(Person.id.in_(gone)))
        return done.rowcount


def forget_old(store: Store, *, before: float) -> int:
    """Delete messages older than a time, with their jobs and parts. How many messages."""
    still_open = select(Job.message_id).where(Job.status != "done")
    with store.write() as connection:
        done = connection.execute(
            delete(Message).where(Message.created_at < before, Message.id.not_in(still_open))
        )
        return done.rowcount


def link_secret(store: Store) -> str:
    """The secret that signs links to a person's data: made once, kept with the database."""
    with store.write() as connection:
        row = {"key": "link_secret", "value": secrets.token_urlsafe(32)}
        connection.execute(store.insert_once(Meta).values(row))
        value = connection.scalar(select(Meta.value).where(Meta.key == "link_secret"))
    return value or ""


def encrypt_all(store: Store) -> int:
    """Seal a database that was written without a DATA_KEY. How many people it held.

    One transaction: a crash leaves the old state. Raises nothing of its own.
    """
    with store.write() as connection:
        people = connection.execute(select(Person.id, Person.channel, Person.identity)).all()
        for person in people:
            identity = store.cipher.blind(person.channel, person.identity)
            connection.execute(
                update(Person).where(Person.id == person.id).values(identity=identity)
            )
            _seal_person(connection, store, person.id)
        connection.execute(
            update(Meta).where(Meta.key == "data_key").values(value=store.cipher.fingerprint)
        )
    if store.is_sqlite:
        with store.engine.connect() as raw:
            raw.connection.driver_connection.execute("VACUUM")  # type: ignore[union-attr]
    return len(people)


def _seal_person(connection: Connection, store: Store, person_id: int) -> None:
    key = store.cipher.new_key()
    box = store.cipher.box(key)
    thread = select(Conversation.id).where(Conversation.person_id == person_id).scalar_subquery()
    row = connection.execute(
        select(Person.address, Person.name).where(Person.id == person_id)
    ).one()
    values = {"address": box.seal(row.address), "name": box.seal(row.name), "data_key": key}
    connection.execute(update(Person).where(Person.id == person_id).values(values))
    for message in connection.execute(
        select(Message.id, Message.body).where(Message.conversation_id == thread)
    ).all():
        sealed = box.seal(message.body)
        connection.execute(update(Message).where(Message.id == message.id).values(body=sealed))
    for part in connection.execute(
        select(Outbox.id, Outbox.body, Outbox.document).where(Outbox.conversation_id == thread)
    ).all():
        document = box.seal(part.document) if part.document is not None else None
        connection.execute(
            update(Outbox)
            .where(Outbox.id == part.id)
            .values(body=box.seal(part.body), document=document)
        )


def _change_key(
    connection: Connection, store: Store, person_id: int, newer: list[tuple[int, str]]
) -> None:
    """A new key for a person: what was sealed with the old one is unreadable in every copy."""
    row = connection.execute(
        select(Person.address, Person.data_key).where(Person.id == person_id)
    ).one()
    old, key = store.cipher.box(row.data_key), store.cipher.new_key()
    box = store.cipher.box(key)
    connection.execute(
        update(Person)
        .where(Person.id == person_id)
        .values(data_key=key, address=box.seal(old.open(row.address)))
    )
    for message_id, body in newer:
        sealed = box.seal(old.open(body))
        connection.execute(update(Message).where(Message.id == message_id).values(body=sealed))


def checkpoint(store: Store) -> None:
    """Fold SQLite's write-ahead log into the file, so that erased text is not left in the log."""
    if store.is_sqlite:
        with store.engine.connect() as connection:
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))


def _clock(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
