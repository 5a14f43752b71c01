"""One conversation as the answer needs it: the person, what they agreed to, where the talk stands.

Reads it with two or three quick looks; writes the small changes that an answer brings about.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Label,
    Row,
    bindparam,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.orm import aliased

from core.messages import Choice, Kind, Past, Turn
from storage.models import DONE, Consent, Conversation, Job, Message, Person
from storage.people import Line
from storage.store import Store

HISTORY_CHARACTERS = 2_000
MOST_WAITING = 5


@dataclass(frozen=True, slots=True)
class Thread:
    """A snapshot of a conversation at one incoming message."""

    conversation_id: int
    person_id: int
    message_id: int
    channel: str
    identity: str = field(repr=False)
    address: str = field(repr=False)
    turn: Turn


def load(store: Store, message_id: int, *, turns: int) -> Thread | None:
    """The thread at this message, with up to `turns` earlier ones; None when it was erased."""
    with store.glance() as connection:
        row = connection.execute(_THREAD, {"message": message_id}).first()
        if row is None:
            return None
        past = _past(connection, store, row, turns)
        waiting = _waiting(connection, store, row)
    turn = Turn(
        text=store.cipher.box(row.data_key).open(row.body),
        kind=Kind(row.kind),
        choice=row.choice,
        edited=row.edited,
        language=row.language,
        country=row.country,
        stopped=row.stopped,
        service=row.service,
        training=row.training,
        waiting_text=waiting,
        menu=tuple(Choice(key, label) for key, label in row.menu),
        topic=row.topic,
        noticed=row.noticed_at is not None,
        training_asked=row.training_asked_at is not None,
        answered=row.answered,
        last_minute=row.last_minute,
        past=past,
    )
    return Thread(
        conversation_id=row.conversation_id,
        person_id=row.person_id,
        message_id=message_id,
        channel=row.channel,
        identity=row.identity,
        address=store.cipher.box(row.data_key).open(row.address),
        turn=turn,
    )


def change_person(connection: Connection, person_id: int, **values: Any) -> None:
    """Set columns of a person (language, stopped)."""
    connection.execute(_PERSON, {"person": person_id, **values})


def change_conversation(connection: Connection, conversation_id: int, **values: Any) -> None:
    """Set columns of a conversation (menu, topic ...)."""
    connection.execute(_CONVERSATION, {"conversation": conversation_id, **values})


def with_waiting(connection: Connection, conversation_id: int, message_id: int) -> list[int]:
    """What waits for consent once this message waits too: the newest few."""
    query = select(Conversation.waiting).where(Conversation.id == conversation_id)
    return [*(connection.scalar(query) or ()), message_id][-MOST_WAITING:]


def record_consent(
    connection: Connection, person_id: int, kind: str, granted: bool, version: str, now: float
) -> None:
    """Add a yes or no; the newest of its kind counts."""
    values = {"person_id": person_id, "kind": kind, "granted": granted, "version": version}
    connection.execute(insert(Consent).values(at=now, **values))


def language(connection: Connection, conversation_id: int) -> str:
    """The language that a conversation is held in."""
    return connection.scalars(
        select(Person.language)
        .join(Conversation, Conversation.person_id == Person.id)
        .where(Conversation.id == conversation_id)
    ).one()


def said_since(connection: Connection, reason: str, *, since: float) -> bool:
    """Whether anything was sent for a reason after a time (an alert about one conversation)."""
    query = select(Message.id).where(Message.reason == reason, Message.created_at > since)
    return connection.scalar(query.limit(1)) is not None


@dataclass(frozen=True, slots=True)
class Shown:
    """One message as a page shows it, in either direction."""

    id: int
    direction: str
    text: str = field(repr=False)
    choices: list[list[str]]
    source: str | None
    danger_sign: str | None


def shown(store: Store, channel: str, sender: str, *, after: int, limit: int = 200) -> list[Shown]:
    """The messages of one sender's conversation with an id above `after`, oldest first.

    Buttons are shown under the newest reply only: older ones no longer answer anything.
    """
    identity = store.cipher.blind(channel, sender)
    query = (
        select(Message.__table__, Person.data_key, Conversation.menu)
        .join(Conversation, Conversation.id == Message.conversation_id)
        .join(Person, Person.id == Conversation.person_id)
        .where(Person.channel == channel, Person.identity == identity, Message.id > after)
        .where(Message.kind != "correction")  # nobody was sent it (`storage.corrections`)
        .order_by(Message.id.desc())
        .limit(limit)
    )
    with store.glance() as connection:
        rows = connection.execute(query).all()
    newest = next((row.id for row in rows if row.direction == "out"), None)
    return [
        Shown(
            id=row.id,
            direction=row.direction,
            text=store.cipher.box(row.data_key).open(row.body),
            choices=row.menu if row.id == newest else [],
            source=row.source,
            danger_sign=row.danger_sign if row.direction == "out" else None,
        )
        for row in reversed(rows)
    ]


def waiting(store: Store, channel: str, sender: str) -> bool:
    """Whether a sender has a message that is not answered yet."""
    query = (
        select(Job.id)
        .join(Conversation, Conversation.id == Job.conversation_id)
        .join(Person, Person.id == Conversation.person_id)
        .where(
            Person.channel == channel,
            Person.identity == store.cipher.blind(channel, sender),
            Job.status != DONE,
        )
    )
    with store.glance() as connection:
        return connection.scalar(query.limit(1)) is not None


def add_reply(
    connection: Connection, store: Store, line: Line, text: str, *, now: float, **stamps: Any
) -> int:
    """Store an outgoing message with its stamps (release, source, topic ...); its id."""
    values = {
        "conversation_id": line.conversation_id,
        "channel": line.channel,
        "direction": "out",
        "kind": Kind.TEXT.value,
        "body": store.cipher.box(line.data_key).seal(text),
        "edited": False,
        "created_at": now,
        **_cut(stamps),
    }
    return connection.scalars(_ADD_MESSAGE, values).one()


def _cut(stamps: Mapping[str, Any]) -> dict[str, Any]:
    """Stamps as long as their columns: PostgreSQL refuses a reply for the sake of a long stamp."""
    columns = Message.__table__.c
    return {
        name: value[: getattr(columns[name].type, "length", None)]
        if isinstance(value, str)
        else value
        for name, value in stamps.items()
    }


def menu(choices: Sequence[Choice]) -> list[list[str]]:
    """Choices as a conversation stores them."""
    return [[choice.id, choice.label] for choice in choices]


# Statements are built once: building them cost more than running them.
_PERSON = update(Person).where(Person.id == bindparam("person"))
_CONVERSATION = update(Conversation).where(Conversation.id == bindparam("conversation"))
_ADD_MESSAGE = insert(Message).returning(Message.id)
_EARLIER = aliased(Message)
_HERE = _EARLIER.conversation_id == Message.conversation_id


def _count(name: str, *rule: ColumnElement[bool]) -> Label[int]:
    """How many messages of this message's conversation fit."""
    query = select(func.count()).select_from(_EARLIER).where(_HERE, *rule)
    return query.correlate(Message).scalar_subquery().label(name)


