"""Which topic a question is about: one small index over the phrasings, no model file, no state.

Knows wording (synonyms, greetings to drop), features (word and character n-grams of folded text)
and two scorers that share one matrix of similarities: the nearest phrasing of each topic, and a
ridge classifier whose extra columns separate health from everything else. Does not know what a
topic says, nor when a score is good enough: `knowledge.library` decides that.
"""

from __future__ import annotations

import gzip
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import csr_array

from knowledge.folding import expand, fold, tokens

_HERE = Path(__file__).parent
_SYNONYMS = _HERE / "synonyms.yaml"
_OTHER = _HERE / "data" / "health_negatives.tsv.gz"

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Wording:
    """How people word things: phrases that mean the same, kinds, greetings, and examples.

    `other` are messages that are not about health; `lacking` are about health but belong to no
    topic. Both teach the index what to leave alone.
    """

    same: Mapping[tuple[str, ...], tuple[str, ...]] = field(default_factory=dict)
    kinds: Mapping[tuple[str, ...], str] = field(default_factory=dict)
    other: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()

    @classmethod
    def load(cls, synonyms: Path = _SYNONYMS, examples: Path = _OTHER) -> Wording:
        """Read the synonyms (YAML) and the examples (gzipped `label<TAB>text` lines).

        Raises ValueError when a phrase is claimed by two words.
        """
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        rows = yaml.load(synonyms.read_text("utf-8"), Loader=loader)  # noqa: S506
        same = _phrases((word, phrase) for word, row in rows["same"].items() for phrase in row)
        same |= {_words(phrase): () for phrase in rows["ignore"]}
        kinds = _phrases((kind, phrase) for kind, row in rows["kind"].items() for phrase in row)
        labelled = _examples(examples)
        return cls(
            same=same,
            kinds={key: value[0] for key, value in kinds.items()},
            other=tuple(text for label, text in labelled if label == "other"),
            lacking=tuple(text for label, text in labelled if label == "lacking"),
        )

    def normal(self, text: str) -> list[str]:
        """The words of `text`, folded, greetings dropped and synonyms made one."""
        return list(_replace(_words(text), self.same))

    def kinds_of(self, words: Sequence[str]) -> list[str]:
        """The kinds (child, prevention, food ...) that `words` mention, in order."""
        found = {kind: None for span in _spans(words) if (kind := self.kinds.get(span))}
        return list(found)


@dataclass(frozen=True, slots=True)
class Scores:
    """Topics ranked by score (best first) and how much the text is about health (-1..1)."""

    ranking: tuple[tuple[str, float], ...]
    nearest: float
    health: float


