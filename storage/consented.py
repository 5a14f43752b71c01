"""The questions and answers that may be learnt from: of people who said yes to exactly that.

Read anew for every training run, so that whoever withdraws or erases is gone from the next one.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from storage.models import Consent, Conversation, Message, Person
from storage.store import Store

TRAINING = "training"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question and the answer it got, and the id of the question's message."""

    message_id: int
    question: str = field(repr=False)
    answer: str = field(repr=False)


def exchanges(store: Store, sources: tuple[str, ...]) -> Iterator[Exchange]:
    """Answered questions of people whose newest word on training is yes, oldest first.

    `sources` are the answers' sources that may be taught (see `core.messages.Source`).
    """
    asked, answered = aliased(Message), aliased(Message)
    newest = (
        select(func.max(Consent.id))
        .where(Consent.kind == TRAINING, Consent.person_id == Person.id)
        .scalar_subquery()
    )
    query = (
        select(asked.id, asked.body, answered.body, Person.data_key)
        .join(answered, answered.reply_to == asked.id)
        .join(Conversation, Conversation.id == asked.conversation_id)
        .join(Person, Person.id == Conversation.person_id)
        .join(Consent, Consent.id == newest)
        .where(
            asked.direction == "in",
            asked.kind == "text",
            asked.choice.is_(None),
            answered.direction == "out",
            answered.source.in_(sources),
            Consent.granted,
            Person.erased_at.is_(None),
        )
        .order_by(asked.id, answered.id)
    )
    with store.read() as connection:
        rows = connection.execute(query).all()
    for message_id, question, answer, key in rows:
        box = store.cipher.box(key)
        yield Exchange(message_id, box.open(question), box.open(answer))
