"""What people call a release: a label beside the name that it was made with.

The name stays what answers are stamped with; a label is found wherever a name is looked for. No
label is any release's name, so that a word means one release.
"""

from sqlalchemy import Connection, select, update

from core.errors import ReleaseRefused
from storage import privacy
from storage.release_models import ReleaseRow
from storage.release_rows import release_row
from storage.store import Conflict, Store


def label(
    store: Store, name: str, label: str, *, actor: str, now: float, again: bool = False
) -> None:
    """Give a release its label; with `again` in place of the one that it has.

    Raises ReleaseRefused (unknown, labelled: it has one, taken: another release is called so).
    """
    try:
        with store.write() as connection:
            row = release_row(connection, name, lock=True)
            if row.label == label:
                return
            if row.label and not again:
                raise ReleaseRefused("labelled", f"{name} is called {row.label} already", name)
            if find(connection, label):
                raise _taken(label)
            change = update(ReleaseRow).where(ReleaseRow.name == name).values(label=label)
            connection.execute(change)
            privacy.audit(
                connection, "release.label", actor=actor, now=now, release=name, label=label
            )
    except Conflict:
        # Somebody else gave the same label at the same time: the index decides.
        raise _taken(label) from None


def find(connection: Connection, text: str) -> str | None:
    """The name of the release that a name or label means; None when there is none."""
    query = select(ReleaseRow.name).where((ReleaseRow.name == text) | (ReleaseRow.label == text))
    found = list(connection.scalars(query))
    return text if text in found else next(iter(found), None)


def _taken(label: str) -> ReleaseRefused:
    return ReleaseRefused("taken", f"another release is called {label}", label)
