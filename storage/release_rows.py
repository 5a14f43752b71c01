"""The rows about releases as values, read inside somebody's transaction. Changes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from core.errors import ReleaseRefused
from storage.release_models import LiveChange, LivePointer, ReleaseRow


@dataclass(frozen=True, slots=True)
class Pointer:
    """Which release answers (None: the base model) and how often that has changed."""

    counter: int = 0
    release: str | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """One release as the store knows it."""

    name: str
    state: str
    verdict: bool | None
    forced: str | None
    manifest_hash: str
    manifest: Mapping[str, Any]
    report: Mapping[str, Any]
    added_at: float
    judged_at: float | None
    live_at: float | None
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What a promotion led to: live now, or one more yes on the way there."""

    pointer: Pointer
    live: bool
    approvals: int


def pointer_row(connection: Connection) -> Pointer | None:
    """The pointer; None while nothing has ever been live."""
    row = connection.execute(select(LivePointer.counter, LivePointer.release)).first()
    return Pointer(row.counter, row.release) if row else None


def step_before(connection: Connection, here: Pointer) -> tuple[str | None, int | None]:
    """What was live before `here`, and where a rollback from there leads."""
    last = change_row(connection, here.counter)
    if last is None or last.back is None:
        raise ReleaseRefused("no_previous", "nothing was live before this")
    before = change_row(connection, last.back)
    return (before.release, before.back) if before else (None, None)


def change_row(connection: Connection, counter: int) -> Row[Any] | None:
    """One change of the pointer by the counter that it led to."""
    table = LiveChange.__table__
    return connection.execute(select(table).where(table.c.counter == counter)).first()


def release_row(connection: Connection, name: str, *, lock: bool = False) -> Row[Any]:
    """One release, held until the commit with `lock`. Raises ReleaseRefused (unknown)."""
    query = select(ReleaseRow.__table__).where(ReleaseRow.name == name)
    row = connection.execute(query.with_for_update() if lock else query).first()
    if row is None:
        raise ReleaseRefused("unknown", f"there is no release called {name}", name)
    return row
