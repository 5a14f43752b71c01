"""Wording makes one of many ways to say a thing; the index tells topics apart."""

from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from knowledge.retrieval import _COMMON, Index, _nearer, _ridge, _ridge_column
from knowledge.wording import Wording, examples, samples

SYNONYMS = """\
same:
  malaria: [maleriya, zazzabin cizon sauro]
  zazzabi: [fever, zazabi]
kind:
  child: [yaro, my child]
  food: [abinci]
ignore: [don allah, salam]
"""

QUESTIONS = {
    "malaria": ["maganin malaria", "ina da maleriya"],
    "fever": ["ina da zazzabi", "jikina yana zafi"],
    "fever-child": ["yaro yana zazzabi", "zazzabin yaro"],
}
ANSWERS = {"malaria": "A sha ACT.", "fever": "A sha ruwa.", "fever-child": "A kai yaro asibiti."}


@pytest.fixture
def wording(tmp_path: Path) -> Wording:
    path = tmp_path / "synonyms.yaml"
    path.write_text(SYNONYMS, "utf-8")
    return Wording.load(path)


@pytest.mark.parametrize(
    ("label", "text", "words"),
    [
        ("synonym", "Maleriya", ["malaria"]),
        ("longest phrase wins", "zazzaɓin cizon sauro", ["malaria"]),
        ("part of a phrase stays", "cizon sauro", ["cizon", "sauro"]),
        ("whole words only", "maleriyata", ["maleriyata"]),
        ("greeting dropped", "Salam, don Allah fever", ["zazzabi"]),
        ("nothing left", "salam", []),
        ("short form", "wlh zazabi", ["wallahi", "zazzabi"]),
    ],
)
def test_normal_words(wording: Wording, label: str, text: str, words: list[str]) -> None:
    assert wording.normal(text) == words, label


@pytest.mark.parametrize(
    ("label", "text", "concepts"),
    [
        ("synonym and kind", "yaro yana fever", ["child", "zazzabi"]),
        ("kind of several words", "my child", ["child"]),
        ("each once, sorted", "zazzabi abinci zazzabi", ["food", "zazzabi"]),
        ("none", "ina kwana", []),
    ],
)
def test_concepts(wording: Wording, label: str, text: str, concepts: list[str]) -> None:
    assert wording.concepts(wording.normal(text)) == concepts, label


def test_a_phrase_under_two_words_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "synonyms.yaml"
    path.write_text("same: {a: [x], b: [x]}\nkind: {}\nignore: []\n", "utf-8")

    with pytest.raises(ValueError, match="'x' stands under a and b"):
        Wording.load(path)


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("maleriya", "malaria"),
        ("jikina da zafi", "fever"),
        ("zazabi ya kama yaro", "fever-child"),
        ("my child has fever", "fever-child"),
        ("malerya", "malaria"),
    ],
)
def test_the_best_topic_comes_first(wording: Wording, text: str, topic: str) -> None:
    scores = Index(QUESTIONS, ANSWERS, wording).score(text)

    assert scores is not None
    assert scores.ranking[0][0] == topic
    assert len(scores.ranking) == len(QUESTIONS)


def test_health_is_told_from_the_rest(wording: Wording) -> None:
    index = Index(QUESTIONS, ANSWERS, wording)
    health, other = index.score("ina da zazzabi"), index.score("wa ya ci wasan kwallo")

    assert health is not None
    assert other is not None
    assert health.health > other.health + 0.3


def test_what_was_never_seen_has_no_score(wording: Wording) -> None:
    assert Index(QUESTIONS, ANSWERS, wording).score("!!") is None
    assert Index({}, {}, wording).score("malaria") is None


def test_without_any_wording_phrasings_still_match() -> None:
    scores = Index(QUESTIONS, ANSWERS, Wording()).score("maganin malaria")

    assert scores is not None
    assert scores.ranking[0][0] == "malaria"


def test_examples_are_labelled() -> None:
    assert {label for label, _ in examples()} == {"other", "lacking"}
    assert {label for label, _ in samples("test")} == {"other", "health"}
    assert not {text for _, text in samples("train")} & {text for _, text in samples("test")}


def test_many_texts_are_worded_as_each_alone() -> None:
    wording = Wording.load()
    texts = [
        "Yaron na yana da zazzabi",
        "a | b",
        "",
        "mgn maleria??",
        "6arawo da qafa",
        "\n|\n",
        "b",
        "ya b tsaya",
    ]
    alone = [wording.normal(text) for text in texts]
    assert wording.normals(texts) == alone
    # Fullwidth signs fold to plain ones, the bar between the texts among them.
    assert wording.normals([*texts, "ciwo \uff5c kai"]) == [*alone, wording.normal("ciwo kai")]


def drawn_rows() -> tuple[sparse.csr_array, np.random.Generator]:
    """Three hundred rows of unit length over nine hundred features."""
    draw = np.random.default_rng(7)
    rows = sparse.random(300, 900, density=0.02, random_state=draw, format="csr", dtype=np.float32)
    matrix = sparse.csr_array(rows)
    matrix.data /= np.repeat(np.sqrt(matrix.multiply(matrix).sum(axis=1)), np.diff(matrix.indptr))
    return sparse.csr_array(np.nan_to_num(matrix.toarray())), draw


def test_the_scorer_solves_what_it_says() -> None:
    matrix, draw = drawn_rows()
    targets = np.eye(6, dtype=np.float32)[draw.integers(0, 6, 300)]
    spread = np.bincount(matrix.indices, minlength=900)
    part = matrix[:, np.flatnonzero((spread > 1) & (spread < _COMMON * 300))].toarray()
    kernel = part @ part.T
    kernel[np.diag_indices(300)] = 2.5
    exact = np.linalg.solve(kernel, targets)
    assert np.abs(_ridge(matrix, targets, 1.5) - exact).max() < 1e-3


def test_the_health_scorer_solves_what_it_says() -> None:
    matrix, draw = drawn_rows()
    target = draw.choice([-1.0, 1.0], 300).astype(np.float32)
    rows = matrix.toarray()
    exact = np.linalg.solve(rows.T @ rows + 1.5 * np.eye(900), rows.T @ target)
    assert np.abs(_ridge_column(matrix, target, 1.5) - exact).max() < 1e-4


@pytest.mark.parametrize(
    ("ours", "others", "expected"),
    [
        ([0.5], [0.2], 0.3),
        ([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], [0.4] * 9, 0.0),
        ([0.5], [], 0.0),
        ([], [0.5], 0.0),
    ],
)
def test_the_nearest_examples_of_either_side_are_weighed(
    ours: list[float], others: list[float], expected: float
) -> None:
    assert _nearer(np.array(ours, np.float32), np.array(others, np.float32)) == pytest.approx(
        expected, abs=1e-6
    )
