"""One vetted answer as a file: the schema of `topics/*.yaml`, read strictly.

Knows which fields a topic has and names the file and the field when one is wrong. Does not know
how a topic is found (`knowledge.library`) or whether its text is good (`knowledge.content`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from core.yaml_files import read_yaml

LANGUAGES = ("ha", "en")
STATUSES = ("draft", "reviewed")
TEXT_FIELDS = ("title", "answer", "clinic_today", "more", "avoid")
FIELDS = ("id", "questions", "source", "status", "reviewer", "review_by", *TEXT_FIELDS)
TOPICS = Path(__file__).parent / "topics"

_SOURCE_WORD = {"ha": "Tushe", "en": "Source"}


class LibraryError(ValueError):
    """A topic file does not follow the schema; the message names the file and the field."""


@dataclass(frozen=True, slots=True)
class Source:
    """A published guideline: its name and edition year."""

    name: str
    year: int

    def __str__(self) -> str:
        return f"{self.name}, {self.year}"


@dataclass(frozen=True, slots=True)
class Topic:
    """One vetted answer, in Hausa ("ha") and English ("en")."""

    id: str
    title: Mapping[str, str]
    questions: tuple[str, ...]
    answer: Mapping[str, str]
    clinic_today: Mapping[str, str]
    more: Mapping[str, str]
    avoid: Mapping[str, str]
    source: tuple[Source, ...]
    status: str
    reviewer: str | None
    review_by: date

    def first(self, language: str) -> str:
        """The first message: what to do, then when to go to a clinic today."""
        return f"{self.answer[language]}\n\n{self.clinic_today[language]}"

    def further(self, language: str) -> str:
        """What is sent on request: details, what to avoid, and one line with the source."""
        sources = "; ".join(str(source) for source in self.source)
        line = f"{_SOURCE_WORD[language]}: {sources}"
        return f"{self.more[language]}\n\n{self.avoid[language]}\n\n{line}"


def load_topics(folder: Path | None = None) -> dict[str, Topic]:
    """Read every `*.yaml` of `folder`, in order of name. Raises `LibraryError`."""
    topics = {}
    for path in sorted((folder or TOPICS).glob("*.yaml")):
        topic = read_topic(path)
        topics[topic.id] = topic
    return topics


def read_topic(path: Path) -> Topic:
    """Read one topic file. Raises `LibraryError` naming the file and the field."""

    def fail(field: str, why: str) -> LibraryError:
        return LibraryError(f"{path.name}: {field}: {why}")

    row = _mapping(path, fail)
    if row["id"] != path.stem:
        raise fail("id", f"must be the file's name, {path.stem!r}, not {row['id']!r}")
    texts = {name: _both(row[name], name, fail) for name in TEXT_FIELDS}
    return Topic(
        id=path.stem,
        questions=_questions(row["questions"], fail),
        source=_sources(row["source"], fail),
        status=_status(row["status"], fail),
        reviewer=_reviewer(row["reviewer"], row["status"], fail),
        review_by=_date(row["review_by"], fail),
        **texts,
    )


_Fail = Callable[[str, str], LibraryError]


def _mapping(path: Path, fail: _Fail) -> dict[str, Any]:
    try:
        row = read_yaml(path)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise fail("file", f"is not YAML: {error}") from error
    if not isinstance(row, dict):
        raise fail("file", "must be a mapping")
    missing = [name for name in FIELDS if name not in row]
    unknown = [str(name) for name in row if name not in FIELDS]
    if missing or unknown:
        raise fail(", ".join(missing + unknown), "missing" if missing else "unknown field")
    return row


def _both(value: object, name: str, fail: _Fail) -> Mapping[str, str]:
    if not isinstance(value, dict) or set(value) != set(LANGUAGES):
        raise fail(name, "needs exactly the keys ha and en")
    for language, text in value.items():
        if not isinstance(text, str) or not text.strip():
            raise fail(f"{name}.{language}", "must be text")
    return MappingProxyType({language: value[language].strip() for language in LANGUAGES})


def _questions(value: object, fail: _Fail) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise fail("questions", "must be a list of phrasings")
    for number, question in enumerate(value, start=1):
        if not isinstance(question, str) or not question.strip():
            raise fail(f"questions[{number}]", "must be text (quote it)")
    return tuple(question.strip() for question in value)


def _sources(value: object, fail: _Fail) -> tuple[Source, ...]:
    if not isinstance(value, list) or not value:
        raise fail("source", "must be a list of {name, year}")
    sources = []
    for number, row in enumerate(value, start=1):
        if not isinstance(row, dict) or set(row) != {"name", "year"}:
            raise fail(f"source[{number}]", "needs exactly the keys name and year")
        if not isinstance(row["name"], str) or not isinstance(row["year"], int):
            raise fail(f"source[{number}]", "name must be text and year a number")
        sources.append(Source(row["name"], row["year"]))
    return tuple(sources)


def _status(value: object, fail: _Fail) -> str:
    if value not in STATUSES:
        raise fail("status", f"must be one of {', '.join(STATUSES)}, not {value!r}")
    return str(value)


def _reviewer(value: object, status: object, fail: _Fail) -> str | None:
    if value is not None and (not isinstance(value, str) or not value.strip()):
        raise fail("reviewer", "must be a name or null")
    if status == "reviewed" and value is None:
        raise fail("reviewer", "a reviewed topic names who signed it")
    return value


def _date(value: object, fail: _Fail) -> date:
    if type(value) is not date:
        raise fail("review_by", "must be a date like 2027-05-31")
    return value
