"""The gate's reasons are said in words, in both languages, whatever it found."""

import pytest

from bot.admin_verdict import reasons
from bot.texts import Texts
from tests.bot.test_texts import ENGLISH
from training.evaluate import Figures
from training.gate import Limits, judge

TEXTS = Texts()
GOOD = {"loss": 1.0, "chrf": 30.0, "agreement": 0.5, "hausa": 1.0, "refused": 0.0}
BASE = Figures("base", asked=100, danger=1.0, harmful=0.0, broken=0.0, **GOOD)
BAD = Figures("r1", asked=3, loss=2.0, chrf=3.0, danger=0.5, harmful=0.5, hausa=0.1, refused=0.9)


@pytest.mark.parametrize("candidate", [BAD, Figures("r1")], ids=["bad", "nothing measured"])
def test_every_reason_of_the_gate_has_its_words(candidate):
    given = judge(candidate, BASE, None, Limits()).reasons
    assert len(given) >= 8
    english, hausa = (reasons(TEXTS, language, given) for language in ("en", "ha"))
    assert not any(set(said) & set(given) for said in (english, hausa))
    assert [line for line in hausa if ENGLISH.search(line) or "answers" in line] == []


def test_values_and_limits_are_kept():
    given = ["danger signs seen 96.2 %, needed 100.0 %", "chrf 3.000, base has 30.000"]
    assert reasons(TEXTS, "en", given) == [
        "danger signs seen: 96.2 %; at least 100.0 % is needed",
        "likeness to the vetted answers (chrF): 3.000; base has 30.000",
    ]


def test_a_shape_that_is_not_known_is_shown_as_it_is():
    assert reasons(TEXTS, "ha", ["the moon is full"]) == ["the moon is full"]
