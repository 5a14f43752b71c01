"""One person at a time: the lock that orders what happens to a person's rows.

Accepting, answering and erasing take it before anything else, so that no message slips in between
an erasure's look and its new key, and none waits for another in a circle.
"""

from sqlalchemy import Connection, bindparam, select

from storage.models import Conversation, Person


def hold(connection: Connection, conversation_id: int) -> None:
    """Keep a conversation's person to this transaction until its end.

    SQLite lets one writer in at a time and needs no lock.
    """
    if connection.dialect.name != "sqlite":
        connection.execute(_HOLD, {"conversation": conversation_id})


_HOLD = (
    select(Person.id)
    .join(Conversation, Conversation.person_id == Person.id)
    .where(Conversation.id == bindparam("conversation"))
    .with_for_update(of=Person, key_share=True)
)
