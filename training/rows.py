"""Conversations as people keep them: ShareGPT, OpenAI messages, question and answer; any file.

Knows shapes and files, and says what is wrong with a row by file and line, in words. Does not
judge what a row says: that is `training.clean`.
"""

import csv
import io
import json
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from core.errors import LafiyaError
from core.messages import Past
from inference.engine import Passage

#: A message longer than this is a file pasted into a cell, not something a person said.
LONGEST: Final = 20_000
_ROLES: Final = {
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "model": "assistant",
    "bot": "assistant",
}
#: Column names of question-and-answer tables, as the common data sets have them.
_PAIRS: Final = (
    ("prompt", "response"),
    ("prompt", "completion"),
    ("question", "answer"),
    ("instruction", "output"),
    ("input", "output"),
)
_EXPECTED: Final = (
    'a row needs "conversations" (from/value), "messages" (role/content), '
    'or "prompt" and "response"'
)


class DataError(LafiyaError):
    """A source of training data cannot be read at all; says which and what to do."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """Turns that begin with a person and end with an assistant, and where they were read.

    `topic` is the library's topic that the first answer was taken from, where that is known;
    `passages` are what the model is shown with the last question (`training.grounding`).
    """

    turns: tuple[Past, ...] = field(repr=False)
    file: str = ""
    line: int = 0
    topic: str = ""
    passages: tuple[Passage, ...] = field(default=(), repr=False)

    @property
    def question(self) -> str:
        """What the person wrote first."""
        return self.turns[0].text

    @property
    def answer(self) -> str:
        """What the assistant wrote last."""
        return self.turns[-1].text

    def record(self) -> dict[str, Any]:
        """The conversation as one line of an OpenAI-style JSONL file, passages beside it."""
        record: dict[str, Any] = {
            "messages": [{"role": turn.role, "content": turn.text} for turn in self.turns]
        }
        if self.passages:
            record["passages"] = [{"id": one.id, "text": one.text} for one in self.passages]
        return record


@dataclass(frozen=True, slots=True)
class Fault:
    """A row that cannot be used, and why, for the person who keeps the file."""

    file: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.what}"


class _Wrong(ValueError):
    """What is wrong with one row."""


Read = Iterator[Conversation | Fault]


def read(path: Path) -> Read:
    """Every row of a file, good or faulty, in order.

    .jsonl (or .ndjson), .json (a list, or {"data": [...]}), .csv, .tsv and .parquet; a .gz is not
    opened. Raises DataError for a file that cannot be read at all, or that holds nothing.
    """
    readers: dict[str, Callable[[Path], Read]] = {
        ".jsonl": _read_jsonl,
        ".ndjson": _read_jsonl,
        ".json": _read_json,
        ".csv": _read_csv,
        ".tsv": _read_csv,
        ".parquet": _read_parquet,
    }
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise DataError(f"{path}: not one of {', '.join(sorted(readers))}")
    try:
        if path.stat().st_size == 0:
            raise DataError(f"{path}: the file is empty")
        yield from reader(path)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from None


def parse(row: object, file: str, line: int) -> Conversation | Fault:
    """One row of any known shape. Never raises: what is wrong is a Fault with its line."""
    try:
        return Conversation(_checked(_turns(row)), file, line)
    except _Wrong as wrong:
        return Fault(file, line, str(wrong))


def _turns(row: object) -> list[tuple[str, str]]:
    """The (role, text) pairs of a row."""
    if not isinstance(row, Mapping):
        raise _Wrong(f"a row must be an object, not {type(row).__name__}; {_EXPECTED}")
    for column in ("conversations", "messages"):
        if row.get(column) is not None:
            return [_turn(item, number) for number, item in enumerate(_items(row[column], column))]
    for asked, answered in _PAIRS:
        if asked in row and answered in row:
            return [
                ("user", _text(row[asked], asked)),
                ("assistant", _text(row[answered], answered)),
            ]
    seen = ", ".join(sorted(str(name)[:40] for name in row)[:8]) or "nothing"
    raise _Wrong(f"{_EXPECTED}; this one has: {seen}")


def _items(value: object, column: str) -> list[object]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise _Wrong(f'"{column}" is text that is not JSON') from None
    # Parquet gives a numpy array for a list.
    items = list(value) if hasattr(value, "__iter__") and not isinstance(value, Mapping) else None
    if not items:
        raise _Wrong(f'"{column}" must be a list of turns with at least a question and an answer')
    return items


def _turn(item: object, number: int) -> tuple[str, str]:
    where = f"turn {number + 1}"
    if not isinstance(item, Mapping):
        raise _Wrong(f"{where} must be an object with from/value or role/content")
    role = item.get("from", item.get("role"))
    if not isinstance(role, str):
        raise _Wrong(f'{where} has no "from" or "role"')
    return role.strip().lower(), _text(item.get("value", item.get("content")), where)


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise _Wrong(f"{where}: the text is missing, or is not text")
    if len(value) > LONGEST:
        raise _Wrong(f"{where}: {len(value):,} characters; the most is {LONGEST:,}")
    if any(0xD800 <= ord(char) <= 0xDFFF for char in value):
        raise _Wrong(f"{where}: holds half a character (a broken copy)")
    return unicodedata.normalize("NFC", value).strip()


def _checked(turns: list[tuple[str, str]]) -> tuple[Past, ...]:
    """The turns in order, without the data's own system prompt: ours is the only one."""
    if turns and turns[0][0] == "system":
        turns = turns[1:]
    for number, (role, text) in enumerate(turns, 1):
        known = _ROLES.get(role)
        if known is None:
            raise _Wrong(f'turn {number}: "{role[:40]}" is not a role (user or assistant)')
        if known != ("user", "assistant")[(number - 1) % 2]:
            raise _Wrong(f"turn {number}: user and assistant must take turns, user first")
        if not text:
            raise _Wrong(f"turn {number} is empty")
    if not turns or len(turns) % 2:
        raise _Wrong("the last turn must be the assistant's answer")
    return tuple(Past(_ROLES[role], text) for role, text in turns)


