"""Answers that health workers have put right, for the next training.

A correction is a message of the very conversation, never sent: what seals, exports, forgets and
erases a person's messages does so with it, and without their yes to training it is not taught
(`storage.consented`). What admins are shown of others in their own chats is not kept either.
"""

from collections.abc import Iterable
from typing import Final

from sqlalchemy import Connection, bindparam, delete, select

from storage import people, privacy, threads
from storage.consented import ANSWERED, ASKED, TAUGHT, Exchange, opened
from storage.models import Conversation, Message, Person
from storage.store import Store

#: Kinds of messages that are no part of a talk: a corrected answer, and others' words for an admin.
CORRECTION: Final = "correction"
SHOWN: Final = "shown"
#: The `source` of a correction: what may be taught is told by it.
SOURCE: Final = "corrected"
#: So many answers are looked through for some that nobody has corrected yet.
LOOK_THROUGH: Final = 50


def recent(store: Store, sources: Iterable[str], *, most: int) -> list[Exchange]:
    """The newest answers that may be corrected and taught and are not yet, newest first.

    `sources` are those of the answers that may need it (see `core.messages.Source`).
    """
    query = _ANSWERS.where(ANSWERED.source.in_(list(sources))).limit(LOOK_THROUGH)
    with store.read() as connection:
        rows = connection.execute(query).all()
        talks = {row.conversation_id for row in rows}
        done = set(
            connection.scalars(
                select(Message.reply_to).where(
                    Message.conversation_id.in_(talks), Message.kind == CORRECTION
                )
            )
        )
    return [opened(store, row) for row in rows if row.id not in done][:most]


def put(store: Store, message_id: int, text: str, *, actor: str, now: float) -> bool:
    """Keep the right answer to a question, in place of an earlier one.

    False when there is no such question, or its person has not agreed to training.
    """
    with store.write() as connection:
        where = select(Message.conversation_id).where(Message.id == message_id)
        talk = connection.scalar(where)
        # Held before the look, as by an answer: an erasure would come between them.
        line = people.hold(connection, talk) if talk is not None else None
        if line is None or connection.execute(_ONE, {"id": message_id}).first() is None:
            return False
        earlier = (Message.conversation_id == talk, Message.reply_to == message_id)
        connection.execute(delete(Message).where(*earlier, Message.kind == CORRECTION))
        stamps = {"kind": CORRECTION, "source": SOURCE, "reply_to": message_id}
        threads.add_reply(connection, store, line, text, now=now, **stamps)
        privacy.audit(connection, "correct", actor=actor, now=now, message=str(message_id))
    return True


def find(store: Store, message_id: int) -> Exchange | None:
    """A question that may be taught, and the answer it got; None when there is none such."""
    with store.read() as connection:
        row = connection.execute(_ONE, {"id": message_id}).first()
    return opened(store, row) if row else None


def forget_shown(connection: Connection, store: Store, admins: Iterable[tuple[str, str]]) -> None:
    """Delete what admins, by channel and identity, were shown of others in their own talks."""
    for channel, identity in admins:
        known = store.cipher.blind(channel, identity)
        talk = (
            select(Conversation.id)
            .join(Person, Person.id == Conversation.person_id)
            .where(Person.channel == channel, Person.identity == known)
        )
        here = Message.conversation_id.in_(talk)
        connection.execute(delete(Message).where(here, Message.kind == SHOWN))


#: The newest answer first; a correction is none.
_ANSWERS = TAUGHT.where(ANSWERED.kind == "text").order_by(ANSWERED.id.desc())
_ONE = _ANSWERS.where(ASKED.id == bindparam("id"))
