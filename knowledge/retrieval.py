"""Which topic a question is about: one small index over the phrasings, no model file, no state.

Knows features (word, concept and character n-grams) and two linear scorers on one sparse matrix:
a ridge classifier of topics, helped by each topic's own answer, and one that separates health from
everything else. NumPy and SciPy alone, because importing scikit-learn takes longer than building
the index. Does not know what a topic says, nor when a score is good enough: `knowledge.library`
decides that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse as untyped_sparse

from knowledge.wording import Wording

# SciPy carries no type information, so calls into it cannot be checked by types.
sparse: Any = untyped_sparse
Matrix = Any

Floats = NDArray[np.float32]
Places = list[int]

# Owners of rows that belong to no topic.
_LACKING, _OTHER = -1, -2

# Chosen by cross-validation over the topics' own phrasings (`python -m knowledge.library_eval`):
# the weight of words, pairs of words, concepts, pairs of concepts and character n-grams, how much
# a topic's own answer counts beside the classifier, and which features are too common to learn on.
_BLOCKS = {"w": 1.0, "b": 0.6, "k": 0.4, "p": 0.6, "c": 0.35}
_ANSWER_SHARE = 0.8
_COMMON = 0.12
# The damping of the health scorer: single words ("saniyata", "kwallo") tell health from the rest.
_HEALTH_RIDGE = 0.5
# Beside single words, the examples nearest to a text say what it is about: how many of them count
# on either side, and how much their difference does.
_NEAREST = 5
_NEAREST_SHARE = 0.6
_TINY = np.float32(1e-20)
# Steps of conjugate gradients. With the common features out, the largest eigenvalue is some thirty
# times the smallest, and a topic needs no more of its score than to stand before the others; the
# one column of health keeps all features and is solved to four digits.
_STEPS = 10
_HEALTH_STEPS = 50


@dataclass(frozen=True, slots=True)
class Scores:
    """Topics ranked by score (best first) and how much the text is about health (-1..1)."""

    ranking: tuple[tuple[str, float], ...]
    health: float


class Index:
    """All phrasings and answers in memory, scored in one sparse product."""

    def __init__(
        self,
        questions: Mapping[str, Sequence[str]],
        answers: Mapping[str, str],
        wording: Wording,
        *,
        ridge: float = 1.5,
    ) -> None:
        """Index `questions` (topic id to phrasings) and `answers` (topic id to its whole text).

        `ridge` is the classifier's damping: higher trusts single words less.
        """
        self._wording = wording
        self.topics = tuple(questions)
        self._places: dict[str, int] = {}
        self._known: dict[str, Places] = {}
        if self.topics:
            rows = [(place, text) for place, key in enumerate(questions) for text in questions[key]]
            rows += [(_LACKING, text) for text in wording.lacking]
            rows += [(_OTHER, text) for text in wording.other]
            self._fit(rows, [answers[key] for key in questions], ridge)

    def score(self, text: str) -> Scores | None:
        """Score every topic for `text`; None when nothing of it is known."""
        names = self._wording.names(self._wording.normal(text))
        places = self._look_up(names) if self.topics else []
        if not places:
            return None
        query = self._weigh(_counts([places], len(self._places)))
        similar = self._columns[:, query.indices] @ query.data
        asked, answers = len(self._alpha), len(self.topics)
        topics = similar[:asked] @ self._alpha + _ANSWER_SHARE * similar[-answers:]
        health = float(query.data @ self._health[query.indices])
        examples = similar[:-answers]
        health += _NEAREST_SHARE * _nearer(examples[~self._strange], examples[self._strange])
        order = np.argsort(-topics, kind="stable")
        return Scores(tuple((self.topics[at], float(topics[at])) for at in order), health)

    def _fit(self, rows: Sequence[tuple[int, str]], answers: Sequence[str], ridge: float) -> None:
        # Pairs of concepts tell questions apart; a whole answer would pair everything.
        wording = self._wording
        asked = wording.normals([text for _, text in rows])
        names = [wording.names(words) for words in asked]
        names += [wording.names(words, paired=False) for words in wording.normals(answers)]
        counts = self._learn(names)
        owners = np.array([owner for owner, _ in rows])
        # How common a word is, the topics say: examples of anything else may be many or few.
        ours = np.flatnonzero(np.concatenate([owners, np.zeros(len(answers), int)]) >= 0)
        spread = np.bincount(counts[ours].indices, minlength=len(self._places))
        blocks = np.array([_BLOCKS[name[0]] for name in self._places])
        self._weights = (blocks * (1 + np.log((1 + len(ours)) / (1 + spread)))).astype(np.float32)
        matrix = self._weigh(counts)
        self._columns = matrix.tocsc()
        self._strange = owners == _OTHER
        health = np.where(self._strange, -1, 1).astype(np.float32)
        self._alpha = _ridge(matrix[: (owners >= 0).sum()], _one_hot(owners[owners >= 0]), ridge)
        # No constant: what says nothing leans to neither side, however many examples each has.
        self._health = _ridge_column(matrix[: len(rows)], health, _HEALTH_RIDGE)

    def _learn(self, rows: Sequence[Sequence[str]]) -> Matrix:
        """Count what the names of every row consist of; each name is taken apart once."""
        numbers = {name: number for number, name in enumerate(dict.fromkeys(chain(*rows)))}
        self._known = {name: self._take_apart(name) for name in numbers}
        named = _counts([[numbers[name] for name in row] for row in rows], len(numbers))
        return named @ _counts(list(self._known.values()), len(self._places))

    def _take_apart(self, name: str) -> Places:
        """Return the places of the parts of `name`; a part not met before gets the next one."""
        return [self._places.setdefault(part, len(self._places)) for part in _parts(name)]

    def _look_up(self, names: Iterable[str]) -> Places:
        """Places of everything in `names` that the index has seen."""
        places: Places = []
        for name in names:
            seen = self._known.get(name)
            if seen is None:
                seen = [self._places[part] for part in _parts(name) if part in self._places]
            places += seen
        return places

    def _weigh(self, counts: Matrix) -> Matrix:
        """Rows of unit length: sublinear counts times rarity times the block's weight."""
        data = (1 + np.log(counts.data)) * self._weights[counts.indices]
        row = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
        length = np.sqrt(np.bincount(row, data * data, minlength=counts.shape[0]))
        data = (data / length[row]).astype(np.float32)
        return sparse.csr_array((data, counts.indices, counts.indptr), shape=counts.shape)


