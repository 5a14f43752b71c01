"""Courtesies, and questions that begin with one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.smalltalk import GREETINGS, THANKS, Courtesy, courtesy

CASES = [
    ("greeting", "Sannu", Courtesy.GREETING),
    ("greeting with a mark", "ina kwana?", Courtesy.GREETING),
    ("greeting to a doctor", "Sannu likita", Courtesy.GREETING),
    ("English", "Good morning", Courtesy.GREETING),
    ("thanks", "Na gode sosai!", Courtesy.THANKS),
    ("thanks with a title", "na gode likita", Courtesy.THANKS),
    ("salam", "Assalamu alaikum", Courtesy.SALAM),
    ("salam in one word", "assalamualaikum", Courtesy.SALAM),
    ("salam, other spelling", "Salama alaikum", Courtesy.SALAM),
    ("salam, SMS", "slm", Courtesy.SALAM),
    ("salam in full", "Assalamu alaikum wa rahmatullahi wa barakatuh", Courtesy.SALAM),
    ("salam in full, run together", "Assalamu alaikum warahmatullah", Courtesy.SALAM),
    ("salam and a greeting", "Salamu alaikum, ina kwana", Courtesy.SALAM),
    ("salam and one word of a question", "Assalamu alaikum malaria", None),
    ("salam and two words of a question", "salam alaikum ciwon kai", None),
    ("salam in full and a question", "Assalamu alaikum wa rahmatullah yarona na zazzabi", None),
    ("greeting and a question", "sannu, ina da ciwon kai", None),
    ("thanks and a question", "na gode, amma yaya zan sha", None),
    ("a chain of greetings", "Ina kwana, ya gida, ya aiki, kwana biyu shiru", Courtesy.GREETING),
    ("salam and a chain", "Assalamu alaikum, ina wuni, ya iyali", Courtesy.SALAM),
    ("thanks and a farewell", "ok na gode sai anjima", Courtesy.THANKS),
    ("a chain and a question", "ina kwana ya gida, kaina na ciwo", None),
    ("two days of something", "kwana biyu", None),
    ("a name", "Salamatu", None),
    ("health as a word in a question", "lafiya kalau nake", None),
    ("nothing", "", None),
    ("emoji", "🙏", None),
]


@pytest.mark.parametrize(("label", "text", "said"), CASES, ids=[case[0] for case in CASES])
def test_courtesy(label: str, text: str, said: Courtesy | None) -> None:
    assert courtesy(text) is said


def test_every_listed_word_is_one() -> None:
    assert {courtesy(word) for word in GREETINGS} == {Courtesy.GREETING}
    assert {courtesy(word) for word in THANKS} == {Courtesy.THANKS}


@settings(deadline=None)
@given(st.text(max_size=200))
def test_nothing_that_is_written_raises(text: str) -> None:
    courtesy(text)
    courtesy("assalamu alaikum " + text)


def test_a_long_chain_costs_no_more_than_its_length() -> None:
    assert courtesy("na gode sosai " * 200 + "amma") is None
    assert courtesy("ina kwana lafiya " * 200 + "amma") is None
