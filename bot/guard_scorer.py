"""The guard's trained half: how likely a sentence gives advice that must not be given.

Rules find the practices that somebody thought of; the scorer finds what is worded like them. The
same linear model over hashed n-grams as the triage's, one file, no pickle. Knows no reason: it is
asked last, when no rule has one. Trained by `bot.guard_train`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from knowledge import triage_model
from knowledge.triage_model import Model
from knowledge.triage_text import key

FOLDER: Final = Path(__file__).parent / "model"
NAME: Final = "guard"
# "Sannu." or "A huta." says too little to be judged by its likeness.
FEWEST_WORDS: Final = 4


@dataclass(frozen=True, slots=True)
class Scorer:
    """The model, ready to judge; safe to share between threads."""

    model: Model

    @classmethod
    def load(cls, folder: Path = FOLDER) -> "Scorer":
        """Read the model of `folder`. Raises OSError, or ModelError when it does not fit."""
        return cls(triage_model.load(folder, NAME))

    def doubts(self, lines: Iterable[str]) -> bool:
        """Say whether any of the plain Hausa `lines` is likely bad advice."""
        keyed = (comparable(line) for line in lines)
        threshold = self.model.limits.threshold
        long = (text for text in keyed if len(text.split()) >= FEWEST_WORDS)
        return any(self.model.danger(text)[0] >= threshold for text in long)


def comparable(plain: str) -> str:
    """Return the form of the guard's `plain` text that the scorer compares."""
    return key(plain)
