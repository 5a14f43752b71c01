"""The tables of releases: what there is, which one is live, who agreed, who serves what.

As in `storage.models`: columns, constraints and indexes; no query and no decision.
"""

from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base


class ReleaseRow(Base):
    """One release: what its manifest said when it was added, its verdict, and where it stands."""

    __tablename__ = "releases"
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    state: Mapped[str] = mapped_column(String(16), default="candidate")
    #: The evaluation's verdict; None: not judged yet.
    verdict: Mapped[bool | None] = mapped_column(Boolean, default=None)
    #: Why an admin put it live without a passed gate.
    forced: Mapped[str | None] = mapped_column(Text, default=None)
    #: Of release.json: an exchanged manifest is found out like an exchanged file.
    manifest_hash: Mapped[str] = mapped_column(String(64))
    manifest: Mapped[dict[str, Any]] = mapped_column(JSON)
    report: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    added_at: Mapped[float] = mapped_column(Float)
    judged_at: Mapped[float | None] = mapped_column(Float, default=None)
    live_at: Mapped[float | None] = mapped_column(Float, default=None)
    #: What people call it; the name is what answers are stamped with.
    label: Mapped[str | None] = mapped_column(String(48), default=None)

    __table_args__ = (
        CheckConstraint(
            "state IN ('candidate', 'passed', 'failed', 'live', 'retired')", name="ck_state"
        ),
        # Invariant 8, decided by the database whatever the code does.
        CheckConstraint("state <> 'live' OR verdict IS TRUE OR forced IS NOT NULL", name="ck_gate"),
        UniqueConstraint("name", "state"),
        Index("uq_releases_label", "label", unique=True),
        Index(
            "uq_releases_one_live",
            "state",
            unique=True,
            sqlite_where=text("state = 'live'"),
            postgresql_where=text("state = 'live'"),
        ),
    )


class LivePointer(Base):
    """The one row that says which release answers, everywhere; no release is the base model.

    `counter` counts every change: who decides on an old sight of it is refused. The foreign key
    covers the state: only what passed the gate can be pointed at.
    """

    __tablename__ = "live"
    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    counter: Mapped[int] = mapped_column(Integer)
    release: Mapped[str | None] = mapped_column(String(64), default=None)
    state: Mapped[str] = mapped_column(String(16), default="live")

    __table_args__ = (
        CheckConstraint("id = 1", name="ck_only"),
        CheckConstraint("state = 'live'", name="ck_live"),
        # Checked at the commit: within it one release retires and the next takes its place.
        ForeignKeyConstraint(
            ["release", "state"],
            ["releases.name", "releases.state"],
            deferrable=True,
            initially="DEFERRED",
        ),
    )


class LiveChange(Base):
    """One change of the live release; `back` is the change that a rollback of this one returns to.

    A rollback's own `back` is that of where it returned to: twice back is two steps back.
    """

    __tablename__ = "live_changes"
    counter: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    release: Mapped[str | None] = mapped_column(String(64), default=None)
    back: Mapped[int | None] = mapped_column(Integer, default=None)
    kind: Mapped[str] = mapped_column(String(16))  # start | promote | force | rollback
    actor: Mapped[str] = mapped_column(String(64))
    at: Mapped[float] = mapped_column(Float)


class Approval(Base):
    """A person's yes to putting a release live, until that has happened."""

    __tablename__ = "approvals"
    release: Mapped[str] = mapped_column(
        ForeignKey("releases.name", ondelete="CASCADE"), primary_key=True
    )
    actor: Mapped[str] = mapped_column(String(64), primary_key=True)
    at: Mapped[float] = mapped_column(Float)


class Tuning(Base):
    """What admins set from a chat for all processes: temperature, max_tokens, the candidate."""

    __tablename__ = "tuning"
    key: Mapped[str] = mapped_column(String(32), primary_key=True)
    value: Mapped[str] = mapped_column(String(64))


class Instance(Base):
    """One running process that answers: what it serves, and what keeps it from the live release."""

    __tablename__ = "instances"
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    engine: Mapped[str] = mapped_column(String(32))
    release: Mapped[str | None] = mapped_column(String(64), default=None)
    candidate: Mapped[str | None] = mapped_column(String(64), default=None)
    ready: Mapped[bool] = mapped_column(Boolean)
    reason: Mapped[str] = mapped_column(Text, default="")
    seen_at: Mapped[float] = mapped_column(Float)
