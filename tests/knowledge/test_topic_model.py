"""The library's trained half: its file, its say beside the index, and what it must not know."""

from pathlib import Path

import numpy as np
import pytest

from knowledge import topic_model
from knowledge.library import Library, joined
from knowledge.library_eval import held_out
from knowledge.ngrams import usable
from knowledge.retrieval import Scores
from knowledge.topic import load_topics
from knowledge.topic_model import BUCKETS, ModelError, Reading
from knowledge.topic_train import Examples, train
from knowledge.triage_text import key
from knowledge.wording import LACKING, OTHER, Wording, written

EXAMPLES = Examples(
    asked=(
        ("malaria", "zazzabin cizon sauro yana damuna"),
        ("malaria", "sauro ya cije ni ina zazzabi"),
        ("cholera", "amai da gudawa kamar ruwa"),
        ("cholera", "kwalara ta barke a gari"),
        ("scabies", "kazuwa tana sa kaikayi da dare"),
    ),
    lacking=("gashina yana zuba",),
    other=("nawa ne buhun shinkafa", "wa ya ci kwallo jiya", "yaushe za a yi zabe"),
)


def test_it_tells_topics_and_health_apart() -> None:
    model = train(EXAMPLES)
    read = model.read(key("gudawa da amai"))

    assert read.topics["cholera"] > read.topics["malaria"]
    assert read.health > 0 > model.read(key("buhun shinkafa nawa")).health


def test_the_same_examples_give_the_same_file(tmp_path: Path) -> None:
    first, second = tmp_path / "one", tmp_path / "two"
    for folder in (first, second):
        topic_model.save(train(EXAMPLES), folder)

    for name in ("topics.npz", "topics.json"):
        assert (first / name).read_bytes() == (second / name).read_bytes()
    saved = topic_model.load(first)
    assert saved.topics == ("cholera", "malaria", "scabies")
    assert saved.read("gudawa").topics["cholera"] == pytest.approx(
        train(EXAMPLES).read("gudawa").topics["cholera"], abs=0.05
    )


@pytest.mark.parametrize(
    ("label", "old", "new"),
    [("format", '"format": 2', '"format": 0'), ("topics", '"malaria"', '"malaria", "x"')],
)
def test_a_file_that_does_not_fit_is_named(tmp_path: Path, label: str, old: str, new: str) -> None:
    topic_model.save(train(EXAMPLES), tmp_path)
    card = tmp_path / "topics.json"
    card.write_text(card.read_text("utf-8").replace(old, new), "utf-8")

    with pytest.raises(ModelError):
        topic_model.load(tmp_path)


def test_without_its_file_the_index_answers_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model = usable("topic model", topic_model.load, tmp_path, "the index alone")
    library = Library(load_topics(), Wording.load(), model=model)
    found = library.search("yaya ake hada ors")

    assert found.passages[0].id == "ors"
    assert "topic model" in caplog.text


def test_a_topic_new_to_the_model_keeps_its_own_score() -> None:
    scores = Scores((("old", 0.6), ("new", 0.5)), health=0.1)
    read = Reading({"old": 0.0}, health=50.0)

    both = joined(scores, read)

    assert both.ranking[0] == ("new", 0.5)
    assert both.ranking[1][1] < 0.6
    # However sure the model is, the index keeps a say.
    assert both.health < 1.0


def test_the_shipped_model_knows_every_topic() -> None:
    model = topic_model.load()
    assert set(model.topics) == set(load_topics())
    assert np.isfinite(model.table.weights).all()
    assert model.table.weights.shape == (BUCKETS, len(load_topics()) + 1)


def test_the_shipped_model_has_learnt_what_stands_in_the_tree() -> None:
    learnt = Examples.of(load_topics(), Wording.load()).digest()
    assert topic_model.load().learnt == learnt, "make train-library, and commit the model"


def test_nothing_held_out_was_written_for_it() -> None:
    learnt = {key(text) for _, text in written()}
    asked = {key(text) for rows in held_out().values() for _, text in rows}
    # Two or three words are asked by everybody alike.
    assert not {text for text in asked & learnt if len(text.split()) > 3}


def test_what_was_written_for_it_names_topics_that_are_there() -> None:
    labels = {label for label, _ in written()}
    assert labels <= {*load_topics(), OTHER, LACKING}
