"""Training of the guard's scorer: `make train-guard` writes bot/model/guard.npz and guard.json.

Knows what it learns from: advice written for this project, good and bad, the guard's own cases
among it; the sentences of the library and of the emergency replies, and what the library warns
against, turned into advice; and health prose of TICO-19. The same tree gives the same file, byte
for byte on one machine. Measures nothing: `bot.guard_eval` does.
"""

import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from sklearn.linear_model import LogisticRegression

from bot.guard_eval import CASES, LEARNT, Written, read, rounds, turned_round
from bot.guard_rules import Rules
from bot.guard_scorer import Scorer, comparable
from bot.guard_text import sentences
from knowledge.ngrams import BUCKETS, Table, features
from knowledge.topic import Topic, load_topics
from knowledge.triage_signs import load_signs
from knowledge.triage_train import corpus, matrix

EXAMPLES: Final = Path(__file__).parent / "guard_examples.tsv"
RULES: Final = Path(__file__).parent / "guard_rules.yaml"
#: From here on a sentence is refused. Of sentences of topics that were left out of training, four
#: or five in a hundred reach it; of TICO-19's, one.
THRESHOLD: Final = 0.7
STRENGTH: Final = 3.0
STEPS: Final = 300
# A written pair differs in what it advises; the library's sentences are many and alike.
WRITTEN, PROSE = 6.0, 0.5


@dataclass(frozen=True, slots=True)
class Example:
    """One sentence, whether it may be shown, and how much it counts."""

    text: str
    good: bool
    weight: float = 1.0


def main() -> None:
    """Train on everything and save."""
    model = train(list(examples()))
    model.save()
    sys.stdout.write(f"saved {model.version}\n")


def examples() -> Iterator[Example]:
    """Yield everything that is learnt from. Raises OSError."""
    for written in (*read(EXAMPLES), *read(CASES), *_learnt_rounds()):
        for line in sentences(written.text):
            yield Example(line, written.good, WRITTEN)
    replies = [sign.reply["ha"] for sign in load_signs().values()]
    texts = [text for topic in load_topics().values() for text in _texts(topic)]
    yield from (Example(line, True) for text in [*texts, *replies] for line in sentences(text))
    yield from (Example(advice, False) for _, advice in turned_round())
    prose = (text for source, text in corpus("train") if source == "tico19")
    yield from (Example(line, True, PROSE) for text in prose for line in sentences(text))


def train(data: list[Example]) -> Scorer:
    """Fit the scorer: how likely a sentence is advice that must not be given."""
    rules = Rules.load(RULES)
    found = [features(comparable(rules.plain(example.text))) for example in data]
    rows = matrix(found, BUCKETS)
    weights = np.array([example.weight for example in data])
    bad = np.array([not example.good for example in data])
    fitted = LogisticRegression(C=STRENGTH, max_iter=STEPS, class_weight="balanced")
    fitted.fit(rows, bad, sample_weight=weights)
    advice = Table.of(fitted.coef_, fitted.intercept_)
    return Scorer(advice, math.log(THRESHOLD / (1 - THRESHOLD)), f"guard-{advice.digest()}")


def _learnt_rounds() -> list[Written]:
    return [row for row in rounds() if row.round in LEARNT]


def _texts(topic: Topic) -> list[str]:
    parts = (topic.answer, topic.clinic_today, topic.more, topic.avoid)
    return [part["ha"] for part in parts]


if __name__ == "__main__":
    main()
