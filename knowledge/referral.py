"""Where to send somebody: emergency numbers, helplines, and the facilities an operator supplied.

Knows data/helplines.yaml and the countries of two dialling codes. It neither calls nor checks a
number (`checked` in the file is a person's word for that) and knows no facility by itself.

The facilities file is a CSV in UTF-8 with this header; columns may stand in any order:

    state,lga,name,kind,address,phone,checked
    Kano,Nassarawa,"PHC Example","phc","Example road 1",,2026-10-01

`state` and `name` are needed in each row. `lga`, `address` and `phone` may be empty; `kind` is one
of phc, general, specialist, teaching, private, other (empty means other); `checked` is the day on
which somebody confirmed the row (YYYY-MM-DD) or empty. Names are compared without hooks and case.
"""

import csv
import datetime
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from core.errors import LafiyaError
from knowledge.folding import fold

HELPLINES: Final = Path(__file__).parent / "data" / "helplines.yaml"
COUNTRIES: Final = {"NG": {"ha": "Nijeriya", "en": "Nigeria"}, "NE": {"ha": "Nijar", "en": "Niger"}}
PLACEHOLDERS: Final = ("emergency", "suicide_line", "drug_line", "ncdc_line")
KINDS: Final = ("phc", "general", "specialist", "teaching", "private", "other")
COLUMNS: Final = ("state", "lga", "name", "kind", "address", "phone", "checked")

_DIALLING: Final = {"234": "NG", "227": "NE"}
_INTERNATIONAL: Final = re.compile(r"(?:\+|\b00)(\d{3})\d{6,}")
_OR: Final = {"ha": " ko ", "en": " or "}
_FIELD: Final = re.compile(r"\{(" + "|".join(PLACEHOLDERS) + r")\}")


class ReferralError(LafiyaError):
    """A helplines or facilities file cannot be used; says which line and why."""


@dataclass(frozen=True, slots=True)
class Helpline:
    """One number people may call. `name` and `label` have the keys "ha" and "en"."""

    id: str
    country: str
    number: str
    name: Mapping[str, str]
    label: Mapping[str, str]
    uses: tuple[str, ...]
    states: tuple[str, ...]
    source: str
    checked: datetime.date | None

    def shown(self, language: str, *, abroad: bool) -> str:
        """Return the number and its label: "112 (kyauta)", `abroad` "112 (Nijeriya, kyauta)"."""
        place = [COUNTRIES[self.country][language]] if abroad else []
        return f"{self.number} ({', '.join([*place, self.label[language]])})"


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


@dataclass(frozen=True, slots=True)
class Referral:
    """Numbers and facilities. Immutable, shared by all threads."""

    helplines: tuple[Helpline, ...]
    known: tuple[Facility, ...] = ()

    @classmethod
    def load(cls, helplines: Path | None = None, facilities: Path | None = None) -> "Referral":
        """Read the helplines (default: ours) and, when given, the operator's facilities.

        Raises: OSError when a file is missing, ReferralError when one breaks its format.
        """
        path = helplines or HELPLINES
        lines = tuple(_helplines(path))
        return cls(lines, tuple(_facilities(facilities)) if facilities else ())

    def fill(self, text: str, *, country: str | None = None, language: str = "ha") -> str:
        """Return `text` with the placeholders {emergency}, {suicide_line}, {drug_line} and
        {ncdc_line} written out for `country` ("NG", "NE"; anything else: both countries).

        Other braces stay as they are. Never raises for a str.
        """
        spoken = language if language in _OR else "ha"
        return _FIELD.sub(lambda field: self._line(field[1], country, spoken), text)

    def facilities(self, state: str, lga: str | None = None) -> tuple[Facility, ...]:
        """Return the facilities of `state`, only those of `lga` when it is given and has any."""
        there = tuple(row for row in self.known if fold(row.state) == fold(state))
        near = tuple(row for row in there if lga and fold(row.lga) == fold(lga))
        return near or there

    def numbers(self) -> frozenset[str]:
        """Return every number of the helplines, digits only."""
        return frozenset(re.sub(r"\D", "", line.number) for line in self.helplines)

    def _line(self, use: str, country: str | None, language: str) -> str:
        lines = [line for line in self.helplines if use in line.uses]
        ours = [line for line in lines if line.country == country]
        shown = [line.shown(language, abroad=not ours) for line in ours or lines]
        return _OR[language].join(shown) or f"{{{use}}}"


def country_of(address: str) -> str | None:
    """Return "NG" or "NE" from a phone number (+234…, +227…, also after "whatsapp:"), else None."""
    found = _INTERNATIONAL.search(re.sub(r"[\s()-]", "", address))
    return _DIALLING.get(found[1]) if found else None


def _helplines(path: Path) -> Iterator[Helpline]:
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ReferralError(f"{path.name}: not YAML: {error}") from error
    if not isinstance(raw, dict) or not isinstance(raw.get("lines"), list):
        raise ReferralError(f"{path.name}: needs a list named `lines`")
    for number, row in enumerate(raw["lines"], start=1):
        try:
            yield _helpline(row)
        except (KeyError, TypeError, ValueError) as error:
            raise ReferralError(f"{path.name}: line {number} of `lines`: {error!r}") from error


def _helpline(row: Mapping[str, Any]) -> Helpline:
    if row["country"] not in COUNTRIES:
        raise ValueError(f"country must be one of {sorted(COUNTRIES)}")
    if not re.fullmatch(r"\d[\d ]+", str(row["number"])):
        raise ValueError(f"{row['number']!r} is not a number")
    unknown = set(row["uses"]) - set(PLACEHOLDERS)
    if unknown or not row["source"]:
        raise ValueError(f"unknown uses {sorted(unknown)}" if unknown else "no source")
    return Helpline(
        id=str(row["id"]),
        country=row["country"],
        number=str(row["number"]),
        name=_both(row["name"]),
        label=_both(row["label"]),
        uses=tuple(row["uses"]),
        states=tuple(row["states"]),
        source=str(row["source"]),
        checked=row["checked"],
    )


def _both(texts: Mapping[str, str]) -> dict[str, str]:
    return {language: str(texts[language]) for language in _OR}


def _facilities(path: Path) -> Iterator[Facility]:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        rows = csv.DictReader(lines)
        missing = {"state", "name"} - set(rows.fieldnames or ())
        if missing:
            raise ReferralError(f"{path.name}: line 1: no column {', '.join(sorted(missing))}")
        for row in rows:
            try:
                yield _facility(row)
            except ValueError as error:
                raise ReferralError(f"{path.name}: line {rows.line_num}: {error}") from error


def _facility(row: Mapping[str | None, Any]) -> Facility:
    if row.get(None):
        raise ValueError("more fields than the header has columns")
    cells = {name: str(row.get(name) or "").strip() for name in COLUMNS}
    for needed in ("state", "name"):
        if not cells[needed]:
            raise ValueError(f"{needed} is empty")
    if (cells["kind"] or "other") not in KINDS:
        raise ValueError(f"kind {cells['kind']!r} is not one of {', '.join(KINDS)}")
    checked = datetime.date.fromisoformat(cells["checked"]) if cells["checked"] else None
    return Facility(**{**cells, "kind": cells["kind"] or "other", "checked": checked})  # type: ignore[arg-type]
