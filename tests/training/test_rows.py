"""Every shape of conversation that people keep, and every way in which a file is broken."""

import json
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from core.messages import Past
from training.rows import LONGEST, Conversation, DataError, Fault, parse, read

ASKED, ANSWERED = "Ina da zazzaɓi.", "Ku je asibiti a gwada jini."
TURNS = (Past("user", ASKED), Past("assistant", ANSWERED))
SHAREGPT = {
    "conversations": [{"from": "human", "value": ASKED}, {"from": "gpt", "value": ANSWERED}]
}
OPENAI = {
    "messages": [{"role": "user", "content": ASKED}, {"role": "assistant", "content": ANSWERED}]
}

GOOD = [
    ("ShareGPT", SHAREGPT),
    ("ShareGPT with role and content", {"conversations": OPENAI["messages"]}),
    ("OpenAI", OPENAI),
    (
        "its own system prompt is left out",
        {"messages": [{"role": "system", "content": "Kai"}, *OPENAI["messages"]]},
    ),
    ("the list as JSON text, as CSV holds it", {"messages": json.dumps(OPENAI["messages"])}),
    ("prompt and response", {"prompt": ASKED, "response": ANSWERED}),
    ("instruction and output", {"instruction": ASKED, "output": ANSWERED, "extra": 3}),
    ("blanks around", {"question": f"  {ASKED}\n", "answer": ANSWERED}),
    ("letters and marks apart", {"question": ASKED, "answer": ANSWERED}),
]


@pytest.mark.parametrize(("label", "row"), GOOD)
def test_a_known_shape_is_read(label: str, row: object) -> None:
    read_row = parse(row, "f.jsonl", 3)
    assert read_row == Conversation(TURNS, "f.jsonl", 3), label


def _messages(*turns: tuple[str, object]) -> dict[str, object]:
    return {"messages": [{"role": role, "content": text} for role, text in turns]}


BAD = [
    ("not an object", [1], "must be an object, not list"),
    ("unknown columns", {"text": "a", "label": 1}, "this one has: label, text"),
    ("no rows", {"messages": []}, "must be a list of turns"),
    ("a mapping for a list", {"messages": {"role": "user"}}, "must be a list of turns"),
    ("text that is not JSON", {"conversations": "[{"}, "text that is not JSON"),
    ("a turn that is text", {"messages": ["hi"]}, "turn 1 must be an object"),
    ("no role", {"messages": [{"content": "a"}]}, 'no "from" or "role"'),
    (
        "text that is a number",
        _messages(("user", 3), ("assistant", "a")),
        "turn 1: the text is missing",
    ),
    ("text that is null", {"prompt": None, "response": "a"}, "prompt: the text is missing"),
    ("mixed roles", _messages(("user", "a"), ("user", "b")), "must take turns"),
    ("assistant first", _messages(("assistant", "a"), ("user", "b")), "must take turns"),
    ("unknown role", _messages(("doctor", "a"), ("assistant", "b")), '"doctor" is not a role'),
    ("no answer", _messages(("user", "a")), "last turn must be the assistant's"),
    ("an empty answer", _messages(("user", "a"), ("assistant", "  ")), "turn 2 is empty"),
    (
        "ten megabytes",
        _messages(("user", "a" * 10_000_000), ("assistant", "b")),
        f"the most is {LONGEST:,}",
    ),
    ("half a character", _messages(("user", "a\ud83d"), ("assistant", "b")), "half a character"),
]


@pytest.mark.parametrize(("label", "row", "what"), BAD)
def test_a_broken_row_is_named_with_its_line(label: str, row: object, what: str) -> None:
    fault = parse(row, "talks.jsonl", 417)
    assert isinstance(fault, Fault), label
    assert str(fault).startswith("talks.jsonl, line 417: ")
    assert what in fault.what


def test_one_broken_line_costs_only_itself(tmp_path: Path) -> None:
    lines = [json.dumps(OPENAI)] * 500
    lines[416] = '{"messages": [}'
    lines[99] = ""
    path = tmp_path / "talks.jsonl"
    path.write_text("\ufeff" + "\n".join(lines), "utf-8")
    rows = list(read(path))
    assert [str(row) for row in rows if isinstance(row, Fault)] == [
        "talks.jsonl, line 417: not JSON (Expecting value, column 15)"
    ]
    assert len(rows) == 499


def test_a_line_in_another_encoding_is_named(tmp_path: Path) -> None:
    path = tmp_path / "talks.jsonl"
    path.write_bytes(json.dumps(OPENAI).encode() + b'\n{"prompt": "\xff\xfe"}\n')
    good, bad = read(path)
    assert isinstance(good, Conversation)
    assert str(bad).startswith("talks.jsonl, line 2: not UTF-8")


def test_every_kind_of_file_gives_the_same_rows(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps(SHAREGPT), "utf-8")
    (tmp_path / "b.json").write_text(json.dumps([SHAREGPT]), "utf-8")
    (tmp_path / "c.json").write_text(json.dumps({"data": [OPENAI]}), "utf-8")
    (tmp_path / "d.csv").write_text(f'Prompt,Response\n"{ASKED}","{ANSWERED}"\n', "utf-8")
    (tmp_path / "e.tsv").write_text(f"prompt\tresponse\n{ASKED}\t{ANSWERED}\n", "utf-8")
    parquet.write_table(pa.Table.from_pylist([SHAREGPT]), tmp_path / "f.parquet")
    for path in sorted(tmp_path.iterdir()):
        (row,) = read(path)
        assert isinstance(row, Conversation), path
        assert row.turns == TURNS, path


BROKEN = [
    ("empty.jsonl", b"", "the file is empty"),
    ("cut.json", b'[{"prompt": "a",', "line 1, column 17: not JSON"),
    ("object.json", b'{"prompt": "a"}', "must be a list"),
    ("latin.csv", b"prompt,response\n\xe9,b\n", "line 2: not UTF-8"),
    ("nul.parquet", b"PAR1 no", "not a Parquet file"),
    ("photo.png", b"x", "not one of"),
]


@pytest.mark.parametrize(("name", "content", "what"), BROKEN)
def test_a_file_that_cannot_be_read_says_what_to_do(
    tmp_path: Path, name: str, content: bytes, what: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError, match=what) as caught:
        list(read(path))
    assert name in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone\.jsonl: No such file"):
        list(read(tmp_path / "gone.jsonl"))
