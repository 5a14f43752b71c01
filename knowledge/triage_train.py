"""Training of the triage scorer: `python -m knowledge.triage_train`.

Knows where the examples come from (templates, near-misses, open corpora), the split by
template, and how thresholds are set. The same tree gives the same model file, byte for byte
on one machine. scikit-learn is needed here and nowhere else in the triage.
"""

import csv
import gzip
import logging
import warnings
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from knowledge import triage_model
from knowledge.ngrams import Features, Table
from knowledge.triage_context import Context
from knowledge.triage_features import WIDTHS, Reader
from knowledge.triage_generate import (
    DATA,
    NONE,
    TEST_SHARE,
    Message,
    Template,
    frames,
    templates,
    write_out,
)
from knowledge.triage_model import Limits, Model
from knowledge.triage_questions import questions
from knowledge.triage_rules import Rules
from knowledge.triage_signs import load_signs
from knowledge.triage_text import key
from knowledge.wording import tables

log = logging.getLogger(__name__)

SEED: Final = 20261122
PER_TEMPLATE: Final = 14
PER_FRAME: Final = 3
PER_NEAR_MISS: Final = 6
CORPUS: Final = DATA / "triage_corpus.tsv.gz"
# The model that has not seen the test templates: kept for the report, never served.
SPLIT: Final = triage_model.FOLDER / "split"
ALARMS: Final = DATA / "triage_alarms.tsv"
# A question was written by a person once; a template message has a dozen siblings.
QUESTION_WEIGHT: Final = 3.0
TEMPLATE_WEIGHT: Final = 0.4
REVIEWED_WEIGHT: Final = 6.0
STRENGTH: Final = 100.0
STRENGTH_OF_SIGNS: Final = 5.0
# Of a hundred messages, so many lose one word that is no negation.
THINNED: Final = 35
MAX_STEPS: Final = 200
# Chosen on held-out sets A to R, for few missed dangers before few false alarms.
LIMITS: Final = Limits(threshold=0.4, phrase=0.15, floor=0.05)


@dataclass(frozen=True, slots=True)
class Example:
    """One training example: keyed text, its class and its weight."""

    keyed: str
    sign: str
    weight: float


