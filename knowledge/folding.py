"""Hausa text folding: what every matcher compares instead of what the person typed.

Knows spelling habits (missing hooks, q for ƙ, 6 for ɓ, ch for c, quotes for the glottal
letter, tone marks, look-alike letters, invisible marks, SMS short forms).
Knows nothing of meaning: it never decides what a word is, and display text stays with the caller.
"""

import csv
import functools
import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

DATA: Final = Path(__file__).parent / "data"

# The hooked letters have no Unicode decomposition, so stripping marks alone would keep them.
_LETTERS: Final = {
    "ɓ": "b",
    "ƃ": "b",
    "ɗ": "d",
    "ɖ": "d",
    "đ": "d",
    "ƙ": "k",
    "қ": "k",
    "ⱪ": "k",
    "ƴ": "y",
    "ŷ": "y",
    "ɍ": "r",
    "ɽ": "r",
    "ı": "i",
    "q": "k",
}
# Deleted rather than kept: 'yan, ƴan and yan, al'ada and alada are the same word to a reader.
_APOSTROPHES: Final = "'`´‘’‛′ʹʻʼʽˈˊˋˀʾʿ‵＇ꞌ"
_CONTROLS: Final = "".join(char for char in map(chr, range(128)) if not char.isprintable())
_TABLE: Final = str.maketrans(
    {**_LETTERS, **dict.fromkeys(_APOSTROPHES, ""), **dict.fromkeys(_CONTROLS, " ")}
)
_SIX_INSIDE: Final = re.compile(r"(?<=[a-z])6(?=[a-z])")
_SIX_FIRST: Final = re.compile(r"(?<![\w])6(?=[aeiou][a-z]{2})")
_LONG_REPEAT: Final = re.compile(r"([^\W\d_])\1{2,}")
_WORD: Final = re.compile(r"[^\W_]+")
_SHORT_NEGATION: Final = re.compile(r"\bb (?=(?:ya|ta|na|sa|ma|a|shi|ni|su|mu|tsaya|iya)\b)")
_BEYOND: Final = re.compile(r"[^\x00-\x7f]+")
_MAX_PASSES: Final = 8
# One message is folded by triage, search, commands and more: each time the same words.
_REMEMBERED: Final = 512


@functools.lru_cache(maxsize=_REMEMBERED)
def fold(text: str) -> str:
    """Return the spelling-blind form of `text`, for matching only.

    Args:
        text: anything a person typed; every str is accepted, lone surrogates included.

    Returns:
        Lower-case text without hooks, marks, apostrophes, invisible characters, repeated
        blanks or stretched letters. `fold(fold(x)) == fold(x)`.

    The map follows spelling counts in NaijaSenti, TICO-19 and the Nigerian press (q for ƙ,
    6 for ɓ, ch for c) and the Unicode database.
    """
    for _ in range(_MAX_PASSES):
        folded = _fold_once(text)
        if folded == text:
            break
        text = folded
    return text


def tokens(text: str) -> list[str]:
    """Return the folded words of `text` (letters and digits of any script), in order."""
    return _WORD.findall(fold(text))


def expand(text: str) -> str:
    """Return folded `text` with the safe SMS short forms and common misspellings written out.

    Only forms with one reading are touched (wlh, sbd, yanada, nunfashi). Ambiguous ones
    (baya, bata, yaki, t, s) stay as they are: guessing there could turn a danger around.
    """
    return written_out(fold(text))


def written_out(folded: str) -> str:
    """Return what `expand` makes of a text that is `folded` already."""
    table = short_forms()
    words = _WORD.findall(folded)
    # Most texts hold no short form, and writing a text anew costs more than looking.
    if not table.keys().isdisjoint(words):
        folded = _WORD.sub(lambda m: table.get(m[0], m[0]), folded)
    return _SHORT_NEGATION.sub("ba ", folded) if "b" in words else folded


@functools.cache
def short_forms() -> Mapping[str, str]:
    """Return the table of short forms that are safe to write out, both sides folded."""
    with (DATA / "short_forms.tsv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t"))
    return MappingProxyType({fold(row["form"]): fold(row["standard"]) for row in rows})


def _fold_once(text: str) -> str:
    text = text.lower().translate(_TABLE)
    if not text.isascii():
        text = _without_marks(text)
    text = text.replace("ch", "c")
    if "6" in text:
        text = _SIX_FIRST.sub("b", _SIX_INSIDE.sub("b", text))
    return " ".join(_LONG_REPEAT.sub(r"\1", text).split())


def _without_marks(text: str) -> str:
    """Leave out what only letters beyond ASCII have: marks, invisible signs, look-alikes."""
    # Marks are dropped, so that nothing is left that could join with an ASCII neighbour.
    return _BEYOND.sub(lambda run: _plain(run[0]), text)


@functools.lru_cache(maxsize=_REMEMBERED)
def _plain(run: str) -> str:
    run = unicodedata.normalize("NFKD", run).lower().translate(_TABLE)
    return unicodedata.normalize("NFKC", "".join(map(_keep, run)))


def _keep(char: str) -> str:
    if char.isascii():
        return char
    category = unicodedata.category(char)
    if category in {"Mn", "Me", "Cf"}:
        return ""
    return " " if category in {"Cc", "Cs", "Zs", "Zl", "Zp"} else char
