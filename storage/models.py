"""The tables, but for those of releases (`storage.release_models`).

Knows columns, constraints and indexes; no query and no decision lives here.

Times are seconds since the epoch (UTC, float). Bodies, names and addresses are text that
`storage.cipher` made: readable without a DATA_KEY, encrypted with one.
"""

from sqlalchemy import (
    JSON,
    Boolean,
    ColumnClause,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    false,
    literal_column,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from storage import release_models
from storage.base import NEVER_REUSE, Base, Id

#: Whoever knows these tables knows all: migrations compare them with the database.
METADATA = release_models.ReleaseRow.metadata
#: Statuses as literals, for queries that a partial index shall serve: SQLite never matches an
#: index's condition to a bound parameter, and PostgreSQL's generic plans do not either.
QUEUED: ColumnClause[str] = literal_column("'queued'")
RUNNING: ColumnClause[str] = literal_column("'running'")
DONE: ColumnClause[str] = literal_column("'done'")
SENDING: ColumnClause[str] = literal_column("'sending'")


class Meta(Base):
    """Facts about the database itself: the data key's fingerprint, the link secret."""

    __tablename__ = "meta"
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[str] = mapped_column(Text)


class Receipt(Base):
    """What was accepted, for ever once: this key decides that a second delivery is a no-op.

    Apart from messages, so that erasing a person does not open the door to an old delivery.
    """

    __tablename__ = "receipts"
    channel: Mapped[str] = mapped_column(String(16), primary_key=True)
    external_id: Mapped[str] = mapped_column(String(128), primary_key=True)
    received_at: Mapped[float] = mapped_column(Float, index=True)


class Person(Base):
    """Somebody who writes to us on one channel, and their conversation's settings."""

    __tablename__ = "people"
    __table_args__ = (
        UniqueConstraint("channel", "identity"),
        Index(
            "ix_people_erased",
            "erased_at",
            sqlite_where=text("erased_at IS NOT NULL"),
            postgresql_where=text("erased_at IS NOT NULL"),
        ),
        NEVER_REUSE,
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    channel: Mapped[str] = mapped_column(String(16))
    identity: Mapped[str] = mapped_column(String(160))
    address: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text, default="")
    #: The person's own key, wrapped by DATA_KEY; empty when nothing is encrypted.
    data_key: Mapped[str] = mapped_column(Text, default="")
    language: Mapped[str] = mapped_column(String(8), default="ha")
    country: Mapped[str | None] = mapped_column(String(2), default=None)
    stopped: Mapped[bool] = mapped_column(Boolean, default=False)
    created_at: Mapped[float] = mapped_column(Float)
    #: Set when everything was erased; the row itself goes once the goodbye is delivered.
    erased_at: Mapped[float | None] = mapped_column(Float, default=None)


class Consent(Base):
    """One yes or no, with what it was about and when. The newest of a kind counts."""

    __tablename__ = "consents"
    __table_args__ = NEVER_REUSE
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(16))  # service | training
    granted: Mapped[bool] = mapped_column(Boolean)
    version: Mapped[str] = mapped_column(String(32))
    at: Mapped[float] = mapped_column(Float)


class Conversation(Base):
    """A person's thread with us, and what it was about last."""

    __tablename__ = "conversations"
    __table_args__ = NEVER_REUSE
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), unique=True)
    #: The ids of the messages that wait for consent, to be answered together after the yes.
    waiting: Mapped[list[int]] = mapped_column(JSON, default=list)
    #: The numbered choices shown last: [[id, label], ...].
    menu: Mapped[list[list[str]]] = mapped_column(JSON, default=list)
    #: The library topic answered last, for "ƙari".
    topic: Mapped[str | None] = mapped_column(String(64), default=None)
    noticed_at: Mapped[float | None] = mapped_column(Float, default=None)
    training_asked_at: Mapped[float | None] = mapped_column(Float, default=None)
    last_in_at: Mapped[float] = mapped_column(Float, default=0.0)
    opened_at: Mapped[float] = mapped_column(Float)


