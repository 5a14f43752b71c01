"""Train the language model and print what it is worth: `python -m knowledge.language_train`.

Reads data/language_corpus.tsv.gz (open corpora) and data/language_sentences.tsv (written for this
project: no open corpus of the other languages was at hand, so their figures come from sentences of
the same author and say little about real messages). Deterministic; needs scikit-learn.
"""

import argparse
import csv
import gzip
import io
import math
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize

from knowledge.folding import fold
from knowledge.language import DATA, MODEL_FILE, Detector
from knowledge.language_model import NgramModel, grams

_FEATURES: Final = 24_000
_RAREST: Final = 3
_WINDOW: Final = 3
_WINDOWS_WRITTEN: Final = 8
_STRENGTH: Final = 30.0


@dataclass(frozen=True, slots=True)
class Line:
    """One labelled text."""

    language: str
    split: str
    source: str
    text: str


def corpus(folder: Path = DATA) -> list[Line]:
    """Return every labelled line, open corpora first."""
    packed = (folder / "language_corpus.tsv.gz").read_bytes()
    own = (folder / "language_sentences.tsv").read_text(encoding="utf-8")
    return [*_lines(gzip.decompress(packed).decode("utf-8")), *_lines(own)]


def _lines(table: str) -> Iterator[Line]:
    rows = csv.DictReader(io.StringIO(table), delimiter="\t", quoting=csv.QUOTE_NONE)
    for row in rows:
        yield Line(row["language"], row["split"], row.get("source") or "written", row["text"])


def train(lines: Iterable[Line]) -> NgramModel:
    """Fit the model on the training lines, each of them also cut to a few words."""
    pairs = [pair for line in lines if line.split == "train" for pair in _cut(line)]
    texts, labels = [text for text, _ in pairs], [label for _, label in pairs]
    counter = CountVectorizer(
        analyzer=_features, binary=True, min_df=_RAREST, max_features=_FEATURES
    )
    table = normalize(counter.fit_transform(texts).astype(np.float64))
    fitted = LogisticRegression(C=_STRENGTH, max_iter=300, class_weight=_weights(labels))
    fitted.fit(table, labels)
    found = counter.get_feature_names_out()
    index = {str(gram): row for row, gram in enumerate(found)}
    weights = fitted.coef_.T.astype(np.float32)
    return NgramModel(tuple(fitted.classes_), index, weights, fitted.intercept_.astype(np.float32))


def _features(text: str) -> list[str]:
    return list(grams(fold(text)))


def _cut(line: Line) -> Iterator[tuple[str, str]]:
    words = line.text.split()
    yield line.text, line.language
    starts = range(len(words) - _WINDOW + 1)
    # The open corpora have lines enough; the written sentences are few, so all of each is used.
    wanted = _WINDOWS_WRITTEN if line.source == "written" else 1
    for start in starts[:wanted]:
        if len(words) > _WINDOW:
            yield " ".join(words[start : start + _WINDOW]), line.language


def _weights(labels: list[str]) -> dict[str, float]:
    """Return class weights between none and balanced: rare languages count, Hausa still leads."""
    return {name: math.sqrt(len(labels) / count) for name, count in Counter(labels).items()}


def report(detector: Detector, lines: Iterable[Line]) -> str:
    """Return the table of recall on the test lines, whole and cut to their first three words."""
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for line in lines:
        if line.split == "test":
            groups[line.language, line.source].append(line.text)
    head = "language source       lines    full  3 words  taken for Hausa (full / 3 words)"
    return "\n".join([head, *(_row(detector, key, texts) for key, texts in groups.items())])


def _row(detector: Detector, key: tuple[str, str], texts: list[str]) -> str:
    language, source = key
    full = [detector.identify(text) for text in texts]
    short = [detector.identify(" ".join(text.split()[:_WINDOW])) for text in texts]
    shares = [_share(found, language) for found in (full, short)]
    hausa = [_share(found, "ha") for found in (full, short)]
    return (
        f"{language:8} {source:12} {len(texts):5}  {shares[0]:5.1f} %  {shares[1]:5.1f} %"
        f"  {hausa[0]:5.1f} % / {hausa[1]:5.1f} %"
    )


def _share(found: list[str], label: str) -> float:
    return 100 * sum(name == label for name in found) / len(found)


def _speed(detector: Detector, lines: list[Line]) -> str:
    texts = [line.text for line in lines if line.split == "test"]
    start = time.perf_counter()
    for text in texts:
        detector.detect(text)
    return f"{1000 * (time.perf_counter() - start) / len(texts):.2f} ms a message"


def main(arguments: list[str] | None = None) -> None:
    """Train the language model, save it in knowledge/data and print the table."""
    asked = _parser().parse_args(arguments)
    lines = corpus()
    if not asked.measure_only:
        train(lines).save(DATA / MODEL_FILE)
    if asked.extra:
        lines += _lines(asked.extra.read_text(encoding="utf-8"))
    detector = Detector.load()
    sys.stdout.write(f"{report(detector, lines)}\n{_speed(detector, lines)}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m knowledge.language_train")
    parser.add_argument("--measure-only", "--eval", action="store_true", help="do not train again")
    parser.add_argument("--extra", type=Path, help="a TSV (language, split, source, text) of yours")
    return parser


if __name__ == "__main__":
    main()
