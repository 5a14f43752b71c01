"""How people word things: synonyms, kinds, greetings, and examples of what belongs to no topic.

Knows the files `synonyms.yaml` and `data/health_*` and turns a message into plain words. Does not
know topics, features or scores: that is `knowledge.retrieval`.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import combinations, pairwise
from pathlib import Path

from core.yaml_files import read_yaml
from knowledge.folding import expand, fold, written_out

_HERE = Path(__file__).parent
_SYNONYMS = _HERE / "synonyms.yaml"
_EXAMPLES = _HERE / "data" / "health_examples.tsv"
_PHRASINGS = _HERE / "data" / "health_phrasings.tsv"
_WRITTEN = _HERE / "data" / "library_written.tsv"
#: Labels of lines that belong to no topic: not about health, and about health.
OTHER, LACKING = "other", "lacking"
_DANGERS = "triage_written_*.tsv"
# More of them would make every mishap, a car's too, sound like health.
_EVERY_DANGER = 9
_SAMPLES = _HERE / "data" / "health_samples.tsv.gz"

# `expand` has folded already; folding a second time in `tokens` would double the cost.
_WORD = re.compile(r"[^\W_]+")
_BAR = " | "

Words = tuple[str, ...]


class Phrases:
    """Phrases and what each stands for, found by their first word."""

    def __init__(self, table: Mapping[Words, Words] | None = None) -> None:
        """Hold `table`: a phrase's words to the words it stands for (none drops it)."""
        self._table = dict(table or {})
        sizes: dict[str, set[int]] = {}
        for phrase in self._table:
            for head in phrase[:1]:
                sizes.setdefault(head, set()).add(len(phrase))
        # Most words begin no phrase, and few begin phrases of many lengths.
        self._sizes = {head: sorted(found, reverse=True) for head, found in sizes.items()}

    def replace(self, words: Sequence[str]) -> list[str]:
        """`words` with each longest phrase replaced, from left to right."""
        replaced: list[str] = []
        start = 0
        while start < len(words):
            size, found = next(self._at(words, start), (1, (words[start],)))
            replaced += found
            start += size
        return replaced

    def every(self, words: Sequence[str]) -> Iterator[str]:
        """What all phrases in `words` stand for, overlapping ones too."""
        for start, word in enumerate(words):
            if word in self._sizes:
                for _, found in self._at(words, start):
                    yield from found

    def _at(self, words: Sequence[str], start: int) -> Iterator[tuple[int, Words]]:
        """Phrases that begin at `start`, longest first, with their sizes."""
        for size in self._sizes.get(words[start], ()):
            found = self._table.get(tuple(words[start : start + size]))
            if found is not None:
                yield size, found


@dataclass(frozen=True, slots=True)
class Wording:
    """Phrases that mean the same, kinds of person and wish, and examples.

    `same` maps a phrase to its one word (or to nothing, for greetings); `canonical` are those
    words. `phrasings` are further (topic, question) pairs that only help to find a topic and are
    never shown. `other` are messages that are not about health; `lacking` are about health but
    belong to no topic.
    """

    same: Phrases = field(default_factory=Phrases)
    kinds: Phrases = field(default_factory=Phrases)
    canonical: frozenset[str] = frozenset()
    phrasings: tuple[tuple[str, str], ...] = ()
    other: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()

    @staticmethod
    def load(synonyms: Path = _SYNONYMS) -> Wording:
        """Read the synonyms (YAML) and the examples shipped beside them.

        Raises ValueError when a phrase is claimed by two words.
        """
        marked = [*examples(), *samples("train")]
        return replace(
            tables(synonyms),
            phrasings=tuple(labelled(_PHRASINGS)),
            other=tuple(text for label, text in marked if label == OTHER),
            lacking=(*(text for label, text in marked if label == LACKING), *dangers()),
        )

    def normal(self, text: str) -> list[str]:
        """The words of `text`, folded, greetings dropped and synonyms made one."""
        return self.same.replace(_words(text))

    def normals(self, texts: Sequence[str]) -> list[list[str]]:
        """What `normal` gives for each of `texts`, folded in one go: many times quicker."""
        parts = fold(_BAR.join(text.replace("|", " ") for text in texts)).split("|")
        if len(parts) != len(texts):
            # Some sign that folds to a bar.
            return [self.normal(text) for text in texts]
        return [self.same.replace(_WORD.findall(written_out(part))) for part in parts]

    def concepts(self, words: Sequence[str]) -> list[str]:
        """The words that synonyms stand for and the kinds mentioned, sorted, each once."""
        known = {word for word in words if word in self.canonical}
        return sorted(known.union(self.kinds.every(words)))

    def names(self, words: Sequence[str], *, paired: bool = True) -> list[str]:
        """Plain `words`, their pairs, their concepts and, when `paired`, pairs of those.

        The first letter says which: w, b, k or p.
        """
        concepts = self.concepts(words)
        pairs = combinations(concepts, 2) if paired else ()
        return [
            *[f"w {word}" for word in words],
            *[f"b {one} {two}" for one, two in pairwise(words)],
            *[f"k {kind}" for kind in concepts],
            *[f"p {one} {two}" for one, two in pairs],
        ]


