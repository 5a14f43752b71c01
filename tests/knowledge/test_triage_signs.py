"""Sign files: the ids that others rely on, the rules of a reply, and files that break them."""

from pathlib import Path

import pytest

from knowledge.triage_signs import MAX_REPLY, SIGNS, SignError, load_signs

FIXED = {
    "breathing",
    "choking",
    "chest_pain",
    "unconscious",
    "convulsion",
    "bleeding",
    "pregnancy_bleed",
    "pregnancy_eclampsia",
    "labour",
    "newborn",
    "child_general",
    "dehydration",
    "stroke",
    "snakebite",
    "bite_rabies",
    "poisoning",
    "suicide",
    "meningitis",
    "burns",
    "electric",
    "drowning",
    "trauma",
    "rape",
    "anaphylaxis",
    "sugar_emergency",
    "malaria_severe",
    "malnutrition",
}
LONGEST_NUMBER = "112 (Nijeriya, kyauta) ko 15 (Nijar, SAMU)"
LONGEST_LINE = "0814 224 1007 (SURPIN, da Hausa) ko 0800 078 7746 (SURPIN, kyauta)"
GREETINGS = ("sannu", "assalamu", "salam", "barka", "hello", "allah")


def test_the_27_signs_are_there_and_more() -> None:
    assert set(load_signs()) > FIXED


@pytest.mark.parametrize("sign", load_signs().values(), ids=lambda sign: sign.id)
def test_a_reply_is_short_acts_first_and_leaves_the_numbers_open(sign) -> None:
    for text in sign.reply.values():
        filled = text.replace("{emergency}", LONGEST_NUMBER).replace("{suicide_line}", LONGEST_LINE)
        assert len(filled) <= MAX_REPLY
        assert "{" not in filled
        assert not any(digits in text for digits in ("112", "0800", "0814", "767"))
        assert not any(word in text.lower().split() for word in GREETINGS)
        assert text.index("{emergency}") > 0
    assert "{suicide_line}" in sign.reply["ha"] or sign.id not in {"suicide", "psychosis", "rape"}


@pytest.mark.parametrize("sign", load_signs().values(), ids=lambda sign: sign.id)
def test_a_sign_names_its_source_and_its_review(sign) -> None:
    assert any(year in sign.source for year in map(str, range(2000, 2027)))
    assert (sign.status, sign.reviewer, sign.review_by.isoformat()) == ("draft", None, "2027-05-31")
    assert sign.phrases
    assert sign.patterns
    assert len(sign.near_misses) >= 3


BREAKS = [
    ("wrong id", ("id: electric", "id: electrik")),
    ("unknown urgency", ("urgency: now", "urgency: soon")),
    ("reviewed by nobody", ("status: draft", "status: reviewed")),
    ("no number", ("{emergency}", "")),
    ("missing key", ("source:", "sauce:")),
    ("unknown rank", ("outranks: [burns", "outranks: [no-such-sign")),
    ("reply too long", ("Kada a taɓa shi tukuna.", "Kada a taɓa shi tukuna. " * 30)),
]


@pytest.mark.parametrize(("label", "change"), BREAKS)
def test_a_broken_file_is_refused(label: str, change: tuple[str, str], tmp_path: Path) -> None:
    for path in SIGNS.glob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        changed = text.replace(*change) if path.stem == "electric" else text
        (tmp_path / path.name).write_text(changed, encoding="utf-8")
    with pytest.raises(SignError):
        load_signs(tmp_path)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SignError):
        load_signs(tmp_path)
