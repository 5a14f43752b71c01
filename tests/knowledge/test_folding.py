"""Folding: hits beside near-misses, and the laws that every caller relies on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.folding import expand, fold, short_forms, tokens

CASES = [
    ("hooks small", "ɓari ɗan ƙashi ƴata", "bari dan kashi yata"),
    ("hooks capital", "ƁARI ƊAN ƘASHI ƳATA", "bari dan kashi yata"),
    ("look-alikes", "ɖan ķasa қasa ḍan", "dan kasa kasa dan"),
    ("q for ƙ", "QIRJI qasa", "kirji kasa"),
    ("6 inside a word", "ta6a zazza6i", "taba zazzabi"),
    ("6 first", "6ata 6ari", "bata bari"),
    ("6 as a number stays", "kwana 6 sau 16 6am 6:30", "kwana 6 sau 16 6am 6:30"),
    ("ch for c", "chiwo chikin chutar", "ciwo cikin cutar"),
    ("sh stays", "numfashi", "numfashi"),
    ("straight apostrophe", "'yan al'ada", "yan alada"),
    ("curly, modifier, backtick", "‘yan ’yan ʼyan ʻyan `yan ´yan", "yan yan yan yan yan yan"),
    ("tone marks composed", "márà lāfiyà", "mara lafiya"),
    ("tone marks apart", "ma\u0301ra\u0300", "mara"),
    ("trilled r", "r\u0303uwa", "ruwa"),
    ("zero width and bidi", "num\u200bfa\u200eshi\ufeff", "numfashi"),
    ("blanks", "  ya \n\t suma  ", "ya suma"),
    ("stretched letters", "wayyooooo zazzabi", "wayyo zazzabi"),
    ("double letters stay", "jijjiga", "jijjiga"),
    ("full width", "ＳＵＭＡ", "suma"),
    ("ajami is kept", "قَشِ", "قش"),
    ("lone surrogate", "ya\ud800suma", "ya suma"),
    ("empty", "", ""),
]


@pytest.mark.parametrize(("label", "given_text", "expected"), CASES, ids=[c[0] for c in CASES])
def test_fold(label: str, given_text: str, expected: str) -> None:
    assert fold(given_text) == expected


EXPANSIONS = [
    ("sms", "Wlh lfy lau", "wallahi lafiya lau"),
    ("joined", "yanada nunfashi d kyau", "yana da numfashi da kyau"),
    ("short negation before a pronoun", "b ya numfashi", "ba ya numfashi"),
    ("b elsewhere stays", "vitamin b guda daya", "vitamin b guda daya"),
    ("ambiguous forms stay", "baya bata yaki t s", "baya bata yaki t s"),
]


@pytest.mark.parametrize(("label", "given_text", "expected"), EXPANSIONS)
def test_expand(label: str, given_text: str, expected: str) -> None:
    assert expand(given_text) == expected


def test_tokens_split_on_everything_that_is_not_a_letter_or_digit() -> None:
    assert tokens("Ya sha fiya-fiya, 2 sau_biyu!") == [
        "ya",
        "sha",
        "fiya",
        "fiya",
        "2",
        "sau",
        "biyu",
    ]


def test_every_short_form_is_reachable_after_folding() -> None:
    assert all(form == fold(form) and " " not in form for form in short_forms())


@given(st.text())
def test_fold_is_idempotent(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=40))
def test_fold_never_raises_even_on_surrogates(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert all(token == fold(token) for token in tokens(text))
    expand(text)


@given(st.text(alphabet="aɓɗƙƴq6ch'’ʼ\u0301\u200b İſK"))
def test_fold_is_idempotent_on_the_letters_it_maps(text: str) -> None:
    assert fold(fold(text)) == fold(text)
