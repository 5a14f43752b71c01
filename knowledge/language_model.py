"""The character n-gram model behind language detection: its features, its file, its scores.

Knows letters only. It does not know which answer is safe to act on: knowledge/language.py decides.
The file is an .npz without pickle: the n-grams as UTF-8 text, one row of int8 weights for each.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from knowledge.folding import fold, tokens

LONGEST: Final = 4
# Enough to know a language by; longer messages must not cost more time.
MOST_CHARACTERS: Final = 600


def grams(text: str) -> Iterator[str]:
    """Yield the distinct features of `text`: whole words, and their 1-4-grams with edges.

    Digits are left out: a phone number is no language.
    """
    seen: set[str] = set()
    for word in tokens(text[:MOST_CHARACTERS]):
        if word.isalpha():
            seen.update(_of_word(word))
    yield from sorted(seen)


def _of_word(word: str) -> Iterator[str]:
    edged = f" {word} "
    yield f"={word}"
    for size in range(1, LONGEST + 1):
        for start in range(len(edged) - size + 1):
            yield edged[start : start + size]


@dataclass(frozen=True, slots=True)
class NgramModel:
    """A linear model over n-grams. `weights` has a row for each n-gram, a column a language."""

    languages: tuple[str, ...]
    index: Mapping[str, int]
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]

    @classmethod
    def load(cls, path: Path) -> "NgramModel":
        """Read the file that `save` wrote.

        Raises: OSError when it is missing, KeyError or ValueError when it is something else.
        """
        with np.load(path, allow_pickle=False) as stored:
            found = bytes(stored["grams"]).decode("utf-8").split("\n")
            weights = stored["weights"].astype(np.float32) * stored["scale"]
            languages = tuple(bytes(stored["languages"]).decode("ascii").split("\n"))
            bias = stored["bias"].astype(np.float32)
        return cls(languages, {gram: row for row, gram in enumerate(found)}, weights, bias)

    def save(self, path: Path) -> None:
        """Write the model small: int8 weights with one scale a language."""
        scale = np.maximum(np.abs(self.weights).max(axis=0), 1e-6) / 127
        np.savez_compressed(
            path,
            grams=np.frombuffer("\n".join(self.index).encode(), dtype=np.uint8),
            languages=np.frombuffer("\n".join(self.languages).encode(), dtype=np.uint8),
            weights=np.rint(self.weights / scale).astype(np.int8),
            scale=scale.astype(np.float32),
            bias=self.bias.astype(np.float32),
        )

    def probabilities(self, text: str) -> dict[str, float]:
        """Return how likely each language is for `text`; evenly spread when it knows nothing."""
        rows = [row for gram in grams(fold(text)) if (row := self.index.get(gram)) is not None]
        if not rows:
            return dict.fromkeys(self.languages, 1 / len(self.languages))
        scores = self.weights[rows].sum(axis=0) / np.sqrt(len(rows)) + self.bias
        spread = np.exp(scores - scores.max())
        return dict(zip(self.languages, (spread / spread.sum()).tolist(), strict=True))