@cache
def tables(synonyms: Path = _SYNONYMS) -> Wording:
    """Synonyms and kinds (YAML) without any example; read once a process.

    Raises ValueError when a phrase is claimed by two words.
    """
    rows = read_yaml(synonyms)
    table = _same(rows["same"])
    same = Phrases(table | {_words(phrase): () for phrase in rows["ignore"]})
    return Wording(
        same=same,
        kinds=Phrases(_kinds(rows["kind"], same)),
        canonical=frozenset(word for value in table.values() for word in value),
    )


def examples() -> list[tuple[str, str]]:
    """The (label, text) lines written for this project: label `other` or `lacking`."""
    return labelled(_EXAMPLES)


def written() -> list[tuple[str, str]]:
    """Further (label, text) lines that trained scorers learn: a topic id, `other` or `lacking`.

    The index does without them: it is built at every start, and they would double its time.
    """
    return labelled(_WRITTEN)


def dangers() -> list[str]:
    """Some of the messages on a danger written for triage: about health, whatever their topic."""
    files = sorted((_HERE / "data").glob(_DANGERS))
    rows = [row for path in files for row in labelled(path)]
    return [text for sign, text in rows if sign != "none"][::_EVERY_DANGER]


def samples(split: str, path: Path = _SAMPLES) -> list[tuple[str, str]]:
    """The (label, text) lines sampled from open corpora: label `other` or `health`."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [line.rstrip("\n").split("\t") for line in lines]
    return [(label, text) for label, part, _, text in rows if part == split]


def labelled(path: Path) -> list[tuple[str, str]]:
    """The (label, text) lines of a file with a heading. Raises OSError."""
    lines = path.read_text("utf-8").splitlines()[1:]
    return [(label, text) for label, _, text in (line.partition("\t") for line in lines)]


def _words(text: str) -> Words:
    return tuple(_WORD.findall(expand(text)))


def _same(rows: Mapping[str, Sequence[str]]) -> dict[Words, Words]:
    table: dict[Words, Words] = {}
    for word, phrases in rows.items():
        value = (fold(word),)
        for phrase in phrases:
            held = table.setdefault(_words(str(phrase)), value)
            if held != value:
                raise ValueError(f"synonyms: {phrase!r} stands under {held[0]} and {word}")
    return table


def _kinds(rows: Mapping[str, Sequence[str]], same: Phrases) -> dict[Words, Words]:
    """Phrases to kinds; a phrase counts as written and with its synonyms made one."""
    table: dict[Words, Words] = {}
    for kind, phrases in rows.items():
        for phrase in phrases:
            words = _words(str(phrase))
            for key in {words, tuple(same.replace(words))}:
                table[key] = tuple(dict.fromkeys((*table.get(key, ()), kind)))
    return table
