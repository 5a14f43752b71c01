"""The library's trained half: which topic a message asks about, and whether about health at all.

One linear scorer a topic and one for health, over the hashed n-grams of `knowledge.ngrams`. It
has learnt more phrasings than the index at start holds, and from what is asked of other topics.
Knows no outcome and no answer: `knowledge.library` joins it with the index. Does not train.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from knowledge import ngrams
from knowledge.ngrams import Features, ModelError, Table, features

__all__ = ["BUCKETS", "FOLDER", "ModelError", "Reading", "TopicModel", "load", "narrow", "save"]

FOLDER: Final = Path(__file__).parent / "model"
NAME: Final = "topics"
FORMAT: Final = 2
# A quarter of the triage's: a hundred columns of as many would be a file of ten megabytes, and
# held-out questions are found as well.
BUCKETS: Final = 1 << 15


@dataclass(frozen=True, slots=True)
class Reading:
    """How well each topic fits, 0 (not at all) to about 2, and log-odds of being about health."""

    topics: Mapping[str, float]
    health: float


@dataclass(frozen=True, slots=True)
class TopicModel:
    """A table with a column for each of `topics` and, last, one for health.

    `learnt` names what it was trained on: another name, other examples.
    """

    topics: tuple[str, ...]
    table: Table
    version: str
    learnt: str

    def read(self, keyed: str) -> Reading:
        """Return what the model makes of `keyed` (see `triage_text.key`)."""
        *margins, health = self.table.scores(narrow(keyed)).tolist()
        # A separator's margin is -1 for what is surely of another topic.
        fits = (margin + 1 for margin in margins)
        return Reading(dict(zip(self.topics, fits, strict=True)), health)


def narrow(keyed: str) -> Features:
    """Return the features of `keyed` in the buckets of this model."""
    places, values = features(keyed)
    return places % BUCKETS, values


def save(model: TopicModel, folder: Path = FOLDER) -> None:
    """Write `model` as 8-bit weights and a JSON card, the card last."""
    card = {
        "format": FORMAT,
        "version": model.version,
        "learnt": model.learnt,
        "topics": list(model.topics),
    }
    ngrams.save(folder, NAME, card, topics=model.table)


def load(folder: Path = FOLDER) -> TopicModel:
    """Read the model saved in `folder`.

    Raises:
        ModelError: the card is of another format or does not fit the weights.
        OSError: a file is missing.
    """
    card = ngrams.read_card(folder, NAME, FORMAT)
    topics = tuple(card["topics"])
    table = ngrams.read_table(folder, NAME, "topics", (BUCKETS, len(topics) + 1))
    return TopicModel(topics, table, str(card["version"]), str(card["learnt"]))
