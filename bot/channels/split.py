"""Cuts a long text into parts that a provider takes: at paragraph, then sentence, then word ends.

Knows nothing of providers but that some count UTF-16 units (Telegram), which is never fewer than
characters: so that count, the default, is safe for all of them.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable

_PARAGRAPH = re.compile(r"\s*\n[^\S\n]*\n\s*")
_LINE = re.compile(r"\s*\n\s*")
_SENTENCE = re.compile(r"(?<=[.!?…؟۔])[\"'”’»)\]]*(\s+)")
_WORD = re.compile(r"\s+")
_JOINER = "\u200d"
#: A part ends at a good place only if that fills at least this share of the limit.
_FULL_ENOUGH = 1 / 3
#: How far beyond the reach white space is read, so that a long text takes linear time.
_LOOK_AHEAD = 16

Cut = tuple[int, int]  # where a part ends, where the next one begins


def utf16(text: str) -> int:
    """How many UTF-16 units the text has: what Telegram counts (an emoji is 2 or more)."""
    return len(text) + sum(character > "\uffff" for character in text)


def split(text: str, limit: int, *, measure: Callable[[str], int] = utf16) -> list[str]:
    """The text in parts of at most `limit`, in order; only white space at the cuts is left out.

    `measure` may count more than characters, never fewer. An empty text has no parts.
    Raises ValueError for a limit that cannot hold one character.
    """
    if limit < 2:
        raise ValueError("a part must hold at least one character")
    parts, rest = [], text.strip()
    while len(rest) > limit or measure(rest) > limit:
        end, begin = _best_cut(rest, _reach(rest, limit, measure))
        parts.append(rest[:end])
        rest = rest[begin:].strip()
    return [*parts, rest] if rest else parts


def _reach(text: str, limit: int, measure: Callable[[str], int]) -> int:
    """The longest prefix that fits, as an index (at least one character)."""
    low, high = 1, min(len(text), limit)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if measure(text[:middle]) <= limit else (low, middle - 1)
    return low


def _best_cut(text: str, reach: int) -> Cut:
    least = int(reach * _FULL_ENOUGH)
    for pattern in (_PARAGRAPH, _LINE, _SENTENCE, _WORD):
        found = _last(_cuts(text, pattern, reach), least)
        if found:
            return found
    return _last(_cuts(text, _WORD, reach), 0) or _inside_word(text, reach)


def _cuts(text: str, pattern: re.Pattern[str], reach: int) -> Iterable[Cut]:
    for match in pattern.finditer(text, 0, reach + _LOOK_AHEAD):
        end, begin = match.span(match.lastindex or 0)
        if end > reach:
            return
        if begin == len(text) or not _joined(text, begin):
            yield end, begin


def _last(cuts: Iterable[Cut], least: int) -> Cut | None:
    found = None
    for cut in cuts:
        if cut[0] > least:
            found = cut
    return found


def _inside_word(text: str, reach: int) -> Cut:
    """Between two whole signs; inside one only when a single sign is longer than the limit."""
    for at in range(reach, 0, -1):
        if not _joined(text, at):
            return at, at
    return reach, reach


def _joined(text: str, at: int) -> bool:
    """Whether the characters before and at `at` are drawn as one sign."""
    before, after = text[at - 1], text[at]
    if _JOINER in (before, after) or unicodedata.category(after).startswith("M"):
        return True
    if "\U0001f3fb" <= after <= "\U0001f3ff" or "\ud800" <= before <= "\udbff":
        return True
    return _is_flag_half(after) and _flag_halves_before(text, at) % 2 == 1


def _is_flag_half(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _flag_halves_before(text: str, at: int) -> int:
    start = at
    while start and _is_flag_half(text[start - 1]):
        start -= 1
    return at - start
