"""Answers that are still being written: what a page may show of them by now.

A draft is worth nothing once its message is answered: it is read only while the job is open, goes
with the reply's transaction, and what a crash leaves behind is swept. No export knows it.
"""

from collections.abc import Mapping

from sqlalchemy import Connection, delete, exists, select, update

from core.errors import WrongDataKey
from storage.models import DONE, RUNNING, Conversation, Draft, Job, Message, Person
from storage.store import Store

#: A draft that did not grow for so long belongs to no answer that is still being written: the
#: longest deadline of an engine (ENGINE_DEADLINE).
STALE = 600.0


def keep(store: Store, growing: Mapping[int, str], *, now: float) -> None:
    """Note what the answers to some messages (by id) are by now, all in one transaction.

    A message that is answered or erased meanwhile gets none. Raises StoreError.
    """
    with store.write(patient=True) as connection:
        for message_id, text in growing.items():
            key = connection.scalar(_KEY.where(Job.message_id == message_id, Job.status == RUNNING))
            if key is not None:
                body = store.cipher.box(key).seal(text)
                _put(connection, store, message_id, body, now)


def read(store: Store, channel: str, sender: str) -> str | None:
    """What is written by now of the answer that a sender waits for. Raises StoreError."""
    identity = store.cipher.blind(channel, sender)
    mine = _BODY.where(Person.channel == channel, Person.identity == identity)
    with store.read() as connection:
        row = connection.execute(mine).first()
    if row is None:
        return None
    try:
        return store.cipher.box(row.data_key).open(row.body)
    except WrongDataKey:  # the key changed as it was written: everything was just erased
        return None


def drop(connection: Connection, message_id: int) -> None:
    """Remove the draft of an answer, in the transaction that stores the answer."""
    connection.execute(delete(Draft).where(Draft.message_id == message_id))


def forget(store: Store, message_id: int) -> None:
    """Remove what an earlier try wrote of an answer that begins anew. Raises StoreError."""
    with store.write() as connection:
        drop(connection, message_id)


def drop_all(connection: Connection, conversation_id: int) -> None:
    """Remove the drafts of a conversation (its person is erased, or their key changes)."""
    mine = select(Message.id).where(Message.conversation_id == conversation_id)
    connection.execute(delete(Draft).where(Draft.message_id.in_(mine)))


def sweep(store: Store, *, now: float) -> int:
    """Remove what crashes left behind. How many. Raises StoreError."""
    open_job = exists().where(Job.message_id == Draft.message_id, Job.status != DONE)
    left = (Draft.at < now - STALE) | ~open_job
    with store.read() as connection:
        if connection.scalar(select(Draft.message_id).where(left).limit(1)) is None:
            return 0
    with store.write() as connection:
        return connection.execute(delete(Draft).where(left)).rowcount


_KEY = (
    select(Person.data_key)
    .join(Conversation, Conversation.person_id == Person.id)
    .join(Job, Job.conversation_id == Conversation.id)
)
_BODY = (
    select(Draft.body, Person.data_key)
    .join(Job, Job.message_id == Draft.message_id)
    .join(Conversation, Conversation.id == Job.conversation_id)
    .join(Person, Person.id == Conversation.person_id)
    .where(Job.status != DONE)
    .order_by(Draft.message_id)
    .limit(1)
)


def _put(connection: Connection, store: Store, message_id: int, body: str, now: float) -> None:
    """Replace or insert."""
    here = Draft.message_id == message_id
    if connection.execute(update(Draft).where(here).values(body=body, at=now)).rowcount:
        return
    insert = store.insert_once(Draft).values(message_id=message_id, body=body, at=now)
    connection.execute(insert)