class Message(Base):
    """One message, in or out, with who worded it and how long it took."""

    __tablename__ = "messages"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"))
    direction: Mapped[str] = mapped_column(String(3))  # in | out
    channel: Mapped[str] = mapped_column(String(16))
    external_id: Mapped[str | None] = mapped_column(String(128), default=None)
    kind: Mapped[str] = mapped_column(String(16), default="text")
    body: Mapped[str] = mapped_column(Text)
    choice: Mapped[str | None] = mapped_column(String(64), default=None)
    edited: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    reply_to: Mapped[int | None] = mapped_column(Id, default=None)
    source: Mapped[str | None] = mapped_column(String(16), default=None)
    danger_sign: Mapped[str | None] = mapped_column(String(64), default=None)
    urgency: Mapped[str | None] = mapped_column(String(16), default=None)
    topic: Mapped[str | None] = mapped_column(String(64), default=None)
    engine: Mapped[str | None] = mapped_column(String(32), default=None)
    release: Mapped[str | None] = mapped_column(String(64), default=None)
    reason: Mapped[str | None] = mapped_column(String(64), default=None)
    #: The provider's own time of an incoming message.
    sent_at: Mapped[float | None] = mapped_column(Float, default=None)
    created_at: Mapped[float] = mapped_column(Float, index=True)
    #: How long the answer took to make, in seconds.
    seconds: Mapped[float | None] = mapped_column(Float, default=None)

    __table_args__ = (Index("ix_messages_conversation", "conversation_id", "id"), NEVER_REUSE)


class Job(Base):
    """One accepted message that must be answered once."""

    __tablename__ = "jobs"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    #: The message's, copied here for the indexes below. No foreign key: the message's own one
    #: vouches for it, and a second cascade would need an index over all jobs ever done.
    conversation_id: Mapped[int] = mapped_column(Id)
    message_id: Mapped[int] = mapped_column(
        ForeignKey("messages.id", ondelete="CASCADE"), unique=True
    )
    urgent: Mapped[bool] = mapped_column(Boolean, default=False)
    status: Mapped[str] = mapped_column(String(8), default="queued")  # queued | running | done
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    run_after: Mapped[float] = mapped_column(Float)
    lease: Mapped[str | None] = mapped_column(String(40), default=None)
    lease_until: Mapped[float | None] = mapped_column(Float, default=None)
    created_at: Mapped[float] = mapped_column(Float)
    ended_at: Mapped[float | None] = mapped_column(Float, default=None)

    __table_args__ = (
        # Invariant 3, decided by the database: a query cannot see another's uncommitted claim.
        Index(
            "uq_jobs_one_running",
            "conversation_id",
            unique=True,
            sqlite_where=text("status = 'running' AND NOT urgent"),
            postgresql_where=text("status = 'running' AND NOT urgent"),
        ),
        # In the order of claiming, so that a claim stops at the first job it may take.
        Index(
            "ix_jobs_open",
            text("urgent DESC"),
            "id",
            sqlite_where=text("status <> 'done'"),
            postgresql_where=text("status <> 'done'"),
        ),
        Index(
            "ix_jobs_open_by_conversation",
            "conversation_id",
            "id",
            sqlite_where=text("status <> 'done'"),
            postgresql_where=text("status <> 'done'"),
        ),
        NEVER_REUSE,
    )


#: Rows of the outbox that still have to go.
OPEN = "status IN ('queued', 'sending')"


