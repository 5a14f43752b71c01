"""Which topic a question is about: one small index over the phrasings, no model file, no state.

Knows wording (synonyms, greetings to drop), features (word and character n-grams of folded text)
and two scorers that share one matrix of similarities: the nearest phrasing of each topic, and a
ridge classifier whose extra columns separate health from everything else. Does not know what a
topic says, nor when a score is good enough: `knowledge.library` decides that.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import csr_array

from knowledge.folding import expand, fold

_HERE = Path(__file__).parent
_SYNONYMS = _HERE / "synonyms.yaml"
_EXAMPLES = _HERE / "data" / "health_examples.tsv"
_PHRASINGS = _HERE / "data" / "health_phrasings.tsv"
_SAMPLES = _HERE / "data" / "health_samples.tsv.gz"

# `expand` has folded already; folding a second time in `tokens` would double the cost.
_WORD = re.compile(r"[^\W_]+")

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Wording:
    """How people word things: phrases that mean the same, kinds, greetings, and examples.

    `other` are messages that are not about health; `lacking` are about health but belong to no
    topic. Both teach the index what to leave alone. `phrasings` are further (topic, question)
    pairs that only help to find a topic and are never shown.
    """

    same: Mapping[tuple[str, ...], tuple[str, ...]] = field(default_factory=dict)
    kinds: Mapping[tuple[str, ...], str] = field(default_factory=dict)
    other: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    phrasings: tuple[tuple[str, str], ...] = ()

    @classmethod
    def load(cls, synonyms: Path = _SYNONYMS) -> Wording:
        """Read the synonyms (YAML) and the examples of what belongs to no topic.

        Raises ValueError when a phrase is claimed by two words.
        """
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        rows = yaml.load(synonyms.read_text("utf-8"), Loader=loader)  # noqa: S506
        same = _phrases((word, phrase) for word, row in rows["same"].items() for phrase in row)
        same |= {_words(phrase): () for phrase in rows["ignore"]}
        kinds = _phrases((kind, phrase) for kind, row in rows["kind"].items() for phrase in row)
        labelled = [*examples(), *samples("train")]
        return cls(
            same=same,
            kinds={key: value[0] for key, value in kinds.items()},
            other=tuple(text for label, text in labelled if label == "other"),
            lacking=tuple(text for label, text in labelled if label == "lacking"),
            phrasings=tuple(_pairs(_PHRASINGS)),
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
        self._parts: dict[str, list[int]] = {}
        texts = [text for key in questions for text in questions[key]]
        owners = [place for place, key in enumerate(questions) for _ in questions[key]]
        self._owner = np.array(owners, dtype=np.int64)
        if self.topics:
            taught = [*texts, *wording.lacking, *wording.other]
            self._fit(taught, [answers[key] for key in questions], ridge)

    def score(self, text: str) -> Scores | None:
        """Score every topic for `text`; None when nothing of it is known."""
        if not self.topics:
            return None
        places = [place for name in self._names(text) for place in self._known(name)]
        if not places:
            return None
        query = self._weigh(_counts([places], len(self._places)))
        similar = self._columns[:, query.indices] @ query.data
        taught = len(self._alpha)
        linear = similar[:taught] @ self._alpha + self._bias
        topics = linear[:-1] + _ANSWER_SHARE * similar[taught:]
        order = np.argsort(-topics, kind="stable")
        ranking = tuple((self.topics[place], float(topics[place])) for place in order)
        return Scores(ranking, float(similar[: len(self._owner)].max()), float(linear[-1]))

    def _fit(self, texts: Sequence[str], answers: Sequence[str], ridge: float) -> None:
        rows = [
            [place for name in self._names(text) for place in self._learn(name)]
            for text in (*texts, *answers)
        ]
        counts = _counts(rows, len(self._places))
        spread = np.bincount(counts.indices, minlength=len(self._places))
        blocks = np.array([_BLOCKS[name[0]] for name in self._places])
        self._weights = (blocks * (1 + np.log((1 + len(rows)) / (1 + spread)))).astype(np.float32)
        matrix = self._weigh(counts)
        self._columns = matrix.tocsc()
        taught = matrix[: len(texts)]
        self._alpha, self._bias = _ridge(taught, self._targets(len(texts)), ridge)

    def _targets(self, total: int) -> Floats:
        """One column a topic, and a last one that is 1 for health and -1 for anything else."""
        count = len(self.topics)
        targets = np.zeros((total, count + 1), dtype=np.float32)
        targets[np.arange(len(self._owner)), self._owner] = 1.0
        targets[:, count] = 1.0
        targets[total - len(self._wording.other) :, count] = -1.0
        return targets

    def _names(self, text: str) -> list[str]:
        words = self._wording.normal(text)
        pairs = zip(words, words[1:], strict=False)
        return [
            *(f"w {word}" for word in words),
            *(f"b {one} {two}" for one, two in pairs),
            *(f"k {kind}" for kind in self._wording.kinds_of(words)),
        ]

    def _learn(self, name: str) -> list[int]:
        """Places of everything `name` consists of, new ones added; worked out once a name."""
        if name not in self._parts:
            parts = _parts(name)
            self._parts[name] = [self._places.setdefault(part, len(self._places)) for part in parts]
        return self._parts[name]

    def _known(self, name: str) -> list[int]:
        found = self._parts.get(name)
        if found is not None:
            return found
        return [self._places[part] for part in _parts(name) if part in self._places]

    def _weigh(self, counts: csr_array) -> csr_array:
        """Rows of unit length: sublinear counts times rarity times the block's weight."""
        data = (1 + np.log(counts.data)) * self._weights[counts.indices]
        row = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
        length = np.sqrt(np.bincount(row, data * data, minlength=counts.shape[0]))
        data = (data / length[row]).astype(np.float32)
        return csr_array((data, counts.indices, counts.indptr), shape=counts.shape)


