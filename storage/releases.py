"""Releases and the pointer to the live one: every change of what answers, in one transaction.

The only writer of `releases`, `live`, `live_changes` and `approvals`. Knows rows, not files: what a
release is made of is `training.registry`'s business. `go_live` below is the one place where a
release becomes live, and the tables' constraints refuse what it would let through by mistake.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from core.errors import ReleaseRefused
from storage import privacy, release_names
from storage.release_models import Approval, LiveChange, LivePointer, ReleaseRow
from storage.release_rows import (
    Listed,
    Pointer,
    Step,
    change_row,
    pointer_row,
    release_row,
    step_before,
)
from storage.store import Store

__all__ = [
    "Listed",
    "Pointer",
    "Step",
    "add",
    "before",
    "exported",
    "find",
    "go_live",
    "judge",
    "listed",
    "pointer",
    "promote",
    "retire",
    "rollback",
]


def pointer(store: Store) -> Pointer:
    """The live release. Raises StoreError."""
    with store.read() as connection:
        return pointer_row(connection) or Pointer()


def listed(store: Store) -> list[Listed]:
    """Every release, the newest first."""
    query = select(ReleaseRow.__table__).order_by(
        ReleaseRow.added_at.desc(), ReleaseRow.name.desc()
    )
    with store.read() as connection:
        return [Listed(**row._mapping) for row in connection.execute(query)]


def find(store: Store, name: str) -> Listed:
    """One release by name or label. Raises ReleaseRefused (unknown)."""
    with store.read() as connection:
        known = release_names.find(connection, name) or name
        return Listed(**release_row(connection, known)._mapping)


def add(
    store: Store,
    name: str,
    manifest_hash: str,
    manifest: Mapping[str, Any],
    *,
    actor: str,
    now: float,
) -> None:
    """A new candidate; the same one again is no change. Raises ReleaseRefused (taken)."""
    values = {"manifest_hash": manifest_hash, "manifest": dict(manifest)}
    with store.write() as connection:
        new = store.insert_once(ReleaseRow, ReleaseRow.name).values(
            name=name, state="candidate", report={}, added_at=now, **values
        )
        if connection.scalar(new) is not None:
            if connection.scalar(select(ReleaseRow.name).where(ReleaseRow.label == name)):
                raise ReleaseRefused("taken", f"{name}: people call another release so", name)
            privacy.audit(connection, "release.add", actor=actor, now=now, release=name)
        elif release_row(connection, name).manifest_hash != manifest_hash:
            raise ReleaseRefused(
                "taken", f"{name}: another release has this name; releases never change", name
            )


def judge(
    store: Store, name: str, passed: bool, report: Mapping[str, Any], *, actor: str, now: float
) -> Mapping[str, Any]:
    """Record the gate's verdict; the report that this one has replaced, which may be empty.

    A retired release stays retired, with the new verdict; an earlier override is forgotten.
    Raises ReleaseRefused (unknown, live): roll a live one back first.
    """
    state = "passed" if passed else "failed"
    with store.write() as connection:
        row = release_row(connection, name, lock=True)
        if row.state == "live":
            raise ReleaseRefused("live", f"{name} is live: roll it back before judging it", name)
        connection.execute(
            update(ReleaseRow)
            .where(ReleaseRow.name == name)
            .values(
                state="retired" if row.state == "retired" else state,
                verdict=passed,
                forced=None,
                report=dict(report),
                judged_at=now,
            )
        )
        # Who agreed had agreed to another verdict.
        connection.execute(delete(Approval).where(Approval.release == name))
        privacy.audit(connection, f"release.{state}", actor=actor, now=now, release=name)
    return dict(row.report)


def promote(
    store: Store,
    name: str,
    *,
    actor: str,
    now: float,
    needed: int = 1,
    forced: str | None = None,
    expected: int | None = None,
) -> Step:
    """Say yes to a release, and with `needed` people's yes make it live.

    `forced` is the reason for going without a passed gate. `expected` is the pointer's counter as
    the decision saw it. Repeating what has been done by the same person with the same `expected`
    is no change. Raises ReleaseRefused: unknown, not_passed, failed, already_live, changed.
    """
    with store.write() as connection:
        here = _lock(connection, store)
        if _done(connection, here, expected, ("promote", "force"), actor, name):
            return Step(here, True, needed)
        _seen(here, expected)
        row = release_row(connection, name, lock=True)
        if here.release == name:
            raise ReleaseRefused("already_live", f"{name} is live already", name)
        _check_gate(row, forced)
        approvals = _approve(connection, store, name, actor, now)
        if approvals < needed:
            return Step(here, False, approvals)
        kind = "force" if forced and not row.verdict else "promote"
        step = LiveChange(release=name, back=here.counter, kind=kind, actor=actor, at=now)
        return Step(go_live(connection, here, step, forced), True, approvals)


def rollback(store: Store, *, actor: str, now: float, expected: int | None = None) -> Pointer:
    """Return to what was live before; again: one step further back.

    Raises ReleaseRefused: no_previous, changed, not_passed (it was judged anew and failed).
    """
    with store.write() as connection:
        here = _lock(connection, store)
        if _done(connection, here, expected, ("rollback",), actor):
            return here
        _seen(here, expected)
        name, back = step_before(connection, here)
        step = LiveChange(release=name, back=back, kind="rollback", actor=actor, at=now)
        return go_live(connection, here, step)


def before(store: Store) -> str | None:
    """Where a rollback would lead; None: the base model. Raises ReleaseRefused (no_previous)."""
    with store.read() as connection:
        return step_before(connection, pointer_row(connection) or Pointer())[0]


def go_live(
    connection: Connection, here: Pointer, step: LiveChange, forced: str | None = None
) -> Pointer:
    """Move the pointer: the one place where a release becomes live, behind the gate's condition.

    Raises ReleaseRefused (not_passed) when the release has no passed gate and no override.
    """
    counter, name = here.counter + 1, step.release
    if here.release:
        connection.execute(
            update(ReleaseRow).where(ReleaseRow.name == here.release).values(state="retired")
        )
    if name is not None:
        _make_live(connection, name, step, forced)
    connection.execute(update(LivePointer).values(counter=counter, release=name))
    connection.execute(
        insert(LiveChange).values(
            counter=counter,
            release=name,
            back=step.back,
            kind=step.kind,
            actor=step.actor,
            at=step.at,
        )
    )
    detail = {"release": name or "base", "before": here.release or "base", "counter": str(counter)}
    detail |= {"why": forced} if forced else {}
    privacy.audit(connection, f"release.{step.kind}", actor=step.actor, now=step.at, **detail)
    return Pointer(counter, name)


def retire(store: Store, name: str, *, actor: str, now: float) -> None:
    """Take a release out of the candidates. Raises ReleaseRefused (unknown, live)."""
    with store.write() as connection:
        if release_row(connection, name, lock=True).state == "live":
            raise ReleaseRefused("live", f"{name} is live: put another one live first", name)
        connection.execute(
            update(ReleaseRow).where(ReleaseRow.name == name).values(state="retired")
        )
        privacy.audit(connection, "release.retire", actor=actor, now=now, release=name)


def exported(store: Store, name: str, *, actor: str, now: float, **detail: str) -> None:
    """Note that a release leaves the house: by whom, in which form, and why if not by the gate.

    Raises ReleaseRefused (unknown).
    """
    with store.write() as connection:
        release_row(connection, name)
        said = {key: value for key, value in detail.items() if value}
        privacy.audit(connection, "release.export", actor=actor, now=now, release=name, **said)


def _make_live(connection: Connection, name: str, step: LiveChange, forced: str | None) -> None:
    change = update(ReleaseRow).where(ReleaseRow.name == name)
    if step.kind == "rollback":
        change = change.where(ReleaseRow.verdict.is_(True) | ReleaseRow.forced.is_not(None))
    elif not forced:
        change = change.where(ReleaseRow.verdict.is_(True))
    values = {"state": "live", "live_at": step.at} | ({"forced": forced} if forced else {})
    if connection.execute(change.values(**values)).rowcount != 1:
        raise ReleaseRefused("not_passed", f"{name} has not passed the gate", name)
    connection.execute(delete(Approval).where(Approval.release == name))


def _check_gate(row: Row[Any], forced: str | None) -> None:
    """Say no before anybody's yes is recorded; `go_live` decides again, for good."""
    if row.verdict or forced:
        return
    if row.verdict is None:
        raise ReleaseRefused("not_passed", f"{row.name} has not been judged yet", row.name)
    raise ReleaseRefused("failed", f"{row.name} failed the gate", row.name)


