"""A provider's words on messages that no sender has recorded yet.

Twilio calls back within milliseconds, sometimes before the sender that handed the message over has
written down its id. Such a word waits here and is given again once the message is known. Nothing
waits in turn for it: on PostgreSQL the two transactions could not see each other anyway.
"""

from sqlalchemy import delete, exists, select

from core.messages import DeliveryReport
from storage.models import EarlyReport, Outbox
from storage.store import Store


def keep(store: Store, word: DeliveryReport, *, now: float) -> bool:
    """Keep a word unless its message is known; whether it waits now. Raises StoreError."""
    known = select(Outbox.id).where(
        Outbox.channel == word.channel, Outbox.provider_id == word.provider_id
    )
    fresh = store.insert_once(EarlyReport).values(
        channel=word.channel,
        provider_id=word.provider_id,
        status=word.status,
        code=word.code[:32] if word.code else None,
        send_again=word.send_again,
        received_at=now,
    )
    with store.write() as connection:
        if connection.scalar(known.limit(1)) is not None:
            return False
        connection.execute(fresh)
        return True


def due(store: Store) -> list[DeliveryReport]:
    """The words whose message is known by now, in the order in which they came."""
    known = exists().where(
        Outbox.channel == EarlyReport.channel, Outbox.provider_id == EarlyReport.provider_id
    )
    with store.read() as connection:
        rows = connection.execute(
            select(EarlyReport.__table__).where(known).order_by(EarlyReport.received_at)
        )
        return [
            DeliveryReport(row.channel, row.provider_id, row.status, row.code, row.send_again)
            for row in rows
        ]


def drop(store: Store, word: DeliveryReport) -> None:
    """Forget a word that has been acted on. Raises StoreError."""
    with store.write(patient=True) as connection:
        connection.execute(
            delete(EarlyReport).where(
                EarlyReport.channel == word.channel,
                EarlyReport.provider_id == word.provider_id,
                EarlyReport.status == word.status,
            )
        )


def forget(store: Store, *, before: float) -> int:
    """Delete the words that came before a time: their message is not ours. How many."""
    with store.write(patient=True) as connection:
        return connection.execute(
            delete(EarlyReport).where(EarlyReport.received_at < before)
        ).rowcount