def _newest(kind: str) -> Label[bool]:
    """The person's last yes or no of a kind."""
    said = (Consent.person_id == Person.id, Consent.kind == kind)
    query = select(Consent.granted).where(*said).order_by(Consent.id.desc()).limit(1)
    return query.correlate(Person).scalar_subquery().label(kind)


_THREAD = (
    select(
        Message.conversation_id,
        Message.channel,
        Message.body,
        Message.kind,
        Message.choice,
        Message.edited,
        Message.created_at,
        Message.id.label("message_id"),
        Person.id.label("person_id"),
        Person.identity,
        Person.data_key,
        Person.address,
        Person.language,
        Person.country,
        Person.stopped,
        Conversation.waiting,
        Conversation.menu,
        Conversation.topic,
        Conversation.noticed_at,
        Conversation.training_asked_at,
        _newest("service"),
        _newest("training"),
        # Ordinary answers so far, and messages in the minute before this one, it included.
        _count("answered", _EARLIER.source.in_(("library", "model", "fallback"))),
        _count(
            "last_minute",
            _EARLIER.direction == "in",
            _EARLIER.id <= Message.id,
            _EARLIER.created_at > Message.created_at - 60,
        ),
    )
    .join(Conversation, Conversation.id == Message.conversation_id)
    .join(Person, Person.id == Conversation.person_id)
    .where(Message.id == bindparam("message"))
)
_MINE = Message.conversation_id == bindparam("conversation")
_PAST = (
    select(Message.direction, Message.body)
    .where(_MINE, Message.id < bindparam("message"), Message.kind == Kind.TEXT.value)
    .order_by(Message.id.desc())
    .limit(bindparam("turns"))
)
_BODIES = (
    select(Message.body)
    .where(Message.id.in_(bindparam("messages", expanding=True)))
    .order_by(Message.id)
)


def _past(connection: Connection, store: Store, row: Row[Any], turns: int) -> tuple[Past, ...]:
    if not turns:
        return ()
    here = {"conversation": row.conversation_id, "message": row.message_id}
    rows = connection.execute(_PAST, {**here, "turns": turns}).all()
    box = store.cipher.box(row.data_key)
    roles = {"in": "user", "out": "assistant"}
    return tuple(
        Past(roles[direction], box.open(body)[:HISTORY_CHARACTERS])
        for direction, body in reversed(rows)
    )


def _waiting(connection: Connection, store: Store, row: Row[Any]) -> str | None:
    """What waits for consent: people ask in several short messages, so all of it, a line each."""
    if not row.waiting:
        return None
    bodies = connection.scalars(_BODIES, {"messages": row.waiting})
    box = store.cipher.box(row.data_key)
    return "\n".join(text for text in map(box.open, bodies) if text) or None
