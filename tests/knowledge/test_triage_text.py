"""Keyed text and context: what is made equal, what ends a sentence, what is only talk."""

import pytest

from knowledge.triage_context import Context
from knowledge.triage_text import key, pattern_key, sentences

CONTEXT = Context.load()

KEYS = [
    ("split and joined negation", "ba ya numfashi", "baya numfashi"),
    ("split continuous", "ya na zubar", "yana zubar"),
    ("q and joined refusal", "yaqi shan nono", "yaki shan nono"),
    ("possessive apart", "kirji na", "kirjina"),
    ("dialect", "jikinshi mashi", "jikinsa masa"),
    ("double letters", "jijjiga", "jijiga"),
    ("hyphen", "fiya-fiya", "fiya fiya"),
    ("nothing joins across a comma", "bai sare shi ba, ya gudu", "bai sare shi ba ya gudu"),
    ("su ma stays", "su ma sun je", "su ma sun je"),
]


@pytest.mark.parametrize(("label", "text", "expected"), KEYS)
def test_key(label: str, text: str, expected: str) -> None:
    assert key(text) == expected


def test_pattern_key_spares_escapes() -> None:
    assert pattern_key(r"\bbari kakkafe\w\w") == r"\bbari kakafe\w\w"


def test_a_number_ends_no_sentence() -> None:
    assert sentences("Zafi 38.5. Ya suma!\nMe zan yi?") == ["Zafi 38.5", " Ya suma", "Me zan yi"]


LABELS = [
    ("definition", "Mene ne farfaɗiya", "knowledge"),
    ("definition of mine", "Me ya sa jini yake fita min", None),
    ("asked in general", "Yaya ake hana cizon maciji", "knowledge"),
    ("prevention", "Ta yaya zan kare yarana daga cizon maciji", "prevention"),
    ("kare is also a dog", "Kare ya cije yarona", None),
    ("hana is also a hindrance", "Matsi a ƙirji ya hana ni tafiya", None),
    ("stopping blood is no prevention", "Yaya zan hana jini zuba", None),
    ("years ago", "Shekaru biyar da suka wuce maciji ya sare ni", "past"),
    ("day before yesterday is not past", "Tun shekaran jiya ba ta haihu ba", None),
    ("again today", "Bara ya suma, yau ya sake suma", None),
    ("recovered", "Ta yi farfadiya, yanzu ta warke", "recovered"),
    ("not recovered", "Bai warke ba", None),
    ("not breathing well is no recovery", "Jaririna ba ya numfashi da kyau", None),
    ("news", "Gwamnati ta sanar da barkewar kwalara", "news"),
    ("news about mine", "Yan sanda sun harbe yarona", None),
    ("a doctor asks", "kuna jin wahalar numfashi", "asked"),
]


@pytest.mark.parametrize(("label", "text", "expected"), LABELS)
def test_label(label: str, text: str, expected: str | None) -> None:
    assert CONTEXT.label(key(text)) == expected


DENIALS = [
    ("has none", "ba shi da zazzabi", "|"),
    ("what follows stays", "ba shi da zazzabi yana numfashi da kyar", "| yana numfashi da kyar"),
    ("no breath is a danger", "babu numfashi", "babu numfashi"),
    ("no urine is a danger", "ba ya fitsari", "baya fitsari"),
    ("did not bite", "maciji bai sare shi ba", "maciji |"),
    ("did not wake is a danger", "bai farka ba", "bai farka ba"),
]


@pytest.mark.parametrize(("label", "text", "expected"), DENIALS)
def test_denials_are_cut_out_and_nothing_else(label: str, text: str, expected: str) -> None:
    assert CONTEXT.without_denials(key(text)) == expected
