"""The measuring itself: counts, markers, and the bars the shipped library has to hold."""

from pathlib import Path

import pytest

from knowledge.library import Library, Match, Passage
from knowledge.library_eval import (
    BEGIN,
    END,
    NONE,
    Tally,
    held_out,
    held_out_rows,
    tally,
    write_between,
)


def found(outcome: str, *ids: str, off_topic: bool = False) -> Match:
    return Match(outcome, tuple(Passage(key, 0.5, "") for key in ids), off_topic)


@pytest.mark.parametrize(
    ("label", "topic", "match", "expected"),
    [
        (
            "certain and right",
            "a",
            found("certain", "a"),
            Tally(asked=1, first=1, third=1, certain_right=1),
        ),
        ("certain and wrong", "a", found("certain", "b"), Tally(asked=1, certain_wrong=1)),
        ("third", "a", found("context", "b", "c", "a"), Tally(asked=1, third=1)),
        ("fourth", "a", found("context", "b", "c", "d", "a"), Tally(asked=1)),
        ("nothing", "a", found("nothing"), Tally(asked=1, nothing=1)),
        ("declined", NONE, found("nothing", off_topic=True), Tally(others=1, others_flagged=1)),
        (
            "answered",
            NONE,
            found("certain", "a"),
            Tally(others=1, others_certain=1, others_answered=1),
        ),
    ],
)
def test_tally(label: str, topic: str, match: Match, expected: Tally) -> None:
    assert tally([(topic, "?")], lambda _: match) == expected, label


def test_the_report_touches_only_its_own_part(tmp_path: Path) -> None:
    path = tmp_path / "safety.md"
    path.write_text(f"# Safety\nbefore\n{BEGIN}\nold\n{END}\nafter\n", "utf-8")
    write_between(path, "new\n")

    assert path.read_text("utf-8") == f"# Safety\nbefore\n{BEGIN}\nnew\n{END}\nafter\n"


def test_the_report_is_made_when_absent(tmp_path: Path) -> None:
    path = tmp_path / "safety.md"
    write_between(path, "new\n")
    write_between(path, "newer\n")

    assert path.read_text("utf-8").count(BEGIN) == 1
    assert "newer" in path.read_text("utf-8")


def test_held_out_questions_hold_the_bars() -> None:
    name, counts = held_out_rows(held_out(), Library.load().search)[-1]

    assert name == "held-out, all"
    assert counts.first >= 0.90 * counts.asked
    assert counts.certain_wrong <= 0.01 * counts.asked
    assert counts.others_answered <= 0.05 * counts.others
