"""Which conversations may be learnt from: duplicates, other languages, private data, bad advice.

Pure: the language detector and the judge of advice are handed in. Every row that is left out is
counted under its reason, so that nobody wonders where the data went.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from core.messages import Past
from knowledge.folding import fold
from training.rows import Conversation

#: From this Jaccard similarity of character 5-grams on, two texts are the same text typed twice.
NEAR: Final = 0.9
_BLOCK: Final = 512
#: An answer that stops in the middle of a word or a clause was cut off when it was collected.
_SENTENCE_END: Final = re.compile(r"[^\w,\s-]\s*$|\d\s*$")
_EMAIL: Final = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
_WORDS: Final = re.compile(r"\w+")
#: Nine digits or more, as people group them: telephone, identity and bank numbers.
_NUMBER: Final = re.compile(r"\+?\d(?:[ ().-]{0,2}\d){8,}")

#: Why an answer may not be taught, as a stable id, or None: (question, answer) -> reason.
Judge = Callable[[str, str], str | None]
Detect = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What is kept, in order, and how many were left out for which reason."""

    kept: tuple[Conversation, ...]
    dropped: dict[str, int]


def clean(
    rows: Iterable[Conversation],
    *,
    detect: Detect,
    judge: Judge,
    known_numbers: frozenset[str] = frozenset(),
    evaluation: Sequence[str] = (),
    trusted: frozenset[str] = frozenset(),
    language: str = "ha",
    on_row: Callable[[int], None] = lambda count: None,
) -> Cleaned:
    """The rows that may be learnt from; `on_row` is told how many have been looked at.

    What comes from a `trusted` file (vetted text) is looked through for repetitions only.

    `evaluation` are questions that a model will be graded on: a row that asks one of them is left
    out. `known_numbers` are public helplines (digits only), which are nobody's private number.
    """
    graded = {fold(text) for text in evaluation}
    dropped: dict[str, int] = {}
    kept: list[Conversation] = []
    seen: set[str] = set()
    for count, row in enumerate(rows, 1):
        key = _key(row)
        reason = "duplicate" if key in seen else _graded(row, graded)
        if reason is None and row.file not in trusted:
            reason = (
                _private(row, known_numbers)
                or _cut_off(row)
                or _foreign(row, detect, language)
                or _bad_advice(row, judge)
            )
        seen.add(key)
        on_row(count)
        if reason:
            dropped[reason] = dropped.get(reason, 0) + 1
        else:
            kept.append(row)
    return _without_near(kept, dropped, evaluation)


def digest(row: Conversation) -> str:
    """A stable name of a conversation: it does not change with its file or place."""
    return hashlib.sha256(_key(row).encode()).hexdigest()


def _key(row: Conversation) -> str:
    return "\x00".join(f"{turn.role}\x01{' '.join(turn.text.split())}" for turn in row.turns)


def _asked(row: Conversation) -> list[Past]:
    return [turn for turn in row.turns if turn.role == "user"]


def _answered(row: Conversation) -> list[Past]:
    return [turn for turn in row.turns if turn.role == "assistant"]


def _graded(row: Conversation, graded: set[str]) -> str | None:
    return "evaluation" if any(fold(turn.text) in graded for turn in _asked(row)) else None


def _private(row: Conversation, known: frozenset[str]) -> str | None:
    text = "\n".join(turn.text for turn in row.turns)
    numbers = (re.sub(r"\D", "", match[0]) for match in _NUMBER.finditer(text))
    found = _EMAIL.search(text) or any(number not in known for number in numbers)
    return "private" if found else None


def _cut_off(row: Conversation) -> str | None:
    whole = all(_SENTENCE_END.search(turn.text) for turn in _answered(row))
    return None if whole else "truncated"


def _foreign(row: Conversation, detect: Detect, language: str) -> str | None:
    known = all(detect(turn.text) in (language, "none") for turn in _answered(row))
    return None if known else "language"


def _bad_advice(row: Conversation, judge: Judge) -> str | None:
    question = ""
    for turn in row.turns:
        if turn.role == "user":
            question = turn.text
        elif reason := judge(question, turn.text):
            return f"unsafe:{reason}"
    return None


def _without_near(
    rows: list[Conversation], dropped: dict[str, int], evaluation: Sequence[str]
) -> Cleaned:
    """Leave out what repeats an earlier row, or a graded question, in nearly the same words."""
    asked = _grams(["\n".join(t.text for t in _asked(row)) for row in rows])
    answered = _grams(["\n".join(t.text for t in _answered(row)) for row in rows])
    leaks = _near(asked, _grams(list(evaluation)))
    again = _repeats(asked, answered)
    kept = []
    for number, row in enumerate(rows):
        reason = "evaluation" if number in leaks else "near-duplicate" if number in again else None
        if reason:
            dropped[reason] = dropped.get(reason, 0) + 1
        else:
            kept.append(row)
    return Cleaned(tuple(kept), dict(sorted(dropped.items())))


#: A scipy sparse matrix; scipy carries no types.
_Sparse = Any


def _grams(texts: list[str]) -> _Sparse:
    """The character 5-grams of each text, hashed, as rows of zeros and ones."""
    from sklearn.feature_extraction.text import HashingVectorizer

    hashing: Any = HashingVectorizer
    vectorizer = hashing(
        analyzer="char_wb",
        ngram_range=(5, 5),
        binary=True,
        norm=None,
        alternate_sign=False,
        n_features=1 << 18,
        dtype=np.float32,
    )
    # sklearn refuses an empty list.
    words = [" ".join(_WORDS.findall(text.lower())) for text in texts]
    return vectorizer.transform(words or [""])[: len(texts)]


def _near(rows: _Sparse, others: _Sparse) -> set[int]:
    """The rows that are near one of the others."""
    if not rows.shape[0] or not others.shape[0]:
        return set()
    return {
        start + int(number)
        for start in range(0, rows.shape[0], _BLOCK)
        for number in np.unique(_pairs(rows[start : start + _BLOCK], others)[0])
    }


def _repeats(asked: _Sparse, answered: _Sparse) -> set[int]:
    """The rows whose question and answer are both near those of an earlier row that is kept."""
    found: set[int] = set()
    for start in range(0, asked.shape[0], _BLOCK):
        end = min(start + _BLOCK, asked.shape[0])
        left, right = _pairs(asked[start:end], asked[:end])
        left, right = left[right < start + left] + start, right[right < start + left]
        same = _alike(answered[left], answered[right])
        for one, other in zip(left[same].tolist(), right[same].tolist(), strict=True):
            if other not in found:
                found.add(one)
    return found


def _alike(left: _Sparse, right: _Sparse) -> Any:
    """Whether each row on the left is near the row beside it."""
    shared = np.asarray(left.multiply(right).sum(axis=1)).ravel()
    return shared >= NEAR * (_sizes(left) + _sizes(right) - shared)


def _pairs(left: _Sparse, right: _Sparse) -> tuple[Any, Any]:
    """The (left, right) row numbers whose Jaccard similarity is NEAR or more."""
    shared = (left @ right.T).tocoo()
    sizes = _sizes(left)[shared.row] + _sizes(right)[shared.col]
    near = shared.data >= NEAR * (sizes - shared.data)
    return shared.row[near], shared.col[near]


def _sizes(rows: _Sparse) -> Any:
    return np.asarray(rows.sum(axis=1)).ravel()
