"""Training of the library's scorers: `make train-library` writes model/topics.npz and topics.json.

Knows what they learn from: the topics' own phrasings and titles, the further ones of
`data/health_phrasings.tsv` and `data/library_written.tsv`, what is about no topic or not about
health, and open corpora. Deterministic; scikit-learn is needed here and not to serve. Measures
nothing: `knowledge.library_eval` does.
"""

import hashlib
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from knowledge import topic_model
from knowledge.folding import tokens
from knowledge.health_data import about_health
from knowledge.library import phrasings
from knowledge.ngrams import Table
from knowledge.topic import Topic, load_topics
from knowledge.topic_model import BUCKETS, TopicModel, narrow
from knowledge.triage_text import key
from knowledge.triage_train import corpus, matrix
from knowledge.wording import LACKING, OTHER, Wording, written

MEDICAL: Final = "tico19"
MARGIN: Final = 1.0
STRENGTH: Final = 60.0
STEPS: Final = 300
SEED: Final = 20261126
# Tweets, general questions and medical prose are no messages to a bot, and many.
PROSE: Final = 0.3


@dataclass(frozen=True, slots=True)
class Examples:
    """What is learnt from: questions by topic, health without a topic, and anything else.

    Beside messages, prose of open corpora: `medical` and `strange`, which is not about health.
    """

    asked: tuple[tuple[str, str], ...]
    lacking: tuple[str, ...]
    other: tuple[str, ...]
    medical: tuple[str, ...] = ()
    strange: tuple[str, ...] = ()

    @classmethod
    def of(cls, topics: Mapping[str, Topic], wording: Wording) -> "Examples":
        """Gather the phrasings of `topics`, the examples of `wording`, what was written, prose."""
        further, prose = written(), corpus("train")
        own = phrasings(topics, wording).items()
        more = [(label, text) for label, text in further if label in topics]
        return cls(
            asked=(*((topic, text) for topic, texts in own for text in texts), *more),
            lacking=(*wording.lacking, *(text for label, text in further if label == LACKING)),
            other=(*wording.other, *(text for label, text in further if label == OTHER)),
            medical=tuple(text for source, text in prose if source == MEDICAL),
            strange=tuple(
                text
                for source, text in prose
                if source != MEDICAL and not about_health(tokens(text))
            ),
        )

    def digest(self) -> str:
        """Return a name for these examples that changes with any of them."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:12]


def main() -> None:
    """Train on everything and save."""
    model = train(Examples.of(load_topics(), Wording.load()))
    topic_model.save(model)
    sys.stdout.write(f"saved {model.version}: {len(model.topics)} topics\n")


def train(examples: Examples) -> TopicModel:
    """Fit one separator a topic, and one of health from anything else."""
    topics = tuple(sorted({topic for topic, _ in examples.asked}))
    asked = _matrix(text for _, text in examples.asked)
    owners = [topics.index(topic) for topic, _ in examples.asked]
    kinds = LinearSVC(C=MARGIN, random_state=SEED).fit(asked, owners)
    health = _health(examples)
    table = Table.of(
        np.vstack([kinds.coef_, health.coef_]),
        np.concatenate([kinds.intercept_, health.intercept_]),
    )
    return TopicModel(topics, table, f"topics-{table.digest()}", examples.digest())


def _health(examples: Examples) -> Any:
    ours = [*(text for _, text in examples.asked), *examples.lacking]
    parts: list[tuple[Sequence[str], bool, float]] = [
        (ours, True, 1.0),
        (examples.other, False, 1.0),
        (examples.medical, True, PROSE),
        (examples.strange, False, PROSE),
    ]
    rows = _matrix(text for texts, _, _ in parts for text in texts)
    about = np.concatenate([np.full(len(texts), label) for texts, label, _ in parts])
    counts = np.concatenate([np.full(len(texts), weight) for texts, _, weight in parts])
    fitted = LogisticRegression(C=STRENGTH, max_iter=STEPS)
    return fitted.fit(rows, about, sample_weight=counts)


def _matrix(texts: Iterable[str]) -> Any:
    """Return the features of raw `texts` as a sparse matrix of `BUCKETS` columns."""
    return matrix([narrow(key(text)) for text in texts], BUCKETS)


if __name__ == "__main__":
    main()
