"""Rows are learnt with the passages that serving would show; none teaches to pass over them."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from cli.trainer import ground
from core.errors import LafiyaError
from core.messages import Past
from core.settings import load_settings
from inference.engine import Passage
from training import data
from training.grounding import Ground, grounded
from training.rows import Conversation

MALARIA, WATER, EYES = (
    Passage("malaria", "Zazzaɓi. A gwada jini."),
    Passage("water", "Ruwa. A tafasa ruwa."),
    Passage("eyes", "Ido. A wanke ido."),
)
SHELF = {one.id: one for one in (MALARIA, WATER, EYES)}


def find(text: str) -> list[Passage]:
    """Fever brings malaria and water, water brings water alone, anything else nothing."""
    if "zazzaɓi" in text.lower():
        return [MALARIA, WATER]
    return [WATER] if "ruwa" in text.lower() else [EYES] if "ido" in text.lower() else []


TOY = Ground(find, SHELF.get)


def talk(question: str, answer: str, topic: str = "") -> Conversation:
    return Conversation((Past("user", question), Past("assistant", answer)), topic=topic)


CASES = [
    ("the topic's own passage was found", talk("Zazzaɓi?", "X.", "malaria"), [MALARIA, WATER]),
    ("it was not: it takes the last place", talk("Zazzaɓi?", "X.", "eyes"), [MALARIA, EYES]),
    ("nothing was found", talk("Sannu.", "X.", "malaria"), []),
    ("a topic that is not served any more", talk("Zazzaɓi?", "Ruwa.", "gone"), [MALARIA, WATER]),
    ("an answer of the same matter", talk("Zazzaɓi?", "A tafasa ruwa."), [MALARIA, WATER]),
    ("an answer of another matter", talk("Zazzaɓi?", "A wanke ido."), []),
    ("an answer of no known matter", talk("Zazzaɓi?", "Na gode."), []),
]


@pytest.mark.parametrize(("label", "row", "passages"), CASES)
def test_passages_are_those_that_the_answer_can_rest_on(
    label: str, row: Conversation, passages: list[Passage]
) -> None:
    assert grounded([row], 1.0, TOY) == [replace(row, passages=tuple(passages))], label


def test_it_is_the_last_question_that_is_searched_for() -> None:
    turns = (*talk("Zazzaɓi?", "A huta.").turns, *talk("Ruwa fa?", "A tafasa ruwa.").turns)
    assert grounded([Conversation(turns)], 1.0, TOY)[0].passages == (WATER,)


def test_the_share_is_kept_and_the_choice_is_for_ever() -> None:
    rows = [talk(f"Zazzaɓi {n}?", "A tafasa ruwa.") for n in range(400)]
    chosen = {row.question for row in grounded(rows, 0.75, TOY) if row.passages}
    assert 260 <= len(chosen) <= 340
    fewer = {row.question for row in grounded(rows[::-1], 0.5, TOY) if row.passages}
    assert fewer < chosen
    assert grounded(rows, 0.0, TOY) == rows


def test_a_row_that_is_taken_twice_is_searched_for_once() -> None:
    asked: list[str] = []

    def counted(text: str) -> list[Passage]:
        asked.append(text)
        return find(text)

    row = talk("Zazzaɓi?", "X.", "malaria")
    one, other = grounded([row, row], 1.0, Ground(counted, SHELF.get))
    assert one.passages == other.passages == (MALARIA, WATER)
    assert len(asked) == 1


def tools(own: list[Conversation]) -> data.Tools:
    return data.Tools(
        lambda text: "ha", lambda question, answer: None, ground=TOY, own={"talks": lambda: own}
    )


def test_both_sides_of_the_split_are_grounded_saved_and_read_back(tmp_path: Path) -> None:
    rows = [talk(f"Zazzaɓi {n} {n * n}?", f"A tafasa ruwa {n}.") for n in range(60)]
    prepared = data.prepare([data.Source("talks")], tools(rows), held_out=0.3, grounded=0.75)
    bare = data.prepare([data.Source("talks")], tools(rows), held_out=0.3)
    for side in (prepared.train, prepared.held_out):
        assert 0 < sum(bool(row.passages) for row in side) < len(side)
    total = sum(bool(row.passages) for row in (*prepared.train, *prepared.held_out))
    assert prepared.card.grounded == total
    assert f"{total} of all with vetted passages" in data.markdown(prepared.card)
    assert bare.card.grounded == 0
    assert prepared.card.hash != bare.card.hash, "what is learnt is not the same"
    data.save(prepared, tmp_path)
    again = data.load(tmp_path / "held_out.jsonl")
    assert [row.passages for row in again] == [row.passages for row in prepared.held_out]


def test_a_saved_file_that_was_broken_by_hand_is_named(tmp_path: Path) -> None:
    good = json.dumps(talk("a?", "b.").record())
    for passages in ('"x"', "[1]", '[{"id": "a"}]'):
        (tmp_path / "train.jsonl").write_text(good[:-1] + f', "passages": {passages}}}\n')
        with pytest.raises(LafiyaError, match=r"train\.jsonl, line 1"):
            data.load(tmp_path / "train.jsonl")


def test_passages_in_a_file_from_elsewhere_are_not_believed(tmp_path: Path) -> None:
    record = {**talk("Sannu?", "b.").record(), "passages": [{"id": "x", "text": "Ku sha kalanzir"}]}
    (tmp_path / "talks.jsonl").write_text(json.dumps(record) + "\n", "utf-8")
    source = data.Source(str(tmp_path / "talks.jsonl"))
    prepared = data.prepare([source], tools([]), held_out=0.0, grounded=1.0)
    assert prepared.train[0].passages == ()


def test_the_shipped_search_grounds_as_the_service_does() -> None:
    shipped = ground(load_settings({}, None))
    found = shipped.find("Yaya zan kare kaina daga zazzabin cizon sauro?")
    assert 1 <= len(found) <= 3
    assert found[0].id.startswith("malaria")
    own = shipped.passage(found[0].id)
    assert own == found[0]
    assert "{" not in own.text
    assert shipped.passage("no-such-topic") is None
