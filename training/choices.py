"""Multiple-choice questions of public exams: Global-MMLU's medical subjects in Hausa, AfriMMLU.

Reads the files as their makers publish them and puts a question the way those exams do. Knows no
model: which letter one holds likeliest is found by `training.gemma.choice`.
"""

import ast
import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any, Final

from training.rows import DataError

LETTERS: Final = "ABCDE"
#: The subjects of MMLU (Hendrycks et al., 2021) that a health assistant can be asked about.
MEDICAL: Final = frozenset(
    {
        "anatomy",
        "clinical_knowledge",
        "college_biology",
        "college_medicine",
        "high_school_biology",
        "human_aging",
        "human_sexuality",
        "medical_genetics",
        "nutrition",
        "professional_medicine",
        "virology",
    }
)
_OPTIONS: Final = tuple(f"option_{letter.lower()}" for letter in LETTERS)


@dataclass(frozen=True, slots=True)
class Choice:
    """A question, its options in order, and the place of the right one."""

    question: str = field(repr=False)
    options: tuple[str, ...] = field(repr=False)
    right: int
    subject: str = ""

    def text(self) -> str:
        """As it is put to a model."""
        lines = (f"{letter}. {text}" for letter, text in zip(LETTERS, self.options, strict=False))
        return "\n".join((self.question, *lines, "Amsa da harafi ɗaya kawai:"))


def read(source: str, *, most: int = 2000) -> list[Choice]:
    """The questions of a file or hub set (`owner/name:config`); of a set with medical subjects
    only those. At most `most`, the first ones.

    .jsonl, .json, .csv, .tsv or .parquet with `question`, `answer` (a letter, or a number from 0)
    and `choices` or `option_a` to `option_d`. Raises DataError naming file and row.
    """
    found = [_choice(row, source, number) for number, row in enumerate(_rows(source), 1)]
    medical = [one for one in found if one.subject in MEDICAL]
    if not found:
        raise DataError(f"{source}: no questions in it")
    return list(islice(medical or found, most))


def _choice(row: Mapping[str, Any], source: str, number: int) -> Choice:
    where = f"{source}, question {number}"
    options = _options(row, where)
    question, right = row.get("question"), _place(row.get("answer"))
    if not isinstance(question, str) or not question.strip():
        raise DataError(f'{where}: "question" is missing')
    if right is None or right >= len(options):
        raise DataError(f'{where}: "answer" must be a letter, A to {LETTERS[len(options) - 1]}')
    return Choice(question.strip(), options, right, str(row.get("subject") or ""))


def _options(row: Mapping[str, Any], where: str) -> tuple[str, ...]:
    named = [row[name] for name in _OPTIONS if row.get(name) not in (None, "")]
    given = row.get("choices") or named
    if isinstance(given, str):  # AfriMMLU's tables hold a list as Python writes it
        try:
            given = ast.literal_eval(given)
        except (ValueError, SyntaxError):
            raise DataError(f'{where}: "choices" is no list') from None
    if not isinstance(given, list | tuple) or not 2 <= len(given) <= len(LETTERS):
        raise DataError(f'{where}: needs "choices", or "option_a" to "option_d"')
    return tuple(str(option).strip() for option in given)


def _place(answer: object) -> int | None:
    text = str(answer).strip().upper()
    if len(text) == 1 and text in LETTERS:
        return LETTERS.index(text)
    return int(text) if text.isdigit() else None


def _rows(source: str) -> Iterable[Mapping[str, Any]]:
    path = Path(source)
    if not path.suffix and not path.exists() and source.count("/") == 1:
        return _from_hub(source)
    try:
        return list(_from_file(path))
    except OSError as error:
        raise DataError(f"{source}: {error.strerror or error}") from None
    except (ValueError, csv.Error) as error:
        raise DataError(f"{source}: cannot be read ({str(error)[:120]})") from None


def _from_file(path: Path) -> Iterator[Mapping[str, Any]]:
    kind = path.suffix.lower()
    if kind == ".parquet":
        parquet: Any = import_module("pyarrow.parquet")
        yield from parquet.read_table(path).to_pylist()
        return
    text = path.read_text("utf-8-sig")
    if kind in (".csv", ".tsv"):
        yield from csv.DictReader(text.splitlines(True), delimiter="\t" if kind == ".tsv" else ",")
    elif kind in (".jsonl", ".json"):
        lines = [text] if kind == ".json" else filter(str.strip, text.splitlines())
        rows = [row for line in lines for row in _many(json.loads(line))]
        for row in rows:
            if not isinstance(row, dict):
                raise ValueError("a question must be an object")
            yield row
    else:
        raise ValueError("not .jsonl, .json, .csv, .tsv or .parquet")


def _many(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _from_hub(source: str) -> Iterable[Mapping[str, Any]]:
    """The test split. Raises DataError when it cannot be had."""
    name, _, part = source.partition(":")
    try:
        found: Any = import_module("datasets").load_dataset(name, part or None, split="test")
    except Exception as error:  # the hub's client raises a dozen kinds
        why = (str(error).splitlines() or [""])[0][:160]
        raise DataError(f"{source}: neither a file nor a set that the hub gives ({why})") from None
    return list(found)
