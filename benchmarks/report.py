"""Figures as Markdown tables, and into docs/benchmarks.md between its marks."""

import re
from collections.abc import Mapping, Sequence
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
