"""The form of a message that triage compares: folded, written out, with joined words made equal.

Knows how Hausa words are split and joined by their writers (ba ya / baya, ya na / yana) and
where sentences end. Knows no sign and no meaning.
"""

import functools
import re
from typing import Final

from knowledge.folding import expand
from knowledge.triage_sieve import needs

_DOUBLE: Final = re.compile(r"([a-z])\1")
# In a pattern, the letter after a backslash is an escape (\b, \w), not half of a double.
_DOUBLE_IN_PATTERN: Final = re.compile(r"(?<!\\)([a-z])\1")
_NOT_WORD: Final = re.compile(r"[^\w]+|_")
# A full stop inside 38.5 or 140/90 ends nothing.
_SENTENCE_END: Final = re.compile(r"[!?;\n\r…؟۔]+|(?<!\d)\.+|\.+(?!\d)")
# Nothing is joined across a pause: "bai sare shi ba, ya gudu" is not "baya gudu".
_PAUSE: Final = re.compile(r"[,;:.!?()]")
# Many-to-one only: joining loses nothing, splitting would guess.
_JOINS: Final = (
    (r"\b(?:kada|kar) ya\b", "kada ya"),
    (r"\bba (ya|ta|na|ka|sa|ni|shi|mu|ma|su|zai|zan|za)\b", r"ba\1"),
    (r"\b(ya|ta|na|sun|an|mun) ki\b", r"\1ki"),
    (r"\b(ya|ta|su|mu|a) na\b", r"\1na"),
    (r"\bi na\b", "ina"),
    (r"\bza (ta|su|mu|a)\b", r"za\1"),
    (r"\b(kirji|jiki|ciki|hannu|kai|wuya|rai|mara) (na|sa|ta|nsa|nta)\b", r"\1\2"),
    (r"(\w)(n|r)shi\b", r"\1\2sa"),
    (r"\bkan(?:shi)\b", "kansa"),
    (r"\bm[ai]shi\b", "masa"),
    (r"\bm(?:ini|ani|in)\b", "min"),
    (r"\bhaif", "haih"),
    (r"\b(?:yay|yai)\b", "ya yi"),
    (r"\b(?:tay|tai)\b", "ta yi"),
    (r"\b(?:lokotoro|likta|doctor|dokta|dr)\b", "likita"),
    (r"\b(?:dan|don|dn) ala\w*", "don ala"),
)
_COMPILED: Final = tuple((re.compile(said), joined, tuple(needs(said))) for said, joined in _JOINS)
# A message is keyed whole and by sentences, which are often the same, and again when answered.
_REMEMBERED: Final = 512


@functools.lru_cache(maxsize=_REMEMBERED)
def key(text: str) -> str:
    """Return the comparable form of `text`: words only, single letters, joined particles."""
    return " ".join(filter(None, map(_keyed, _PAUSE.split(expand(text)))))


@functools.lru_cache(maxsize=_REMEMBERED)
def _keyed(part: str) -> str:
    words = _NOT_WORD.sub(" ", part)
    words = _DOUBLE.sub(r"\1", " ".join(words.split()))
    for pattern, joined, needed in _COMPILED:
        # Looking for its letters first costs a fifth of looking for the pattern.
        if not needed or any(literal in words for literal in needed):
            words = pattern.sub(joined, words)
    return words


def pattern_key(pattern: str) -> str:
    """Return a regular expression written in ordinary spelling, with double letters made single."""
    return _DOUBLE_IN_PATTERN.sub(r"\1", pattern)


def sentences(text: str) -> list[str]:
    """Return the non-empty sentences of raw `text`."""
    return [part for part in _SENTENCE_END.split(text) if part and not part.isspace()]
