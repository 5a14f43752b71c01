"""Figures as Markdown tables, and into docs/benchmarks.md between its marks."""

import argparse
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
BETWEEN = re.compile(r"(<!-- figures: begin -->\n).*?(<!-- figures: end -->)", re.DOTALL)


def table(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows as a Markdown table; what a row lacks is a dash."""
    lines = [list(columns), ["---"] * len(columns)]
    lines += [["–" if row.get(c) is None else str(row[c]) for c in columns] for row in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def write(text: str, page: Path = PAGE) -> None:
    """Put the figures between the marks of the page."""
    old = page.read_text(encoding="utf-8")
    page.write_text(BETWEEN.sub(lambda m: f"{m[1]}{text}\n{m[2]}", old), encoding="utf-8")


def run_part(
    about: str | None,
    measure: Callable[[float], dict[str, Any]],
    show: Callable[[dict[str, Any]], str],
) -> None:
    """One part as a command: measure (a fifth with --quick), print the tables, last a JSON line."""
    options = argparse.ArgumentParser(description=about)
    options.add_argument("--quick", action="store_true")
    found = measure(0.2 if options.parse_args().quick else 1.0)
    print(show(found))
    print(json.dumps(found))
