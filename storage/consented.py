"""The questions and answers that may be learnt from: of people who said yes to exactly that.

Read anew for every training run, so that whoever withdraws or erases is gone from the next one.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import aliased

from storage.models import Consent, Conversation, Message, Person
from storage.store import Store

TRAINING = "training"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question and the answer it got, the id of the question's message, and who answered."""

    message_id: int
    question: str = field(repr=False)
    answer: str = field(repr=False)
    source: str
    release: str | None


#: A question and one message that answers it.
ASKED, ANSWERED = aliased(Message), aliased(Message)


def exchanges(store: Store, sources: tuple[str, ...]) -> Iterator[Exchange]:
    """Answered questions of people whose newest word on training is yes, oldest first.

    `sources` are the answers' sources that may be taught (see `core.messages.Source`, and
    `storage.corrections` for what health workers put in their place).
    """
    query = TAUGHT.where(ANSWERED.source.in_(sources)).order_by(ASKED.id, ANSWERED.id)
    with store.read() as connection:
        rows = connection.execute(query).all()
    # A corrected answer is the later one: it takes the place of what was said.
    last = {row.id: row for row in rows}
    for row in last.values():
        yield opened(store, row)


def opened(store: Store, row: Any) -> Exchange:
    """A row of `TAUGHT` in words."""
    box = store.cipher.box(row.data_key)
    words = box.open(row.question), box.open(row.answer)
    return Exchange(row.id, *words, row.source, row.release)


def _taught() -> Select[Any]:
    """Every answered question of people whose newest word on training is yes."""
    said = aliased(Consent)
    newest = (
        select(func.max(said.id))
        .where(said.kind == TRAINING, said.person_id == Person.id)
        .correlate(Person)
        .scalar_subquery()
    )
    return (
        select(
            ASKED.id,
            ASKED.conversation_id,
            ASKED.body.label("question"),
            ANSWERED.body.label("answer"),
            ANSWERED.source,
            ANSWERED.release,
            Person.data_key,
        )
        .select_from(ASKED)
        .join(
            ANSWERED,
            # The same conversation, and later: its index is read.
            (ANSWERED.conversation_id == ASKED.conversation_id)
            & (ANSWERED.id > ASKED.id)
            & (ANSWERED.reply_to == ASKED.id),
        )
        .join(Conversation, Conversation.id == ASKED.conversation_id)
        .join(Person, Person.id == Conversation.person_id)
        .join(Consent, Consent.id == newest)
        .where(
            ASKED.direction == "in",
            ASKED.kind == "text",
            ASKED.choice.is_(None),
            ANSWERED.direction == "out",
            Consent.granted,
            Person.erased_at.is_(None),
        )
    )


TAUGHT = _taught()
