"""Splitting loses nothing, fits, and cuts where a reader would."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.split import split, utf16

SENTENCES = "Ku sha ruwa sosai. Ku huta. Idan zazzabi ya ci gaba, ku je asibiti!"


@pytest.mark.parametrize(
    ("label", "text", "limit", "parts"),
    [
        ("nothing", "", 10, []),
        ("only white space", " \n\t ", 10, []),
        ("fits", "Sannu", 5, ["Sannu"]),
        ("one too many, no white space", "Sannuu", 5, ["Sannu", "u"]),
        ("a paragraph first", "Aaa bb. Cc\n\nDd ee. Ff", 12, ["Aaa bb. Cc", "Dd ee. Ff"]),
        ("a blank line with spaces", "Aaa bb. Cc\n \nDd ee", 13, ["Aaa bb. Cc", "Dd ee"]),
        ("then a line", "- ruwa mai kyau\n- gishiri", 20, ["- ruwa mai kyau", "- gishiri"]),
        ("then a sentence", SENTENCES, 40, ["Ku sha ruwa sosai. Ku huta.", SENTENCES[28:]]),
        ("a question mark in Arabic script", "ما هذا؟ نعم نعم", 12, ["ما هذا؟", "نعم نعم"]),
        ("then a word", "daya biyu uku hudu", 11, ["daya biyu", "uku hudu"]),
        ("a number is no sentence end", "zafi 38.5 digiri", 12, ["zafi 38.5", "digiri"]),
        (
            "a break too early is passed over",
            "A.\n\nbiyu uku hudu biyar",
            20,
            ["A.\n\nbiyu uku hudu", "biyar"],
        ),
        ("but better than inside a word", "A bbbbbbbbbbbbbb", 14, ["A", "bbbbbbbbbbbbbb"]),
        ("the end of a word at the limit", "abcd efgh", 4, ["abcd", "efgh"]),
        ("an emoji counts two", "😀😀😀", 4, ["😀😀", "😀"]),
        ("a family is one sign", "ab👩‍👩‍👧", 9, ["ab", "👩‍👩‍👧"]),
        ("a flag is one sign", "abc🇳🇬🇳🇪", 9, ["abc🇳🇬", "🇳🇪"]),
        ("a skin tone stays", "abcd👍🏿", 7, ["abcd", "👍🏿"]),
        ("an accent stays with its letter", "abce\u0301", 4, ["abc", "e\u0301"]),
    ],
)
def test_split(label, text, limit, parts):
    assert split(text, limit) == parts


texts = st.text(
    alphabet=st.one_of(
        st.sampled_from(list("abɗƙ .!?\n\t😀👍🏿🇳🇬\u200d\u0301\u064b؟ ")), st.characters()
    ),
    max_size=400,
)


def _solid(text):
    return "".join(text.split())


@settings(deadline=None)
@given(texts, st.integers(2, 60), st.sampled_from([utf16, len]))
def test_nothing_is_lost_and_everything_fits(text, limit, measure):
    parts = split(text, limit, measure=measure)
    assert _solid("".join(parts)) == _solid(text)
    assert all(part and part == part.strip() and measure(part) <= limit for part in parts)


SIGNS = ["a", "ɗ", " ", ".", "\n", "e\u0301", "e\u0301\u0323", "👍🏿", "🇳🇬", "👩\u200d👧"]


@settings(deadline=None)
@given(st.lists(st.sampled_from(SIGNS), max_size=80), st.integers(8, 40))
def test_no_part_begins_inside_a_sign(signs, limit):
    for part in split("".join(signs), limit):
        assert not part.startswith(("\u0301", "\u0323", "🏿", "\u200d"))
        assert not part.endswith("\u200d")
        assert sum("🇦" <= character <= "🇿" for character in part) % 2 == 0


def test_a_long_answer_is_cut_quickly():
    parts = split("Ku sha ruwa mai tsafta. " * 5_000, 4096)
    assert all(part.endswith(".") for part in parts)


@pytest.mark.parametrize("limit", [1, 0, -1])
def test_a_limit_that_holds_nothing(limit):
    with pytest.raises(ValueError, match="at least one"):
        split("aa", limit)


@settings(deadline=None)
@given(st.text())
def test_utf16_counts_as_telegram_does(text):
    assert utf16(text) == len(text.encode("utf-16-le", "surrogatepass")) // 2
