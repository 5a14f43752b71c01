"""The trained half of the triage: linear scorers over hashed n-grams, of danger and of its sign.

Knows how saved weights score a keyed message and where on that scale what is decided. Does not
train and knows no context; what it looks at is `knowledge.triage_features`, its file is that of
`knowledge.ngrams`.
"""

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np

from knowledge import ngrams
from knowledge.ngrams import BUCKETS, ModelError, Table
from knowledge.triage_features import WIDTH, Seen

__all__ = ["FOLDER", "Limits", "Model", "ModelError", "load", "save"]

FOLDER: Final = Path(__file__).parent / "model"
NAME: Final = "triage"
FORMAT: Final = 7


@dataclass(frozen=True, slots=True)
class Limits:
    """Where on the scale from 0 (routine) to 1 (danger) what is decided.

    From `threshold` on the alarm is raised; of a reviewed phrase that no context explains, and of
    a sensitive sign's rules, from `phrase` on; of a phrase that tells what befell somebody near,
    or of a sensitive sign, from `floor` on. There a written rule that matches earns a note.
    """

    threshold: float = 0.5
    phrase: float = 0.1
    floor: float = 0.02


@dataclass(frozen=True, slots=True)
class Model:
    """Weights that tell the signs apart (`kinds`) and danger from routine (`alarm`)."""

    signs: tuple[str, ...]
    kinds: Table
    alarm: Table
    limits: Limits
    version: str

    def danger(self, seen: Seen) -> tuple[float, str, dict[str, float]]:
        """Return the probability of any danger, the likeliest sign, and each sign's share."""
        scores = self.kinds.scores(seen.views[0])
        powers = np.exp(scores - scores.max())
        shares = dict(zip(self.signs, (powers / powers.sum()).tolist(), strict=True))
        (alarm,) = self.alarm.scores(seen.joined()).tolist()
        danger = 1.0 / (1.0 + math.exp(-min(30.0, max(-30.0, alarm))))
        return danger, max(shares, key=shares.__getitem__), shares


def save(model: Model, folder: Path = FOLDER) -> None:
    """Write `model` as 8-bit weights and a JSON card, the card last."""
    card = {
        "format": FORMAT,
        "version": model.version,
        "signs": list(model.signs),
        "limits": asdict(model.limits),
    }
    ngrams.save(folder, NAME, card, kinds=model.kinds, alarm=model.alarm)


def load(folder: Path = FOLDER) -> Model:
    """Read the model saved in `folder`.

    Raises:
        ModelError: the card is of another format or does not fit the weights.
        OSError: a file is missing.
    """
    card = ngrams.read_card(folder, NAME, FORMAT)
    return Model(
        signs=tuple(card["signs"]),
        kinds=ngrams.read_table(folder, NAME, "kinds", (BUCKETS, len(card["signs"]))),
        alarm=ngrams.read_table(folder, NAME, "alarm", (WIDTH, 1)),
        limits=Limits(**card["limits"]),
        version=str(card["version"]),
    )
