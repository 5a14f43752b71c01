"""Health facilities that an operator supplied, and which of them lie where somebody says they are.

Knows the format of the operator's file (docs/facilities.md) and the names of places. Knows no
facility by itself, no distance and no opening hours: what is not in the file does not exist here.
"""

import csv
import datetime
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from knowledge.folding import fold
from knowledge.places import Place, Places
from knowledge.referral import ReferralError

KINDS: Final = ("phc", "general", "specialist", "teaching", "private", "other")
COLUMNS: Final = ("state", "lga", "name", "kind", "address", "phone", "checked")
NEEDED: Final = ("state", "name")
LONGEST: Final = 120

#: Which kind is named first: in an emergency where operations and blood are, else the nearest door.
_URGENT: Final = ("teaching", "specialist", "general", "private", "phc", "other")
_ORDINARY: Final = ("phc", "general", "private", "specialist", "teaching", "other")


@dataclass(frozen=True, slots=True)
class Facility:
    """One health facility from the operator's file."""

    state: str
    lga: str
    name: str
    kind: str
    address: str
    phone: str
    checked: datetime.date | None

    def __str__(self) -> str:
        """Name, where it is and its number, as far as the file has them."""
        where = ", ".join(filter(None, (self.address, self.lga, self.state)))
        return f"{self.name} ({where}){f': {self.phone}' if self.phone else ''}"


@dataclass(frozen=True, slots=True)
class Facilities:
    """The operator's list. Immutable, shared by all threads; false when there is none."""

    known: tuple[Facility, ...]
    places: Places

    @classmethod
    def load(cls, path: Path) -> "Facilities":
        """Read the operator's file.

        Raises: ReferralError naming the line and the column, or that the file cannot be read.
        """
        places = Places.load()
        known = tuple(_rows(path, places))
        return cls(known, Places.load((row.state, row.lga) for row in known if row.lga))

    @classmethod
    def none(cls) -> "Facilities":
        """Return what an operator without a file has."""
        return cls((), Places({}, {}, {}, {}))

    def __bool__(self) -> bool:
        return bool(self.known)

    def at(self, places: Sequence[Place], *, urgent: bool = False) -> tuple[Facility, ...]:
        """Return the facilities of `places`; of a whole state when none lies in the local one."""
        order = _URGENT if urgent else _ORDINARY
        found = [row for place in places for row in self._in(place)]
        return tuple(sorted(dict.fromkeys(found), key=lambda row: order.index(row.kind)))

    def _in(self, place: Place) -> list[Facility]:
        there = [row for row in self.known if row.state == place.state]
        near = [row for row in there if place.lga and fold(row.lga) == fold(place.lga)]
        return near or there


def _rows(path: Path, places: Places) -> Iterator[Facility]:
    table = _table(path)
    rows = csv.DictReader(io.StringIO(table, newline=""), delimiter=_delimiter(table))
    rows.fieldnames = [str(name).strip().lower() for name in rows.fieldnames or ()]
    missing = [name for name in NEEDED if name not in rows.fieldnames]
    if missing:
        raise ReferralError(f"{path.name}: line 1: no column {', '.join(missing)}")
    try:
        for row in rows:
            if any(row.values()):
                yield _facility(row, places)
    except (ValueError, csv.Error) as error:
        raise ReferralError(f"{path.name}: line {rows.line_num}: {error}") from error


def _table(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ReferralError(f"{path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ReferralError(
            f"{path.name}: line {line}: not UTF-8; save the file as UTF-8"
        ) from None


def _delimiter(table: str) -> str:
    # Spreadsheets of French-speaking offices write semicolons.
    head = table.partition("\n")[0]
    return ";" if head.count(";") > head.count(",") else ","


def _facility(row: Mapping[str | None, Any], places: Places) -> Facility:
    if row.get(None):
        raise ValueError("more fields than the header has columns")
    cells = {name: " ".join(str(row.get(name) or "").split()) for name in COLUMNS}
    for name, cell in cells.items():
        if name in NEEDED and not cell:
            raise ValueError(f"column {name}: is empty")
        if len(cell) > LONGEST:
            raise ValueError(f"column {name}: longer than {LONGEST} characters")
    state = places.state(cells["state"])
    if state is None:
        raise ValueError(
            f"column state: {cells['state']!r} is no state of Nigeria or region of Niger"
        )
    kind = cells["kind"].lower() or "other"
    if kind not in KINDS:
        raise ValueError(f"column kind: {cells['kind']!r} is not one of {', '.join(KINDS)}")
    return Facility(**{**cells, "state": state, "kind": kind, "checked": _day(cells["checked"])})  # type: ignore[arg-type]


def _day(cell: str) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(cell) if cell else None
    except ValueError:
        raise ValueError(f"column checked: {cell!r} is not a day as in 2026-10-01") from None
