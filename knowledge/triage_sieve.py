"""Which of many patterns can match a text at all, told by letters that each cannot do without.

Knows how regular expressions are built. It only rules out: what is left is matched as ever, and the
result is the same, in a tenth of the time.
"""

import functools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from re import _parser as parser  # type: ignore[attr-defined]  # no other module reads patterns
from typing import Any, Final

#: Literals are filed under so many letters in a row; shorter ones rule out too little.
GRAM: Final = 3
#: The same text goes through several sieves, one after the other.
REMEMBERED: Final = 64
#: From so many letters on, fewer literals are worth more than longer ones.
LONG_ENOUGH: Final = 4
#: So many strings that a part of a pattern can match are spelt out: a list of kinship words
#: before a list of verbs stays under it.
MOST: Final = 64

#: Strings of which one stands in every match; empty when no such thing is known.
Needed = frozenset[str]
#: What a part of a pattern matches, where that is a short list, and what it needs.
_Part = tuple[frozenset[str] | None, Needed]
_BLANK: Final = frozenset({""})
_UNKNOWN: Final[Needed] = frozenset()


class Sieve:
    """Many patterns, and for a text the numbers of those that can match it."""

    def __init__(self, needed: Sequence[Needed]) -> None:
        """File what each pattern needs (see `needs`); one without a need is never ruled out."""
        known = {n: found for n, found in enumerate(needed) if found and _shortest(found) >= GRAM}
        self._always = sum(1 << number for number in range(len(needed)) if number not in known)
        self._filed = _filed(known)

    def possible(self, text: str) -> Iterator[int]:
        """Yield the numbers of the patterns that can match somewhere in `text`, in order."""
        left = self._always
        for gram in self._filed.keys() & _grams(text):
            for literal, numbers in self._filed[gram].items():
                if literal in text:
                    left |= numbers
        while left:
            lowest = left & -left
            yield lowest.bit_length() - 1
            left ^= lowest


class Union:
    """Patterns of which any may match, asked as one."""

    def __init__(self, patterns: Iterable[str]) -> None:
        """Read `patterns`; one that is not a regular expression raises."""
        self._each = list(patterns)
        self._sieve = Sieve([needs(pattern) for pattern in self._each])
        self._whole = "|".join(f"(?:{pattern})" for pattern in self._each)

    def matches(self, text: str) -> bool:
        """Say whether any pattern stands somewhere in `text`."""
        possible = self._sieve.possible(text)
        return any(compiled(self._each[number]).search(text) for number in possible)

    def replaced(self, text: str, new: str) -> str:
        """Return `text` with `new` for every match."""
        return compiled(self._whole).sub(new, text) if self.matches(text) else text


@functools.cache
def compiled(pattern: str) -> re.Pattern[str]:
    """Compile `pattern` when it is first wanted: most messages need few of a thousand."""
    return re.compile(pattern)


def needs(pattern: str) -> Needed:
    """Return literals of which at least one stands in every match of `pattern`; empty: unknown."""
    parsed = parser.parse(pattern)
    return _UNKNOWN if parsed.state.flags & re.IGNORECASE else _told(_sequence(parsed))


def better(one: Needed, other: Needed) -> Needed:
    """Return what rules out more texts: longer literals, up to a length, then fewer."""
    if not one or not other:
        return one or other
    return max(one, other, key=lambda found: (min(LONG_ENOUGH, _shortest(found)), -len(found)))


def _filed(known: Mapping[int, Needed]) -> dict[str, dict[str, int]]:
    """Return each literal's patterns, as bits, filed under the literal's rarest gram.

    So few literals are looked for in vain.
    """
    filed: dict[str, dict[str, int]] = {}
    counts = Counter(gram for found in known.values() for word in found for gram in _grams(word))
    for number, found in known.items():
        for literal in found:
            gram = min(_grams(literal), key=lambda gram: (counts[gram], gram))
            near = filed.setdefault(gram, {})
            near[literal] = near.get(literal, 0) | 1 << number
    return filed


@functools.lru_cache(maxsize=REMEMBERED)
def _grams(text: str) -> frozenset[str]:
    return frozenset(text[i : i + GRAM] for i in range(len(text) - GRAM + 1))


def _shortest(literals: Needed) -> int:
    return min(map(len, literals))


def _told(part: _Part) -> Needed:
    exact, needed = part
    return better(exact, needed) if exact and "" not in exact else needed


def _sequence(parts: Iterable[tuple[Any, Any]]) -> _Part:
    needed, run, whole = _UNKNOWN, _BLANK, True
    for part in _parts(parts):
        if part[0] is not None and len(run) * len(part[0]) <= MOST:
            run = frozenset(before + after for before in run for after in part[0])
            continue
        needed = better(better(needed, _told((run, _UNKNOWN))), _told(part))
        run, whole = _BLANK, False
    return (run if whole else None), better(needed, _told((run, _UNKNOWN)))


def _parts(parts: Iterable[tuple[Any, Any]]) -> Iterator[_Part]:
    """Read every part, letters that follow one another as one word."""
    for literal, group in groupby(parts, lambda part: part[0] is parser.LITERAL):
        if literal:
            yield frozenset({"".join(chr(code) for _, code in group)}), _UNKNOWN
        else:
            yield from (_part(kind, value) for kind, value in group)


def _part(kind: Any, value: Any) -> _Part:
    """Read one part. Of what is not named here nothing is known, and so nothing is ruled out."""
    if kind in (parser.AT, parser.ASSERT, parser.ASSERT_NOT):
        return _BLANK, _UNKNOWN
    if kind is parser.IN and all(item is parser.LITERAL for item, _ in value):
        return frozenset(chr(code) for _, code in value), _UNKNOWN
    if kind is parser.BRANCH:
        return _branch([_sequence(branch) for branch in value[1]])
    if kind is parser.MAX_REPEAT:
        least, most, repeated = value
        return _repeat(least, most, _sequence(repeated))
    if kind is parser.SUBPATTERN:
        _, flags, _, inner = value
        return (None, _UNKNOWN) if flags & re.IGNORECASE else _sequence(inner)
    return None, _UNKNOWN


def _branch(branches: Sequence[_Part]) -> _Part:
    exact = [known for known, _ in branches if known is not None]
    told = [_told(branch) for branch in branches]
    needed = frozenset[str]().union(*told) if all(told) else _UNKNOWN
    listed = frozenset[str]().union(*exact)
    return (listed if len(exact) == len(branches) and len(listed) <= MOST else None), needed


def _repeat(least: int, most: int, part: _Part) -> _Part:
    exact, _ = part
    if exact is not None and most == 1:
        return (exact if least else exact | _BLANK), _UNKNOWN
    return None, _told(part) if least else _UNKNOWN
