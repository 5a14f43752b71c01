"""Danger signs as reviewed data: what a sign is, and how its YAML file is read and checked.

Knows the file format and its rules. Does not match messages and makes up no text.
"""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from core.yaml_files import read_yaml

Urgency = Literal["now", "same-day"]
Status = Literal["draft", "reviewed"]

SIGNS: Final = Path(__file__).parent / "signs"
MAX_REPLY: Final = 600


class SignError(ValueError):
    """A sign file breaks a rule; the message names the file and the rule."""


@dataclass(frozen=True, slots=True)
class Sign:
    """One danger sign as clinicians review it.

    `note` goes under an ordinary answer to a message that only talks of the sign, where the line
    for all signs is not enough. Of a `sensitive` sign a word raises the alarm unless nearly
    everything else speaks against it.
    """

    id: str
    title_ha: str
    title_en: str
    urgency: Urgency
    reply: dict[str, str]
    note: dict[str, str] | None
    source: str
    status: Status
    reviewer: str | None
    review_by: datetime.date
    outranks: tuple[str, ...]
    sensitive: bool
    cries: tuple[str, ...]
    phrases: tuple[str, ...]
    patterns: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]
    near_misses: tuple[str, ...]


def load_signs(folder: Path = SIGNS) -> dict[str, Sign]:
    """Read every sign file of `folder`, by id in file order.

    Raises:
        SignError: a file breaks a rule, or `folder` holds none.
    """
    signs = {sign.id: sign for sign in map(_read, sorted(folder.glob("*.yaml")))}
    if not signs:
        raise SignError(f"{folder}: no sign files")
    for sign in signs.values():
        _require(set(sign.outranks) <= set(signs), sign.id, "outranks names an unknown sign")
    return signs


def _read(path: Path) -> Sign:
    raw = read_yaml(path)
    _require(isinstance(raw, dict), path.stem, "not a mapping")
    try:
        sign = _build(raw)
    except (KeyError, TypeError, ValueError) as error:
        raise SignError(f"{path.name}: {error!r}") from error
    _check(sign, path)
    return sign


def _build(raw: dict[str, Any]) -> Sign:
    return Sign(
        id=raw["id"],
        title_ha=raw["title_ha"],
        title_en=raw["title_en"],
        urgency=raw["urgency"],
        reply=_texts(raw["reply"]),
        note=_texts(raw["note"]) if raw.get("note") else None,
        source=raw["source"],
        status=raw["status"],
        reviewer=raw["reviewer"],
        review_by=raw["review_by"],
        outranks=_strings(raw.get("outranks")),
        sensitive=bool(raw.get("sensitive", False)),
        cries=_strings(raw.get("cries")),
        phrases=_strings(raw["phrases"]),
        patterns=_strings(raw["patterns"]),
        pairs=tuple((str(a), str(b)) for a, b in raw.get("pairs") or ()),
        near_misses=_strings(raw["near_misses"]),
    )


def _texts(raw: dict[str, str]) -> dict[str, str]:
    return {language: text.strip() for language, text in raw.items()}


def _strings(values: Iterable[object] | None) -> tuple[str, ...]:
    return tuple(str(value) for value in values or ())


def _check(sign: Sign, path: Path) -> None:
    _require(sign.id == path.stem, path.stem, "id differs from the file name")
    _require(sign.urgency in ("now", "same-day"), sign.id, "urgency")
    _require(sign.status in ("draft", "reviewed"), sign.id, "status")
    _require(isinstance(sign.review_by, datetime.date), sign.id, "review_by is not a date")
    _require(sign.status == "draft" or bool(sign.reviewer), sign.id, "reviewed without a reviewer")
    _require(set(sign.reply) == {"ha", "en"}, sign.id, "reply needs exactly ha and en")
    _require(not sign.note or set(sign.note) == {"ha", "en"}, sign.id, "note needs ha and en")
    for text in sign.reply.values():
        _require(len(text) <= MAX_REPLY, sign.id, "reply is too long")
        _require("{emergency}" in text or "{suicide_line}" in text, sign.id, "reply without number")


def _require(rule: bool, where: str, what: str) -> None:
    if not rule:
        raise SignError(f"{where}: {what}")
