"""What the guard does to a text without understanding it: tidying, sentences, endings, loops.

Knows punctuation and repetition. Knows neither Hausa nor health.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator
from typing import Final

from knowledge.folding import fold, tokens

_MARKDOWN: Final = re.compile(r"\*\*|__|^[ \t]*#{1,2}[ \t]+", re.MULTILINE)
_BULLET: Final = re.compile(r"^[ \t]*[*•·▪◦-][ \t]+", re.MULTILINE)
# Of a passage, by its number or by its topic's id.
_CITATION: Final = re.compile(r"[ \t]*\[(?:\d{1,2}|[a-z0-9]+(?:-[a-z0-9]+)*)\]")
_BLANKS: Final = re.compile(r"[ \t]+")
_EMPTY_LINES: Final = re.compile(r"\s*\n\s*\n\s*")
_END: Final = re.compile(r"[.!?…]+[\"'”’)»]*(?=\s|$)")
# Something follows: it cannot be the point in 38.5.
_SURE_END: Final = re.compile(r"[.!?…]+[\"'”’)»]*\s")
_LAST_END: Final = re.compile(r"(?:[!?…]|(?<!\d)\.)[\"'”’)»]*\s*$")
_SPLIT: Final = re.compile(r"\n+|(?<=[.!?…])[\"'”’)»]*\s+")
_TERMINAL: Final = re.compile(r"[.!?…][\"'”’)»]*\s*$")
# A list's announcement or number whose list was cut off.
_DANGLING: Final = re.compile(r"\s*(\d{1,2}[.)]?|•?|.*:)\s*")
_LINE_START: Final = re.compile(r"^(•\s*|\d{1,2}[.)]\s+)+")
_SAME_CHARACTER: Final = re.compile(r"(\S)\1{6,}")

_LONGEST_WORD: Final = 30
_SAME_WORD: Final = 4
_SAME_BLOCK: Final = 3
_LONGEST_BLOCK: Final = 12
_MANY_WORDS: Final = 40
_LEAST_VARIETY: Final = 0.6
_SENTENCE_WORDS: Final = 4


def tidy(text: str) -> str:
    """Return `text` as a chat shows it: no markdown, no citation marks, one kind of bullet."""
    text = "".join(char for char in text if char == "\n" or unicodedata.category(char) != "Cc")
    text = text.encode("utf-8", "ignore").decode("utf-8")
    text = _CITATION.sub("", _BULLET.sub("• ", _MARKDOWN.sub("", text)))
    return _EMPTY_LINES.sub("\n\n", _BLANKS.sub(" ", text)).strip()


def sentences(text: str) -> Iterator[str]:
    """Yield the sentences and lines of `text`, without bullets and numbering."""
    for part in _SPLIT.split(text):
        if stripped := _LINE_START.sub("", part.strip()):
            yield stripped


def finished(text: str, whole: Collection[str] = ()) -> str:
    """Return `text` up to its last full sentence; "" when it has none.

    `whole` holds folded sentences known to be complete without a full stop.
    """
    last = text.rsplit("\n", 1)[-1]
    if not _TERMINAL.search(last) and fold(_LINE_START.sub("", last)) not in whole:
        ends = [match.end() for match in _END.finditer(text)]
        text = text[: max([*ends, text.rfind("\n"), 0])].rstrip()
    lines = text.split("\n")
    while lines and _DANGLING.fullmatch(lines[-1]):
        lines.pop()
    return "\n".join(lines).rstrip()


def begun(text: str) -> str:
    """Return the beginning of `text`, which is still being written, that will not change any more:
    up to the last sentence or line that something follows, and the blank that follows it.
    """
    ends = [match.end() for match in _SURE_END.finditer(text)]
    return text[: max([*ends, text.rfind("\n") + 1])]


def cut_off(text: str) -> str:
    """Return `text`, which was cut off by its length, up to a sentence that is surely whole.

    "Zafi ya kai 38." may have been going to say 38.5.
    """
    return text if _LAST_END.search(text) else begun(text)


def ended(text: str) -> str:
    """Return `text`, which broke off, up to its last sentence; of a list, which sentences alone
    cannot tell to be whole, only what ends in a full stop.
    """
    ends = [match.end() for match in _SURE_END.finditer(text)]
    return text[: max(ends, default=0)].rstrip()


def looping(text: str) -> bool:
    """Return whether `text` goes round in circles, as a model does that has lost its way."""
    words = tokens(text)
    return (
        bool(_SAME_CHARACTER.search(text))
        or any(len(word) > _LONGEST_WORD for word in words)
        or any(_repeats(words, size) for size in range(1, _LONGEST_BLOCK + 1))
        or _monotonous(words)
        or _says_twice(text)
    )


def _repeats(words: list[str], size: int) -> bool:
    """Whether some `size` words stand there again and again, one block behind the other."""
    wanted = size * ((_SAME_WORD if size == 1 else _SAME_BLOCK) - 1)
    run = 0
    for place in range(size, len(words)):
        run = run + 1 if words[place] == words[place - size] else 0
        if run >= wanted:
            return True
    return False


def _monotonous(words: list[str]) -> bool:
    threes = list(zip(words, words[1:], words[2:], strict=False))
    return len(words) >= _MANY_WORDS and len(set(threes)) < _LEAST_VARIETY * len(threes)


def _says_twice(text: str) -> bool:
    said = Counter(" ".join(tokens(sentence)) for sentence in sentences(text))
    return any(n > 1 and len(said_.split()) >= _SENTENCE_WORDS for said_, n in said.items())
