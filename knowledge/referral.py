"""Numbers to call: emergency numbers and helplines, by country.

Knows data/helplines.yaml and the countries of two dialling codes. It neither calls nor checks a
number (`checked` in the file is a person's word for that) and knows no facility: that is
`knowledge.facilities`.
"""

import datetime
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from core.errors import LafiyaError
from core.yaml_files import read_yaml

HELPLINES: Final = Path(__file__).parent / "data" / "helplines.yaml"
COUNTRIES: Final = {"NG": {"ha": "Nijeriya", "en": "Nigeria"}, "NE": {"ha": "Nijar", "en": "Niger"}}
PLACEHOLDERS: Final = ("emergency", "suicide_line", "drug_line", "ncdc_line")

_DIALLING: Final = {"234": "NG", "227": "NE"}
_INTERNATIONAL: Final = re.compile(r"(?:\+|\b00)(\d{3})\d{6,}")
_OR: Final = {"ha": " ko ", "en": " or "}
_FIELD: Final = re.compile(r"\{(" + "|".join(PLACEHOLDERS) + r")\}")


class ReferralError(LafiyaError):
    """A helplines or facilities file cannot be used; says where and why."""


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
class Referral:
    """All numbers. Immutable, shared by all threads."""

    helplines: tuple[Helpline, ...]

    @classmethod
    def load(cls, helplines: Path | None = None) -> "Referral":
        """Read the helplines (default: ours).

        Raises: OSError when the file is missing, ReferralError when it breaks its format.
        """
        return cls(tuple(_helplines(helplines or HELPLINES)))

    def fill(self, text: str, *, country: str | None = None, language: str = "ha") -> str:
        """Return `text` with the placeholders {emergency}, {suicide_line}, {drug_line} and
        {ncdc_line} written out for `country` ("NG", "NE"; anything else: both countries).

        Other braces stay as they are. Never raises for a str.
        """
        spoken = language if language in _OR else "ha"
        return _FIELD.sub(lambda field: self._line(field[1], country, spoken), text)

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
        raw = read_yaml(path)
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