class Outbox(Base):
    """One part of a reply on its way to a provider, and what became of it.

    queued → sending → sent, or back to queued; ends as refused, expired or doubtful.
    `waiting`: outside the provider's window, held until the person writes again.
    """

    __tablename__ = "outbox"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    conversation_id: Mapped[int] = mapped_column(
        ForeignKey("conversations.id", ondelete="CASCADE"), index=True
    )
    message_id: Mapped[int] = mapped_column(
        ForeignKey("messages.id", ondelete="CASCADE"), index=True
    )
    channel: Mapped[str] = mapped_column(String(16))
    urgent: Mapped[bool] = mapped_column(Boolean, default=False)
    body: Mapped[str] = mapped_column(Text)
    choices: Mapped[list[list[str]]] = mapped_column(JSON, default=list)
    document_name: Mapped[str | None] = mapped_column(String(64), default=None)
    document: Mapped[str | None] = mapped_column(Text, default=None)
    #: The approved template instead of the text, to ask the person to write.
    template: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    status: Mapped[str] = mapped_column(String(8), default="queued")
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    doubts: Mapped[int] = mapped_column(Integer, default=0)
    not_before: Mapped[float] = mapped_column(Float)
    expires_at: Mapped[float] = mapped_column(Float)
    lease: Mapped[str | None] = mapped_column(String(40), default=None)
    lease_until: Mapped[float | None] = mapped_column(Float, default=None)
    created_at: Mapped[float] = mapped_column(Float)
    ended_at: Mapped[float | None] = mapped_column(Float, default=None, index=True)
    provider_id: Mapped[str | None] = mapped_column(String(64), default=None, index=True)
    #: The provider's later word (Twilio: delivered, read, undelivered ...) and its last code.
    provider_status: Mapped[str | None] = mapped_column(String(16), default=None)
    code: Mapped[str | None] = mapped_column(String(32), default=None)

    __table_args__ = (
        Index(
            "uq_outbox_one_sending",
            "conversation_id",
            unique=True,
            sqlite_where=text("status = 'sending' AND NOT urgent"),
            postgresql_where=text("status = 'sending' AND NOT urgent"),
        ),
        # In the order of sending: a channel that is down must not slow down the others.
        Index(
            "ix_outbox_open",
            "channel",
            text("urgent DESC"),
            "id",
            sqlite_where=text(OPEN),
            postgresql_where=text(OPEN),
        ),
        Index(
            "ix_outbox_open_by_conversation",
            "conversation_id",
            "urgent",
            "id",
            sqlite_where=text(OPEN),
            postgresql_where=text(OPEN),
        ),
        NEVER_REUSE,
    )


class EarlyReport(Base):
    """A provider's word on a message that we do not know yet: its sender has not recorded it.

    Each word once, by this key. Ids of the provider only: nothing of a person.
    """

    __tablename__ = "early_reports"
    channel: Mapped[str] = mapped_column(String(16), primary_key=True)
    provider_id: Mapped[str] = mapped_column(String(128), primary_key=True)
    status: Mapped[str] = mapped_column(String(32), primary_key=True)
    code: Mapped[str | None] = mapped_column(String(32), default=None)
    send_again: Mapped[bool] = mapped_column(Boolean)
    received_at: Mapped[float] = mapped_column(Float, index=True)


class Draft(Base):
    """The beginning of the answer to a message, as far as it may be seen, while it is written.

    Nothing durable: it goes when the reply is committed, and counts only while the job is open.
    """

    __tablename__ = "drafts"
    message_id: Mapped[int] = mapped_column(
        ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    body: Mapped[str] = mapped_column(Text)
    at: Mapped[float] = mapped_column(Float)


class Watch(Base):
    """An admin's conversation that is told how a run goes on, by the message that ordered it.

    open → ended (the final word is queued) → done (the progress message says so too).
    """

    __tablename__ = "watches"
    message_id: Mapped[int] = mapped_column(
        ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    #: `training.jobs.Jobs.key` of a run or an examination.
    run: Mapped[str] = mapped_column(String(64))
    status: Mapped[str] = mapped_column(String(8), default="open")
    #: What was told last. Names and figures of a run: nothing of a person.
    told: Mapped[str] = mapped_column(Text, default="")
    told_at: Mapped[float] = mapped_column(Float)
    #: Flood control: no edit before this time.
    not_before: Mapped[float] = mapped_column(Float, default=0.0)
    lease: Mapped[str | None] = mapped_column(String(40), default=None)
    lease_until: Mapped[float | None] = mapped_column(Float, default=None)


class Audit(Base):
    """Who did what: consents, stops, erasures, admin commands. No message text, no address."""

    __tablename__ = "audit"
    __table_args__ = NEVER_REUSE
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    at: Mapped[float] = mapped_column(Float, index=True)
    actor: Mapped[str] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(64))
    detail: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