def main() -> None:
    """Train the split's model for the report, then the served one on everything, and save both."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    half = examples(test=False)
    for folder, data in (
        (SPLIT, half),
        (triage_model.FOLDER, [*half, *examples(test=True, corpora=False)]),
    ):
        model = train(data)
        triage_model.save(model, folder)
        log.info("saved %s, from %d examples", model.version, len(data))


def examples(*, test: bool, corpora: bool = True) -> list[Example]:
    """Return the examples of the training (or the test) side, with corpora unless told not to."""
    rules = frames()
    found = [
        _example(message)
        for template in all_templates()
        if template.held_out == test
        for message in write_out(template, rules, _count(template), SEED)
    ]
    found += [Example(key(text), NONE, QUESTION_WEIGHT) for text in questions(test=test)]
    found += [Example(key(text), sign, QUESTION_WEIGHT) for sign, text in alarms(test=test)]
    if not test:
        found += list(_reviewed())
    return [*found, *_corpus_examples()] if corpora else found


def all_templates() -> list[Template]:
    """Return the templates of the files and, as templates of "none", every near-miss."""
    near = [
        Template(NONE, "near", miss)
        for sign in load_signs().values()
        for miss in sign.near_misses
        if sign.id != "suicide"
    ]
    return [*templates(), *(Template(NONE, "none", template.text) for template in near)]


def corpus(split: str) -> list[tuple[str, str]]:
    """Return (source, text) of the open-corpus sample, `split` being "train" or "test"."""
    with gzip.open(CORPUS, "rt", encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [(row["source"], row["text"]) for row in rows if row["split"] == split]


def alarms(*, test: bool) -> list[tuple[str, str]]:
    """Return (sign, text) of messages that somebody wrote one by one, for one side of the split.

    Dangers in real-life wordings, and beside them what sounds like one and is none.
    """
    pairs = [(row["sign"], row["text"]) for row in _rows(ALARMS)]
    for path in sorted(DATA.glob("triage_written_*.tsv")):
        pairs += [(row["expect"], row["text"]) for row in _rows(path)]
    return [pair for pair in pairs if (zlib.crc32(pair[1].encode()) % TEST_SHARE == 0) == test]


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


def train(data: Sequence[Example]) -> Model:
    """Fit the scorers on `data`: danger against routine, and the signs against one another."""
    reader = shipped_reader()
    signs = sorted({example.sign for example in data} - {NONE})
    seen = [reader.read(example.keyed).views for example in data]
    weights = np.array([example.weight for example in data])
    danger = np.array([example.sign != NONE for example in data])
    told, *others, said = (
        matrix([views[view] for views in seen], width) for view, width in enumerate(WIDTHS)
    )
    # Three opinions, each with the rules at hand, of which the mean is taken.
    alarms = [_danger(hstack([rows, said]).tocsr(), danger, weights) for rows in (told, *others)]
    target = np.array([signs.index(example.sign) for example in data if example.sign != NONE])
    kinds = _kinds(told[danger], target, weights[danger])
    alarm = _mean(alarms)
    return Model(
        signs=tuple(signs),
        kinds=Table.of(kinds.coef_, kinds.intercept_),
        alarm=alarm,
        limits=LIMITS,
        version=f"triage-{alarm.digest()}",
    )


def shipped_reader() -> Reader:
    """Return a reader with the rules, cues and synonyms of the tree."""
    return Reader(Rules(load_signs()), Context.load(), tables())


def _mean(alarms: Sequence[Any]) -> Table:
    """Join the weights of the opinions, those of the rules as their mean."""
    count, rules = len(alarms), WIDTHS[-1]
    words = [fitted.coef_[:, :-rules] / count for fitted in alarms]
    said = sum(fitted.coef_[:, -rules:] for fitted in alarms) / count
    bias = sum(fitted.intercept_ for fitted in alarms) / count
    return Table.of(np.hstack([*words, said]), bias)


def _danger(rows: Any, target: NDArray[Any], weights: NDArray[np.float64]) -> Any:
    fitted = LogisticRegression(C=STRENGTH, solver="liblinear", random_state=SEED)
    return fitted.fit(rows, target, sample_weight=weights)


def _kinds(rows: Any, target: NDArray[Any], weights: NDArray[np.float64]) -> Any:
    fitted = LogisticRegression(C=STRENGTH_OF_SIGNS, max_iter=MAX_STEPS, tol=1e-6)
    with warnings.catch_warnings():
        # The number of steps is the stopping rule: the last ones move no threshold.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return fitted.fit(rows, target, sample_weight=weights)


def matrix(rows: Sequence[Features], width: int) -> Any:
    """Return features as the rows of a sparse matrix of `width` columns."""
    ends = np.cumsum([0, *(len(places) for places, _ in rows)])
    places = np.concatenate([places for places, _ in rows])
    values = np.concatenate([values for _, values in rows])
    return csr_matrix((values, places, ends), shape=(len(rows), width))


def _example(message: Message) -> Example:
    return Example(_thinned(key(message.text)), message.sign, TEMPLATE_WEIGHT)


def _thinned(keyed: str) -> str:
    """Drop a word from some messages, so that no verdict hangs on a single one."""
    words = keyed.split()
    draw = zlib.crc32(keyed.encode())
    place = draw // 100 % max(1, len(words))
    if draw % 100 >= THINNED or len(words) < 5 or words[place].startswith("ba"):
        return keyed
    return " ".join(words[:place] + words[place + 1 :])


def _reviewed() -> Iterator[Example]:
    """Yield the phrases that clinicians review: none of them may be taken for mere talk."""
    for sign in load_signs().values():
        for text in (*sign.phrases, *sign.cries):
            yield Example(key(text), sign.id, REVIEWED_WEIGHT)


def _corpus_examples() -> list[Example]:
    return [Example(key(text), NONE, 0.7) for _, text in corpus("train")]


def _count(template: Template) -> int:
    if template.topic:
        return PER_FRAME
    return PER_TEMPLATE if template.sign != NONE or "{" in template.text else PER_NEAR_MISS


if __name__ == "__main__":
    main()