def _read_jsonl(path: Path) -> Read:
    with path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            if raw.strip():
                yield _line(raw, path.name, number)


def _line(raw: bytes, name: str, number: int) -> Conversation | Fault:
    try:
        return parse(json.loads(raw.decode("utf-8-sig" if number == 1 else "utf-8")), name, number)
    except UnicodeDecodeError:
        return Fault(name, number, "not UTF-8: save the file again with the encoding UTF-8")
    except (ValueError, RecursionError) as error:
        why = getattr(error, "msg", "nested too deeply")
        return Fault(name, number, f"not JSON ({why}, column {getattr(error, 'colno', 1)})")


def _read_json(path: Path) -> Read:
    text = _decoded(path)
    try:
        rows = json.loads(text)
    except RecursionError:
        raise DataError(f"{path}: nested too deeply") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise DataError(f"{path}, {where}: not JSON ({error.msg})") from None
    if isinstance(rows, dict) and isinstance(rows.get("data"), list):
        rows = rows["data"]
    if not isinstance(rows, list) or not rows:
        raise DataError(f"{path}: must be a list of conversations with at least one in it")
    for number, row in enumerate(rows, 1):
        yield parse(row, path.name, number)


def _read_csv(path: Path) -> Read:
    text = _decoded(path)
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))
    table = csv.DictReader(
        io.StringIO(text, newline=""), delimiter="\t" if path.suffix.lower() == ".tsv" else ","
    )
    try:
        for row in table:
            named = {str(k).strip().lower(): v for k, v in row.items() if k is not None}
            yield parse(named, path.name, table.line_num)
    except csv.Error as error:
        raise DataError(f"{path}, line {table.line_num}: {error}") from None


def _read_parquet(path: Path) -> Read:
    # Their functions carry no types.
    parquet: Any = import_module("pyarrow.parquet")
    broken: Any = import_module("pyarrow").ArrowException
    try:
        table = parquet.ParquetFile(path)
        number = 0
        for batch in table.iter_batches(batch_size=1000):
            for row in batch.to_pylist():
                number += 1
                yield parse(row, path.name, number)
    except broken as error:
        raise DataError(
            f"{path}: not a Parquet file ({str(error).splitlines()[0][:120]})"
        ) from None


def _decoded(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise DataError(
            f"{path}, line {line}: not UTF-8; save the file again with the encoding UTF-8"
        ) from None
