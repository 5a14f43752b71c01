"""The Markdown of our own reports as HTML: headings, tables, lists, quotes.

Everything in it is text first: what a model said may hold any sign.
"""

import itertools
import re
from collections.abc import Iterable, Sequence

from markupsafe import Markup, escape

_KINDS = (("|", "table"), ("> ", "quote"), (">", "quote"), ("- ", "list"), ("#", "heading"))
_BOLD = re.compile(r"\*\*(.+?)\*\*")
_CODE = re.compile(r"`([^`]+)`")
_RULE = re.compile(r"[|:\- ]+")
#: A page has its own h1 and h2 above a report.
_DEEPER = 1


def html(text: str) -> Markup:
    """The report as safe HTML."""
    return Markup("\n").join(
        _block(kind, list(lines))
        for kind, lines in itertools.groupby(text.splitlines(), _kind)
        if kind != "blank"
    )


def _kind(line: str) -> str:
    if not line.strip():
        return "blank"
    return next((kind for mark, kind in _KINDS if line.startswith(mark)), "text")


def _block(kind: str, lines: Sequence[str]) -> Markup:
    match kind:
        case "table":
            return _table([_cells(line) for line in lines if not _RULE.fullmatch(line)])
        case "heading":
            return Markup("").join(map(_heading, lines))
        case "list":
            items = (_tag("li", _inline(line[2:])) for line in lines)
            return _tag("ul", Markup("").join(items))
        case "quote":
            quoted = "\n".join(line[1:].strip() for line in lines)
            return _tag("blockquote", Markup("<br>").join(map(_inline, quoted.splitlines())))
    return _tag("p", Markup(" ").join(map(_inline, lines)))


def _heading(line: str) -> Markup:
    level = len(line) - len(line.lstrip("#"))
    return _tag(f"h{min(6, level + _DEEPER)}", _inline(line.lstrip("#").strip()))


def _table(rows: Sequence[Sequence[str]]) -> Markup:
    head, *body = rows
    top = _tag("thead", _row(head, "th"))
    return _tag("table", top + _tag("tbody", Markup("").join(_row(row, "td") for row in body)))


def _row(cells: Iterable[str], other: str) -> Markup:
    first, *rest = map(_inline, cells)
    return _tag("tr", _tag("th", first) + Markup("").join(_tag(other, cell) for cell in rest))


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _inline(text: str) -> Markup:
    safe = _CODE.sub(r"<code>\1</code>", str(escape(text)))
    return Markup(_BOLD.sub(r"<strong>\1</strong>", safe))  # noqa: S704 -- escaped above


def _tag(name: str, inside: Markup) -> Markup:
    return Markup("<{0}>{1}</{0}>").format(Markup(name), inside)  # noqa: S704 -- our own names
