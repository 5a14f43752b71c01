"""No answer advises what its passages forbid: the library's own warnings, turned round."""

import pytest

from bot.guard import Guard
from bot.guard_contrary import bans
from bot.guard_eval import turned_round
from knowledge.language import Detector

GUARD = Guard.load(Detector.load())


@pytest.mark.parametrize(
    ("forbidden", "said", "found"),
    [
        ("kada a sa kankara.", "a sa kankara a wurin", True),
        ("kada a sa kankara.", "ku shafa kankarar nan", True),
        ("kada a sa kankara.", "a sa ruwa", False),
        ("kada a ba yaro aspirin.", "a ba yaro ruwa", False),
        ("kada a ba yaro aspirin.", "a ba yaron ku aspirin", True),
        ("kada a shafa toka, man ja ko kwai.", "a shafa kwai", True),
        ("kada a daure shi, a doke shi ko a kulle mutum da sarka.", "a kulle shi da sarka", True),
        ("kada a motsa mutum; a rike kai da wuya.", "a rike kai da wuya", False),
        ("kada a ci komai kafin a kai asibiti.", "a ci komai a gida", False),
        ("kada a sayi antibiotic don mura.", "a sayi antibiotic don mura", True),
        ("a sha ruwa sosai.", "a sha ruwa sosai", False),
        ("ba a ba jariri zuma.", "ba a ba jariri zuma", False),
        ("kada a", "a sha", False),
        ("", "", False),
    ],
)
def test_what_a_line_forbids(forbidden: str, said: str, found: bool) -> None:
    assert any(ban.search(said) for ban in bans(forbidden)) is found


def test_the_librarys_warnings_turned_round_are_refused() -> None:
    advice = list(turned_round())
    assert len(advice) > 400
    passed = [bad for passage, bad in advice if GUARD.check(bad, passages=[passage]).ok]
    assert len(passed) <= 0.04 * len(advice), passed
