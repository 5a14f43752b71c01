"""The guard's trained half: how likely a sentence gives advice that must not be given.

Rules find the practices that somebody thought of; the scorer finds what is worded like them. The
same linear model over hashed n-grams as the triage's, one file, no pickle. Knows no reason: it is
asked last, when no rule has one. Trained by `bot.guard_train`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from knowledge import ngrams
from knowledge.ngrams import BUCKETS, Table, features
from knowledge.triage_text import key

FOLDER: Final = Path(__file__).parent / "model"
NAME: Final = "guard"
FORMAT: Final = 1
# "Sannu." or "A huta." says too little to be judged by its likeness.
FEWEST_WORDS: Final = 4


@dataclass(frozen=True, slots=True)
class Scorer:
    """Weights of bad advice and the log-odds from which a sentence is refused.

    Safe to share between threads.
    """

    advice: Table
    threshold: float
    version: str

    @classmethod
    def load(cls, folder: Path = FOLDER) -> "Scorer":
        """Read the model of `folder`. Raises OSError, or ModelError when it does not fit."""
        card = ngrams.read_card(folder, NAME, FORMAT)
        advice = ngrams.read_table(folder, NAME, "advice", (BUCKETS, 1))
        return cls(advice, float(card["threshold"]), str(card["version"]))

    def save(self, folder: Path = FOLDER) -> None:
        """Write the model as 8-bit weights and a JSON card, the card last."""
        card = {"format": FORMAT, "version": self.version, "threshold": self.threshold}
        ngrams.save(folder, NAME, card, advice=self.advice)

    def doubts(self, lines: Iterable[str]) -> bool:
        """Say whether any of the plain Hausa `lines` is likely bad advice."""
        keyed = (comparable(line) for line in lines)
        long = (text for text in keyed if len(text.split()) >= FEWEST_WORDS)
        return any(self.advice.scores(features(text))[0] >= self.threshold for text in long)


def comparable(plain: str) -> str:
    """Return the form of the guard's `plain` text that the scorer compares."""
    return key(plain)
