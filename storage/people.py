"""One person at a time: the lock that orders what happens to a person's rows.

Accepting, answering and erasing take it before anything else, so that no message slips in between
an erasure's look and its new key, and none waits for another in a circle.
"""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Select, bindparam, select

from storage.models import Conversation, Person


@dataclass(frozen=True, slots=True)
class Line:
    """Where a reply goes: the conversation, its channel and the person's key."""

    conversation_id: int
    channel: str
    data_key: str = field(repr=False)


def hold(connection: Connection, conversation_id: int) -> Line | None:
    """Keep a conversation's person to this transaction until its end; None when it is gone.

    SQLite lets one writer in at a time and needs no lock: SQLAlchemy leaves it out there.
    """
    return _line(connection, conversation_id, _HOLD)


def line(connection: Connection, conversation_id: int) -> Line:
    """Where a conversation's replies go, with the person's key as it is now."""
    found = _line(connection, conversation_id, _LINE)
    assert found is not None  # noqa: S101  (a conversation is never without its person)
    return found


def _line(connection: Connection, conversation_id: int, query: Select[Any]) -> Line | None:
    row = connection.execute(query, {"conversation": conversation_id}).first()
    return Line(conversation_id, row.channel, row.data_key) if row else None


_LINE = (
    select(Person.channel, Person.data_key)
    .join(Conversation, Conversation.person_id == Person.id)
    .where(Conversation.id == bindparam("conversation"))
)
_HOLD = _LINE.with_for_update(of=Person, key_share=True)