class Index:
    """All phrasings in memory, scored in one sparse product."""

    def __init__(
        self, questions: Mapping[str, Sequence[str]], wording: Wording, *, ridge: float = 0.5
    ) -> None:
        """Index `questions` (topic id to phrasings); `ridge` is the classifier's damping."""
        self._wording = wording
        self.topics = tuple(questions)
        rows = [(number, text) for number, key in enumerate(questions) for text in questions[key]]
        rows += [(-1, text) for text in wording.lacking] + [(-2, text) for text in wording.other]
        self._owner = np.array([owner for owner, _ in rows], dtype=np.int64)
        if not self.topics:
            return
        self._fit([self._features(text) for _, text in rows], ridge)

    def score(self, text: str) -> Scores | None:
        """Score every topic for `text`; None when nothing of it is known."""
        if not self.topics:
            return None
        query = self._vector(self._features(text))
        if query is None:
            return None
        similar = self._similarities(*query)
        linear = similar @ self._alpha + self._bias
        count = len(self.topics)
        nearest = np.maximum.reduceat(similar[: self._phrasings], self._starts)
        mixed = 0.5 * nearest + 0.5 * linear[:count]
        order = np.argsort(-mixed, kind="stable")
        ranking = tuple((self.topics[place], float(mixed[place])) for place in order)
        return Scores(ranking, float(nearest.max()), float(linear[count]))

    def _features(self, text: str) -> Counter[str]:
        words = self._wording.normal(text)
        return Counter(_grams(words, self._wording.kinds_of(words)))

    def _fit(self, bags: Sequence[Counter[str]], ridge: float) -> None:
        counts = Counter(name for bag in bags for name in bag)
        self._places = {name: place for place, name in enumerate(counts)}
        total = len(bags)
        self._weights = np.array(
            [_block(name) * (1 + math.log((1 + total) / (1 + n))) for name, n in counts.items()]
        )
        matrix = self._matrix(bags)
        self._columns = matrix.tocsc()
        self._phrasings = int((self._owner >= 0).sum())
        self._starts = np.searchsorted(self._owner[: self._phrasings], range(len(self.topics)))
        self._alpha, self._bias = _ridge(matrix, self._targets(), ridge)

    def _targets(self) -> Floats:
        count = len(self.topics)
        targets = np.zeros((len(self._owner), count + 1))
        inside = self._owner >= 0
        targets[np.flatnonzero(inside), self._owner[inside]] = 1.0
        targets[:, count] = np.where(self._owner == -2, -1.0, 1.0)
        return targets

    def _matrix(self, bags: Sequence[Counter[str]]) -> csr_array:
        places: list[int] = []
        values: list[float] = []
        ends = [0]
        for bag in bags:
            found = self._vector(bag)
            if found is not None:
                places.extend(found[0])
                values.extend(found[1])
            ends.append(len(places))
        return csr_array((values, places, ends), shape=(len(bags), len(self._places)))

    def _vector(self, bag: Counter[str]) -> tuple[NDArray[np.int64], Floats] | None:
        """Places and unit-length weights of `bag`; what the index never saw still costs length."""
        known = [(self._places[name], n) for name, n in bag.items() if name in self._places]
        if not known:
            return None
        places = np.array([place for place, _ in known], dtype=np.int64)
        values = self._weights[places] * (1 + np.log([n for _, n in known]))
        return places, values / np.linalg.norm(values)

    def _similarities(self, places: NDArray[np.int64], values: Floats) -> Floats:
        part = self._columns[:, places]
        return np.asarray(part @ values, dtype=np.float64)


def _ridge(matrix: csr_array, targets: Floats, ridge: float) -> tuple[Floats, Floats]:
    """Dual ridge regression on unit rows: exact, deterministic, and quick for a few thousand."""
    bias = targets.mean(axis=0)
    kernel = (matrix @ matrix.T).toarray()
    kernel[np.diag_indices_from(kernel)] += ridge
    return cho_solve(cho_factor(kernel, overwrite_a=True), targets - bias), bias


def _grams(words: Sequence[str], kinds: Iterable[str]) -> Iterator[str]:
    yield from (f"w {word}" for word in words)
    yield from (f"b {one} {two}" for one, two in zip(words, words[1:], strict=False))
    yield from (f"k {kind}" for kind in kinds)
    for word in words:
        padded = f" {word} "
        for size in (3, 4, 5):
            for start in range(len(padded) - size + 1):
                yield f"c {padded[start : start + size]}"


_BLOCKS = {"w": 1.0, "b": 0.6, "k": 0.7, "c": 0.35}


def _block(name: str) -> float:
    return _BLOCKS[name[0]]


def _words(text: str) -> tuple[str, ...]:
    return tuple(tokens(expand(text)))


def _phrases(pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, ...], tuple[str, ...]]:
    table: dict[tuple[str, ...], tuple[str, ...]] = {}
    for word, phrase in pairs:
        key, value = _words(str(phrase)), (fold(str(word)),)
        if table.setdefault(key, value) != value:
            raise ValueError(f"synonyms: {phrase!r} stands under {table[key][0]} and {word}")
    return table


_LONGEST = 6


def _replace(
    words: Sequence[str], table: Mapping[tuple[str, ...], tuple[str, ...]]
) -> Iterator[str]:
    start = 0
    while start < len(words):
        for size in range(min(_LONGEST, len(words) - start), 0, -1):
            found = table.get(tuple(words[start : start + size]))
            if found is not None:
                yield from found
                break
        else:
            size = 1
            yield words[start]
        start += size


def _spans(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for start in range(len(words)):
        for size in range(1, min(_LONGEST, len(words) - start) + 1):
            yield tuple(words[start : start + size])


def _examples(path: Path) -> list[tuple[str, str]]:
    if not path.exists():
        return []
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [line.rstrip("\n").split("\t", 1) for line in lines]
    return [(label, text) for label, text in rows]
