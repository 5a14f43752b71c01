"""Talking in the terminal: an answer that grows there, and a pipe that gets it once."""

import io
import sys

import pytest

from bot.fakes import FakeGuard, tiny_mind
from cli.talk import Spoken, converse
from inference.engine import FakeEngine

ASKED = "ina da ciwon kunne"
WITHDRAWN = "(withdrawn)"
GROWN = [
    ("it grows", ["A.", "A. B."], "A. B. C.", "\nA. B. C.\n"),
    ("nobody looked on", [], "A.", "\nA.\n"),
    ("nothing came after", ["A.", "A. B."], "A. B.", "\nA. B.\n"),
    ("told twice", ["A.", "A."], "A. B.", "\nA. B.\n"),
    ("another reply", ["A.", "A. B."], "C.", "\nA. B.\n\n(withdrawn)\n\nC.\n"),
    ("its beginning was changed", ["A.", "a. B."], "a. B.", "\nA.\n\n(withdrawn)\n\na. B.\n"),
]


@pytest.mark.parametrize(("label", "shown", "reply", "printed"), GROWN, ids=[r[0] for r in GROWN])
def test_what_is_printed(
    label: str, shown: list[str], reply: str, printed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    spoken = Spoken(WITHDRAWN)
    for text in shown:
        spoken.show(text)
    spoken.end(reply)
    assert capsys.readouterr().out == printed


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> None:
    """One question on standard input, and its end."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{ASKED}\n"))


@pytest.mark.usefixtures("typed")
@pytest.mark.parametrize("live", [True, False], ids=["terminal", "pipe"])
def test_a_reply_is_told_once(live: bool, capsys: pytest.CaptureFixture[str]) -> None:
    mind = tiny_mind(FakeEngine("A sha ruwa. A huta a gida. A je asibiti."))
    converse(mind, 4, live=live)
    out = capsys.readouterr().out
    assert out.count("A sha ruwa. A huta a gida. A je asibiti.") == 1
    assert "janye" not in out


@pytest.mark.usefixtures("typed")
def test_a_terminal_says_what_was_withdrawn(capsys: pytest.CaptureFixture[str]) -> None:
    mind = tiny_mind(
        FakeEngine("A sha ruwa. A sha guba. A huta."), guard=FakeGuard("x", bad="guba")
    )
    converse(mind, 4, live=True)
    seen, _, after = capsys.readouterr().out.partition("An janye abin da ke sama")
    assert seen.rstrip("( \n").endswith("A sha ruwa.")
    assert "Ba mu da tabbatacciyar amsa" in after
    assert "guba" not in seen + after


@pytest.mark.usefixtures("typed")
def test_a_pipe_sees_nothing_of_what_was_withdrawn(capsys: pytest.CaptureFixture[str]) -> None:
    mind = tiny_mind(
        FakeEngine("A sha ruwa. A sha guba. A huta."), guard=FakeGuard("x", bad="guba")
    )
    converse(mind, 4, live=False)
    out = capsys.readouterr().out
    assert "A sha ruwa" not in out
    assert "janye" not in out
