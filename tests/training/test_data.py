"""From sources to a split: what is left out and why, what is held out, and the card."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from core.messages import Past
from knowledge.folding import fold
from knowledge.referral import Referral
from knowledge.triage_signs import load_signs
from training.clean import clean
from training.data import Source, Tools, load, markdown, prepare, save
from training.rows import Conversation, DataError
from training.starter import starter


def talk(
    question: str, answer: str = "Ku je asibiti a gwada jini.", file: str = "f"
) -> Conversation:
    return Conversation((Past("user", question), Past("assistant", answer)), file, 1)


def judge(question: str, answer: str) -> str | None:
    return "kerosene" if "kalanzir" in fold(answer) else None


def detect(text: str) -> str:
    return "en" if " the " in text else "ha"


TOOLS = Tools(detect, judge)
LONG = "Yaya ake kula da jaririn da bai kai wata ɗaya ba idan yana jin sanyi da dare"

LEFT_OUT = [
    ("said twice", [talk("a?"), talk("a?  ")], {"duplicate": 1}),
    ("nearly the same words", [talk(LONG + "?"), talk(LONG + " ?!")], {"near-duplicate": 1}),
    ("the same words, another answer", [talk(LONG + "?"), talk(LONG + " ?!", "A rufe shi.")], {}),
    ("a graded question, spelt another way", [talk("Ina da ƙwarnafi")], {"evaluation": 1}),
    ("a telephone number", [talk("Ku kira ni 0803 123 4567")], {"private": 1}),
    ("a public helpline", [talk("Wa zan kira?", "Ku kira 0800 970 0010.")], {}),
    ("a short number", [talk("Wa zan kira?", "Ku kira 112.")], {}),
    ("an e-mail address", [talk("Ku rubuta wa ni a a.b@example.org")], {"private": 1}),
    ("cut in the middle", [talk("a?", "Ku sha ruwa da")], {"truncated": 1}),
    ("cut after a comma", [talk("a?", "Ku sha ruwa,")], {"truncated": 1}),
    ("another language", [talk("a?", "Go to the clinic.")], {"language": 1}),
    ("harmful advice", [talk("a?", "Ku sha ƙalanzir.")], {"unsafe:kerosene": 1}),
    ("good", [talk("a?")], {}),
]


@pytest.mark.parametrize(("label", "rows", "dropped"), LEFT_OUT)
def test_what_may_not_be_learnt_is_left_out_and_counted(
    label: str, rows: list[Conversation], dropped: dict[str, int]
) -> None:
    cleaned = clean(
        rows,
        detect=detect,
        judge=judge,
        known_numbers=frozenset({"08009700010"}),
        evaluation=["ina da kwarnafi"],
    )
    assert cleaned.dropped == dropped, label
    assert len(cleaned.kept) == len(rows) - sum(dropped.values())


def test_every_turn_is_looked_at() -> None:
    turns = (*talk("a?").turns, Past("user", "b?"), Past("assistant", "Ku sha kalanzir."))
    cleaned = clean([Conversation(turns)], detect=detect, judge=judge)
    assert cleaned.dropped == {"unsafe:kerosene": 1}


def test_near_is_found_across_blocks_and_keeps_one_of_each() -> None:
    rows = [
        talk(f"Tambaya lamba {n % 600} game da lafiyar jiki da abinci mai gina jiki", f"Amsa {n}.")
        for n in range(1200)
    ]
    again = [talk(f"{row.question} !", row.answer) for row in rows[:600]]
    cleaned = clean([*rows, *again], detect=detect, judge=judge)
    assert len({row.answer for row in cleaned.kept}) >= 1190
    assert sum(cleaned.dropped.values()) >= 590


def _file(folder: Path, name: str, rows: list[Conversation]) -> str:
    path = folder / name
    path.write_text("".join(json.dumps(row.record()) + "\n" for row in rows), "utf-8")
    return str(path)


def test_a_question_held_out_once_is_held_out_for_ever(tmp_path: Path) -> None:
    rows = [talk(f"Tambaya {n} {'abcdefghij'[n % 10] * 3}?", f"Amsa ta {n}.") for n in range(400)]
    first = prepare([Source(_file(tmp_path, "a.jsonl", rows[:200]))], TOOLS, held_out=0.2)
    second = prepare([Source(_file(tmp_path, "b.jsonl", rows))], TOOLS, held_out=0.2)
    held, later = ({row.question for row in p.held_out} for p in (first, second))
    assert 20 <= len(held) <= 60
    assert held < later
    assert not later & {row.question for row in first.train}
    assert not later & {row.question for row in second.train}


def test_sources_are_mixed_by_weight(tmp_path: Path) -> None:
    one = _file(tmp_path, "one.jsonl", [talk(f"Na farko {n}?", f"Amsa {n}.") for n in range(100)])
    two = _file(tmp_path, "two.jsonl", [talk(f"Na biyu {n}?", f"Amsa {n}.") for n in range(100)])
    mixed = prepare([Source.parse(f"{one}:2"), Source.parse(f"{two}:0.5")], TOOLS, held_out=0.0)
    counts = Counter(row.question[:7] for row in mixed.train)
    assert counts["Na fark"] == 200
    assert 35 <= counts["Na biyu"] <= 65
    assert mixed.card.train == len(mixed.train)
    assert (
        prepare([Source.parse(f"{one}:2"), Source.parse(f"{two}:0.5")], TOOLS, held_out=0.0)
        == mixed
    )


def test_the_card_tells_where_the_rows_went(tmp_path: Path) -> None:
    path = Path(
        _file(tmp_path, "a.jsonl", [talk("a?"), talk("a?"), talk("b?", "Ku sha kalanzir.")])
    )
    path.write_text(path.read_text("utf-8") + "oops\n", "utf-8")
    prepared = prepare([Source(str(path))], TOOLS, held_out=0.0)
    save(prepared, tmp_path / "out")
    card = json.loads((tmp_path / "out" / "card.json").read_text("utf-8"))
    assert (card["read"], card["faulty"], card["train"]) == (4, 1, 1)
    assert card["dropped"] == {"duplicate": 1, "unsafe:kerosene": 1}
    assert re.fullmatch(r"[0-9a-f]{64}", card["sources"][0]["sha256"])
    page = markdown(prepared.card)
    assert "a.jsonl, line 4: not JSON" in page
    assert "| unsafe:kerosene | 1 |" in page
    assert [row.turns for row in load(tmp_path / "out" / "train.jsonl")] == [talk("a?").turns]


def test_the_hash_is_of_the_rows_and_of_nothing_else(tmp_path: Path) -> None:
    rows = [talk(f"Tambaya {n}?", f"Amsa {n}.") for n in range(20)]
    hashes = {
        prepare([Source(_file(tmp_path, name, some))], TOOLS).card.hash
        for name, some in (("a.jsonl", rows), ("b.jsonl", rows[::-1]))
    }
    changed = prepare([Source(_file(tmp_path, "c.jsonl", rows[1:]))], TOOLS).card.hash
    assert len(hashes) == 1
    assert changed not in hashes


UNREADABLE = [
    ("no source", [], "name at least one source"),
    ("a missing file", ["gone.jsonl"], "No such file"),
    ("a weight out of range", ["starter:1000"], "from 0.01 to 100"),
]


@pytest.mark.parametrize(("label", "names", "what"), UNREADABLE)
def test_bad_sources_are_named(label: str, names: list[str], what: str) -> None:
    with pytest.raises(DataError, match=what):
        prepare([Source.parse(name) for name in names], TOOLS)


def test_nothing_left_says_why(tmp_path: Path) -> None:
    source = Source(_file(tmp_path, "a.jsonl", [talk("a?", "Ku sha kalanzir.")]))
    with pytest.raises(DataError, match="1 unsafe:kerosene"):
        prepare([source], TOOLS)


def test_the_starter_set_holds_every_sign_and_fills_every_number() -> None:
    rows = list(starter())
    text = "\n".join(turn.text for row in rows for turn in row.turns)
    answers = {row.answer for row in rows}
    referral = Referral.load()
    for sign in load_signs().values():
        assert referral.fill(sign.reply["ha"], country="NG", language="ha") in answers, sign.id
    assert not re.search(r"\{\w+\}", text)
    assert any(len(row.turns) == 4 for row in rows)


def test_the_starter_set_is_whole_after_cleaning() -> None:
    prepared = prepare([Source("starter")], TOOLS)
    kept = prepared.card.train + prepared.card.held_out
    assert kept > 0.97 * prepared.card.read
    assert set(prepared.card.dropped) <= {"duplicate", "near-duplicate"}
    assert 0.05 < prepared.card.held_out / kept < 0.15
