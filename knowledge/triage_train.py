"""Training of the triage scorer: `python -m knowledge.triage_train`.

Knows where the examples come from (templates, near-misses, open corpora), the split by
template, and how thresholds are set. The same tree gives the same model file, byte for byte
on one machine. scikit-learn is needed here and nowhere else in the triage.
"""

import csv
import gzip
import hashlib
import logging
import warnings
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from knowledge import triage_model
from knowledge.triage_context import Context
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
from knowledge.triage_model import BUCKETS, Limits, Model
from knowledge.triage_questions import questions
from knowledge.triage_rules import Rules
from knowledge.triage_signs import load_signs
from knowledge.triage_text import key

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
STRENGTH: Final = 40.0
STRENGTH_OF_SIGNS: Final = 5.0
# Of a hundred messages, so many lose one word that is no negation.
THINNED: Final = 35
MAX_STEPS: Final = 200
# Of routine questions never trained on, at most this share may reach the threshold.
FALSE_ALARMS: Final = 0.02


@dataclass(frozen=True, slots=True)
class Example:
    """One training example: keyed text, its class and its weight."""

    keyed: str
    sign: str
    weight: float


def main() -> None:
    """Calibrate on the split by template, then train on everything and save."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    split = train(examples(test=False))
    triage_model.save(split, SPLIT)
    # Calibrated as it will be read back: the saved weights are rounded.
    limits = calibrated(triage_model.load(SPLIT), held_out_messages()).limits
    triage_model.save(replace(split, limits=limits, version=version(split)), SPLIT)
    log.info("limits from the split by template: %s", limits)
    final = train([*examples(test=False), *examples(test=True, corpora=False)])
    final = replace(final, limits=limits, version=version(final))
    triage_model.save(final)
    log.info("saved %s", final.version)


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


def held_out_messages(count: int = 6) -> list[Message]:
    """Return messages of the templates that calibration and the report never train on."""
    rules = frames()
    found = [
        message
        for template in all_templates()
        if template.held_out
        for message in write_out(template, rules, 1 if template.topic else count, SEED + 1)
    ]
    asked = [Message(text, NONE, Template(NONE, "asked", text)) for text in questions(test=True)]
    return [*found, *asked]


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
    """Fit the scorer on `data`: danger against routine, and the signs against one another."""
    signs = sorted({example.sign for example in data} - {NONE})
    rows = matrix([example.keyed for example in data])
    weights = np.array([example.weight for example in data])
    danger = np.array([example.sign != NONE for example in data])
    alarm = _fit(rows, danger, weights, STRENGTH)
    target = np.array([signs.index(example.sign) for example in data if example.sign != NONE])
    kind = _fit(rows[danger], target, weights[danger], STRENGTH_OF_SIGNS)
    return Model(
        signs=tuple(signs),
        weights=np.vstack([kind.coef_, alarm.coef_]).T.astype(np.float32),
        bias=np.concatenate([kind.intercept_, alarm.intercept_]).astype(np.float32),
        limits=Limits(),
        version="unsaved",
    )


def _fit(rows: Any, target: NDArray[Any], weights: NDArray[np.float64], strength: float) -> Any:
    # The solver's default tolerance stops it long before the routine examples are learnt.
    fitted = LogisticRegression(C=strength, max_iter=MAX_STEPS, tol=1e-6)
    with warnings.catch_warnings():
        # The number of steps is the stopping rule: the last ones move no threshold.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return fitted.fit(rows, target, sample_weight=weights)


def matrix(texts: Iterable[str]) -> Any:
    """Return the features of keyed `texts` as a sparse matrix."""
    rows = [triage_model.features(text) for text in texts]
    ends = np.cumsum([0, *(len(places) for places, _ in rows)])
    places = np.concatenate([row[0] for row in rows])
    values = np.concatenate([row[1] for row in rows])
    return csr_matrix((values, places, ends), shape=(len(rows), BUCKETS))


def calibrated(model: Model, messages: Sequence[Message]) -> Model:
    """Return `model` with its limits set on `messages` of templates it was not trained on."""
    keyed = [key(message.text) for message in messages]
    danger = danger_of(model, keyed)
    routine = np.array([message.sign == NONE for message in messages])
    rules, context = Rules(load_signs()), Context.load()
    ruled = np.array([bool(rules.hits(text)) for text in keyed]) & ~routine
    framed = np.array([context.label(text) is not None for text in keyed]) & routine
    asked = np.array([message.template.who == "asked" for message in messages])
    threshold = _clipped(np.quantile(danger[asked], 1.0 - FALSE_ALARMS), 0.7, 0.8)
    limits = Limits(
        threshold=threshold,
        support=_clipped(np.quantile(danger[ruled], 0.05), 0.1, 0.4),
        floor=_clipped(np.quantile(danger[ruled], 0.01), 0.0, 0.05),
        ceiling=_clipped(np.quantile(danger[framed], 0.99), 0.9, 0.95),
    )
    return replace(model, limits=limits)


def _clipped(value: float, low: float, high: float) -> float:
    return round(min(high, max(low, float(value))), 3)


def danger_of(model: Model, keyed: Iterable[str]) -> NDArray[np.float64]:
    """Return the probability of any danger for each keyed text."""
    return np.array([model.danger(text)[0] for text in keyed])


def version(model: Model) -> str:
    """Return a name for `model` that changes whenever its weights do."""
    return "triage-" + hashlib.sha256(np.round(model.weights, 4).tobytes()).hexdigest()[:12]


def _example(message: Message) -> Example:
    return Example(_thinned(key(message.text)), message.sign, 1.0)


def _thinned(keyed: str) -> str:
    """Drop a word from some messages, so that no verdict hangs on a single one."""
    words = keyed.split()
    draw = zlib.crc32(keyed.encode())
    place = draw // 100 % max(1, len(words))
    if draw % 100 >= THINNED or len(words) < 5 or words[place].startswith("ba"):
        return keyed
    return " ".join(words[:place] + words[place + 1 :])


def _corpus_examples() -> list[Example]:
    return [Example(key(text), NONE, 0.7) for _, text in corpus("train")]


def _count(template: Template) -> int:
    if template.topic:
        return PER_FRAME
    return PER_TEMPLATE if template.sign != NONE or "{" in template.text else PER_NEAR_MISS


if __name__ == "__main__":
    main()