def _approve(connection: Connection, store: Store, name: str, actor: str, now: float) -> int:
    """Note one person's yes; how many there are."""
    yes = store.insert_once(Approval, Approval.actor).values(release=name, actor=actor, at=now)
    if connection.scalar(yes) is not None:
        privacy.audit(connection, "release.approve", actor=actor, now=now, release=name)
    count = select(func.count()).select_from(Approval).where(Approval.release == name)
    return connection.scalar(count) or 0


def _seen(here: Pointer, expected: int | None) -> None:
    if expected is not None and expected != here.counter:
        raise ReleaseRefused("changed", "somebody else has changed the live release meanwhile")


def _done(
    connection: Connection,
    here: Pointer,
    expected: int | None,
    kinds: tuple[str, ...],
    actor: str,
    name: str | None = None,
) -> bool:
    """Whether this very order was carried out, and only its answer was lost (a crash)."""
    if expected is None or here.counter != expected + 1:
        return False
    last = change_row(connection, here.counter)
    mine = last is not None and last.kind in kinds and last.actor == actor
    return mine and (name is None or here.release == name)


def _lock(connection: Connection, store: Store) -> Pointer:
    """The pointer, held until the commit: changes of it queue up. Makes it the first time."""
    start = {"counter": 0, "release": None, "back": None, "kind": "start", "actor": "", "at": 0.0}
    connection.execute(store.insert_once(LiveChange).values(**start))
    connection.execute(store.insert_once(LivePointer).values(id=1, counter=0, state="live"))
    connection.execute(select(LivePointer.id).with_for_update())
    return pointer_row(connection) or Pointer()