def _counts(rows: Sequence[Sequence[int]], width: int) -> csr_array:
    ends = np.cumsum([0, *(len(row) for row in rows)])
    places = np.fromiter(chain.from_iterable(rows), dtype=np.int32, count=ends[-1])
    counts = csr_array((np.ones(len(places), dtype=np.float32), places, ends.astype(np.int32)), shape=(len(rows), width))
    counts.sum_duplicates()
    return counts


def _ridge(matrix: csr_array, targets: Floats, ridge: float) -> tuple[Floats, Floats]:
    """Dual ridge regression on unit rows: exact, deterministic, and quick for a few thousand."""
    bias = targets.mean(axis=0)
    kernel = (matrix @ matrix.T).toarray()
    kernel[np.diag_indices_from(kernel)] += ridge
    factor = cho_factor(kernel, overwrite_a=True, check_finite=False)
    return cho_solve(factor, targets - bias, check_finite=False), bias


def _parts(name: str) -> list[str]:
    """A word is itself and its character n-grams; a pair or a kind is only itself."""
    if name[0] != "w":
        return [name]
    padded = f"{name[1:]} "
    grams = (padded[at : at + n] for n in (3, 4, 5) for at in range(len(padded) - n + 1))
    return [name, *(f"c {gram}" for gram in grams)]


# How much a topic's own answer counts beside the classifier; by cross-validation.
_ANSWER_SHARE = 0.8

_BLOCKS = {"w": 1.0, "b": 0.6, "k": 0.7, "c": 0.35}


def _words(text: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(expand(text)))


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


def examples() -> list[tuple[str, str]]:
    """The (label, text) lines written for this project: label `other` or `lacking`."""
    return _pairs(_EXAMPLES)


def samples(split: str, path: Path = _SAMPLES) -> list[tuple[str, str]]:
    """The (label, text) lines sampled from open corpora: label `other` or `health`."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [line.rstrip("\n").split("\t") for line in lines]
    return [(label, text) for label, part, _, text in rows if part == split]


def _pairs(path: Path) -> list[tuple[str, str]]:
    lines = path.read_text("utf-8").splitlines()[1:]
    return [(label, text) for label, _, text in (line.partition("\t") for line in lines)]
