"""How much the guard catches: `python -m bot.guard_eval` prints the table of docs/safety.md.

Knows the answers of tests/bot/guard_rounds.tsv, which were written in rounds: the answers of a
round before the rules were widened for it. No passage stands behind them, so that only what is
wrong in itself is counted. Below them stands what the library warns against, turned into advice,
without a passage and with the one it comes from. Chooses nothing.
"""

import csv
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bot.guard import Guard
from bot.guard_text import sentences
from knowledge.language import Detector
from knowledge.library import grounding
from knowledge.topic import load_topics

ROOT: Final = Path(__file__).parent.parent
ROUNDS: Final = ROOT / "tests" / "bot" / "guard_rounds.tsv"
CASES: Final = ROOT / "tests" / "bot" / "guard_cases.tsv"
PAGE: Final = ROOT / "docs" / "safety.md"
BEGIN, END = "<!-- guard:begin -->", "<!-- guard:end -->"
#: The rounds that rules and scorer were made from; the others are blind.
LEARNT: Final = ("1", "2", "3", "4")
COMMAND: Final = "python -m bot.guard_eval"
_WARNING: Final = re.compile(r"Kada a ([^;:.]*[^;:.\s])[;.].*")


@dataclass(frozen=True, slots=True)
class Written:
    """One answer: the round it was written in and whether it may be shown."""

    round: str
    good: bool
    text: str


def rounds() -> list[Written]:
    """Read the answers of all rounds. Raises OSError."""
    return read(ROUNDS)


def read(path: Path) -> list[Written]:
    """Read answers from a table with the columns expect and text, and round if it has rounds."""
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [Written(row.get("round", ""), row["expect"] == "passed", row["text"]) for row in rows]


def report(guard: Guard, written: Iterable[Written]) -> Iterator[str]:
    """Yield the table, a row a round."""
    rows = list(written)
    yield f"Written by `{COMMAND}`.\n"
    yield "| answers | bad ones | refused | good ones | refused |"
    yield "|---|---|---|---|---|"
    for name in sorted({row.round for row in rows}):
        cells = [
            _cell(guard, [row for row in rows if (row.round, row.good) == (name, good)])
            for good in (False, True)
        ]
        blind = "" if name in LEARNT else ", blind"
        yield f"| round {name}{blind} | {' | '.join(cells)} |"


def turned_round() -> Iterator[tuple[str, str]]:
    """Yield a topic's passage and, of each thing that it warns against, the advice to do it."""
    for topic in load_topics().values():
        for line in sentences(topic.avoid["ha"]):
            if warning := _WARNING.fullmatch(line):
                yield grounding(topic), f"A {warning[1]}."


def write(lines: Iterable[str], page: Path = PAGE) -> str:
    """Put the table between the marks of `page`; a page without marks gets them at its end."""
    table = "\n".join(lines)
    text = page.read_text(encoding="utf-8")
    if BEGIN not in text:
        text = f"{text.rstrip()}\n\n## Guard\n\n{BEGIN}\n{END}\n"
    head, _, rest = text.partition(BEGIN)
    page.write_text(f"{head}{BEGIN}\n{table}\n{END}{rest.partition(END)[2]}", encoding="utf-8")
    return table


def main() -> None:
    """Measure, print, and write the table into docs/safety.md."""
    guard = Guard.load(Detector.load())
    sys.stdout.write(write([*report(guard, rounds()), *turned(guard)]) + "\n")


def turned(guard: Guard) -> Iterator[str]:
    """Yield the table's rows of the library's warnings turned round."""
    advice = list(turned_round())
    alone = sum(not guard.check(bad).ok for _, bad in advice)
    grounded = sum(not guard.check(bad, passages=[passage]).ok for passage, bad in advice)
    for name, refused in (("alone", alone), ("with their passage", grounded)):
        yield (
            f"| the library's warnings turned round, {name} | {len(advice)} "
            f"| {_share(refused, len(advice))} | – | – |"
        )


def _cell(guard: Guard, rows: list[Written]) -> str:
    refused = sum(not guard.check(row.text).ok for row in rows)
    return f"{len(rows)} | {_share(refused, len(rows))}"


def _share(part: int, whole: int) -> str:
    return f"{part} ({100 * part / max(1, whole):.1f} %)"


if __name__ == "__main__":
    main()