def _nearer(ours: Floats, others: Floats) -> float:
    """How much nearer the nearest of `ours` are than the nearest of `others`."""
    if not (len(ours) and len(others)):
        return 0.0
    near, far = (
        float(np.partition(side, -min(_NEAREST, len(side)))[-_NEAREST:].mean())
        for side in (ours, others)
    )
    return near - far


def _counts(rows: Sequence[Sequence[int]], width: int) -> Matrix:
    ends = np.cumsum([0, *(len(row) for row in rows)])
    places = np.fromiter(chain.from_iterable(rows), dtype=np.int32, count=ends[-1])
    ones = np.ones(len(places), dtype=np.float32)
    counts = sparse.csr_array((ones, places, ends.astype(np.int32)), shape=(len(rows), width))
    counts.sum_duplicates()
    return counts


def _one_hot(owners: NDArray[np.int64]) -> Floats:
    return np.eye(owners.max() + 1, dtype=np.float32)[owners]


def _ridge(matrix: Matrix, targets: Floats, ridge: float) -> Floats:
    """Dual ridge regression on unit rows, without the kernel, which would cost ten times as much.

    Conjugate gradients, all columns at once, always the same number of steps.
    """
    spread = np.bincount(matrix.indices, minlength=matrix.shape[1])
    # Letters that every second question has cost most of the product and tell nothing apart.
    telling = (spread > 1) & (spread < _COMMON * matrix.shape[0])
    part = matrix[:, np.flatnonzero(telling)]
    across = part.T.tocsr()
    # What was left out still belongs to each row's own length, which is one.
    own = (1 + ridge - np.asarray(part.multiply(part).sum(axis=1))).reshape(-1, 1)

    def product(columns: Floats) -> Floats:
        wide: Floats = part @ (across @ columns) + own * columns
        return wide

    return _descend(product, targets, targets / np.float32(1 + ridge), _STEPS)


def _ridge_column(matrix: Matrix, target: Floats, ridge: float) -> Floats:
    """The same for a single column, on every feature, as one weight a feature."""
    across = matrix.T.tocsr()

    def product(column: Floats) -> Floats:
        wide: Floats = matrix @ (across @ column) + np.float32(ridge) * column
        return wide

    weights: Floats = across @ _descend(product, target, target, _HEALTH_STEPS)
    return weights


def _descend(
    product: Callable[[Floats], Floats], targets: Floats, guess: Floats, steps: int
) -> Floats:
    # Sums of products and no dot: BLAS would start threads that cost more than the work.
    solved, left = guess, targets - product(guess)
    way, size = left, (left * left).sum(axis=0)
    for _ in range(steps):
        moved = product(way)
        step = size / np.maximum((way * moved).sum(axis=0), _TINY)
        solved, left = solved + step * way, left - step * moved
        size, before = (left * left).sum(axis=0), size
        way = left + size / np.maximum(before, _TINY) * way
    return solved.astype(np.float32)


def _parts(name: str) -> list[str]:
    """A word is itself and its character n-grams; a pair or a kind is only itself."""
    if name[0] != "w":
        return [name]
    padded = f"{name[1:]} "
    grams = (padded[at : at + n] for n in (3, 4, 5) for at in range(len(padded) - n + 1))
    return [name, *(f"c {gram}" for gram in grams)]
