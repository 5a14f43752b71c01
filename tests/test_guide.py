"""The guide for health workers names every order, in both languages, and nothing else."""

import re
from pathlib import Path

import pytest

from bot import commands
from bot.admin_orders import Order, recognise
from bot.commands import Command

GUIDE = (Path(__file__).parents[1] / "docs" / "jagora.md").read_text("utf-8")
ROWS = re.findall(r"^\| `(/[^`]+)` \| `(/[^`]+)` \|", GUIDE, re.MULTILINE)


def meant(text: str) -> Order | Command | None:
    """What a message of an admin's is taken for."""
    order = recognise(text)
    return order[0] if order else commands.recognise(text)


@pytest.mark.parametrize(("english", "hausa"), ROWS)
def test_both_names_mean_the_same(english: str, hausa: str) -> None:
    assert meant(english) is not None
    assert meant(english) == meant(hausa)


def test_no_order_is_left_out() -> None:
    named = {meant(english) for english, _ in ROWS}
    assert named == {*Order, Command.HELP, Command.STATUS}


def test_what_is_written_between_the_lines_are_orders_too() -> None:
    words = re.findall(r"`(/[^`]+)`", GUIDE)
    assert len(words) > 2 * len(ROWS)
    assert [word for word in words if meant(word) is None] == []
