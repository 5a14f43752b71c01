"""Which messages are orders, and which only look like one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.commands import MENU, SLASH, WORDS, Command, bare, recognise, yes_or_no

HITS = [
    ("slash", "/start", Command.START),
    ("slash with bot name", "/help@LafiyaBot", Command.HELP),
    ("slash in Hausa", "/taimako", Command.HELP),
    ("slash with words after it", "/tsaya yanzu don Allah", Command.STOP),
    ("slash after a blank", "/ start", Command.START),
    ("slash in capitals", "/STATUS", Command.STATUS),
    ("capitals", "TSAYA", Command.STOP),
    ("Title and stop mark", "Tsaya.", Command.STOP),
    ("blanks around", "  goge \n", Command.ERASE),
    ("hooked letter", "Ƙari", Command.MORE),
    ("hooked letter left out", "kari", Command.MORE),
    ("q for the hook", "qari", Command.MORE),
    ("please before", "Don Allah ku tsaya", Command.STOP),
    ("please after", "goge please", Command.ERASE),
    ("doctor after", "taimako likita", Command.HELP),
    ("said twice over with marks", "goge!!!", Command.ERASE),
    ("several words", "ina so a goge bayanaina", Command.ERASE),
    ("several words in English", "delete my data", Command.ERASE),
    ("data", "Bayanaina", Command.DATA),
    ("data as two words", "bayanai na", Command.DATA),
    ("language", "harshe", Command.LANGUAGE),
    ("English", "Turanci", Command.ENGLISH),
    ("Hausa", "da Hausa", Command.HAUSA),
    ("training consent", "gudummawa", Command.TRAINING),
    ("training consent, other spelling", "gudunmawa", Command.TRAINING),
    ("emergency numbers", "lambar gaggawa", Command.EMERGENCY),
    ("start again", "a ci gaba", Command.START),
    ("stop in many words", "ku daina turo min sako", Command.STOP),
    ("apostrophe", "ba na son saƙonku", Command.STOP),
]
NEAR_MISSES = [
    ("the heart has stopped", "zuciyata ta tsaya"),
    ("the bleeding does not stop", "jini ya ki tsayawa"),
    ("may I stop the medicine", "zan iya tsaya shan magani"),
    ("stop inside a question", "yaushe zan daina shayarwa"),
    ("vomiting will not stop", "amai ya ki daina"),
    ("help in a plea", "taimako yarona yana suma"),
    ("I need help", "Dana yana da gudawa sosai. Ina bukatan taimako."),
    ("start of labour", "nakuda ta fara"),
    ("stroke: erased speech", "maganarsa ta goge"),
    ("more of a symptom", "karin jini nake bukata"),
    ("English word in a question", "start of pregnancy signs"),
    ("a plan of many words", "goge bayanan da ke kan takardar asibiti ta wajen babban likita yau"),
    ("unknown slash", "/malaria"),
    ("lone slash", "/"),
    ("a ratio", "1/2 tablet"),
    ("only please", "don Allah"),
    ("nothing", ""),
    ("blank", "   "),
    ("emoji", "🛑"),
    ("a number", "1"),
]


@pytest.mark.parametrize(("label", "text", "command"), HITS, ids=[hit[0] for hit in HITS])
def test_an_order_is_recognised(label: str, text: str, command: Command) -> None:
    assert recognise(text) is command


@pytest.mark.parametrize(("label", "text"), NEAR_MISSES, ids=[miss[0] for miss in NEAR_MISSES])
def test_what_only_looks_like_an_order_is_none(label: str, text: str) -> None:
    assert recognise(text) is None


def test_every_command_has_a_slash_and_a_plain_word() -> None:
    assert set(SLASH.values()) == set(Command)
    assert set(WORDS) == set(Command)
    for command, words in WORDS.items():
        assert [recognise(word) for word in words] == [command] * len(words)


def test_no_word_orders_two_things() -> None:
    owners = [(bare(word), command) for command, words in WORDS.items() for word in words]
    by_word = dict(owners)
    assert all(by_word[word] is command for word, command in owners)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("eh", True),
        ("Ee", True),
        ("Na yarda.", True),
        ("na yarda likita", True),
        ("YES", True),
        ("to", True),
        ("a'a", False),
        ("A’a", False),
        ("a a", False),
        ("ban yarda ba", False),
        ("ba na so", False),
        ("no!", False),
        ("eh amma ina da tambaya", None),
        ("na yarda da shan magani", None),
        ("a'a ban gane ba", None),
        ("nono", None),
        ("", None),
    ],
)
def test_yes_and_no(text: str, meant: bool | None) -> None:
    assert yes_or_no(text) is meant


@settings(deadline=None)
@given(st.text(max_size=200))
def test_nothing_that_is_written_raises(text: str) -> None:
    recognise(text)
    recognise("/" + text)
    yes_or_no(text)


def test_every_word_of_the_menu_is_an_order() -> None:
    assert all(recognise(f"/{word}") for word in MENU)
