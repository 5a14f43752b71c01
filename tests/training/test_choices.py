"""Exams as their makers publish them, and what is wrong with a file."""

import csv
import json
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from training.choices import Choice, read
from training.rows import DataError

#: A row as Global-MMLU has it (CohereLabs/Global-MMLU, columns of its card).
GLOBAL = {
    "sample_id": "anatomy/test/0",
    "subject": "anatomy",
    "subject_category": "Medical",
    "question": "Ina zuciya take?",
    "option_a": "A kirji",
    "option_b": "A ciki",
    "option_c": "A kai",
    "option_d": "A ƙafa",
    "answer": "A",
}
HEART = Choice("Ina zuciya take?", ("A kirji", "A ciki", "A kai", "A ƙafa"), 0, "anatomy")


def put(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text, "utf-8")
    return str(folder / name)


def test_global_mmlu_is_read_and_its_other_subjects_left_out(tmp_path: Path) -> None:
    rows = [GLOBAL, {**GLOBAL, "subject": "astronomy"}]
    lines = "\n".join(map(json.dumps, rows)) + "\n\n"
    assert read(put(tmp_path, "ha.jsonl", lines)) == [HEART]
    assert read(put(tmp_path, "ha.json", json.dumps(rows))) == [HEART]
    parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "ha.parquet")
    assert read(str(tmp_path / "ha.parquet")) == [HEART]
    with (tmp_path / "ha.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, list(GLOBAL))
        table.writeheader()
        table.writerows(rows)
    assert read(str(tmp_path / "ha.csv")) == [HEART]


def test_afrimmlu_is_read_whole_for_none_of_its_subjects_is_medical(tmp_path: Path) -> None:
    table = "subject\tquestion\tchoices\tanswer\n"
    table += "global_facts\tNawa ne?\t['ɗaya', 'biyu', 'uku', 'huɗu']\tC\n"
    found = read(put(tmp_path, "hau.tsv", table))
    assert found == [Choice("Nawa ne?", ("ɗaya", "biyu", "uku", "huɗu"), 2, "global_facts")]


def test_a_list_and_the_number_of_the_answer_will_do(tmp_path: Path) -> None:
    row = {"question": "Nawa ne?", "choices": ["ɗaya", "biyu"], "answer": 1}
    lines = "\n".join([json.dumps(row)] * 5)
    assert (
        read(put(tmp_path, "a.jsonl", lines), most=3)
        == [Choice("Nawa ne?", ("ɗaya", "biyu"), 1)] * 3
    )


def test_a_question_is_put_as_the_exam_puts_it() -> None:
    assert HEART.text().splitlines()[:3] == ["Ina zuciya take?", "A. A kirji", "B. A ciki"]


WRONG = [
    ({**GLOBAL, "answer": "E"}, 'question 2: "answer" must be a letter, A to D'),
    ({**GLOBAL, "answer": None}, 'question 2: "answer"'),
    ({**GLOBAL, "question": " "}, 'question 2: "question" is missing'),
    ({"question": "a?", "answer": "A"}, 'question 2: needs "choices"'),
    ({"question": "a?", "choices": "[a", "answer": "A"}, 'question 2: "choices" is no list'),
    ([1], "must be an object"),
]


@pytest.mark.parametrize(("row", "what"), WRONG)
def test_what_is_wrong_is_named_with_its_place(tmp_path: Path, row: object, what: str) -> None:
    lines = f"{json.dumps(GLOBAL)}\n{json.dumps(row)}\n"
    with pytest.raises(DataError, match=what):
        read(put(tmp_path, "a.jsonl", lines))


UNREADABLE = [
    ("a.txt", "x", "not .jsonl"),
    ("a.jsonl", "{", "cannot be read"),
    ("a.jsonl", "", "no questions in it"),
    ("a.csv", "question,answer\n", "no questions in it"),
]


@pytest.mark.parametrize(("name", "text", "what"), UNREADABLE)
def test_a_file_that_is_no_exam_is_named(tmp_path: Path, name: str, text: str, what: str) -> None:
    with pytest.raises(DataError, match=what):
        read(put(tmp_path, name, text))


def test_a_missing_file_is_named() -> None:
    with pytest.raises(DataError, match="No such file"):
        read("gone.jsonl")
