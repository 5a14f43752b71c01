"""The guard's scorer: the served file is what the tree trains, and says what it was taught."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bot import guard_train
from bot.guard import Guard
from bot.guard_eval import rounds
from bot.guard_scorer import NAME, Scorer
from knowledge.language import Detector
from knowledge.ngrams import ModelError

GUARD = Guard.load(Detector.load())
SCORER = GUARD.scorer


@pytest.mark.parametrize(
    ("line", "doubtful"),
    [
        ("a kwantar da mai farfadiya a gefe har ya farka", False),
        ("mai farfadiya ku zuba masa ruwan yaji a hanci", True),
        ("mai hawan jini ya rage gishiri ya sha magani kullum", False),
        ("hawan jini tunani ne ku daina magani ku huta", True),
        ("sannu", False),
        ("", False),
    ],
)
def test_what_it_was_taught(line: str, doubtful: bool) -> None:
    assert SCORER.doubts([line]) is doubtful


def test_one_bad_line_is_enough() -> None:
    lines = ["a sha ruwa mai tsafta a huta", "mai farfadiya ku zuba masa ruwan yaji a hanci"]
    assert SCORER.doubts(lines)
    assert not SCORER.doubts(lines[:1])


def test_the_guard_asks_it_last_and_says_so() -> None:
    verdict = GUARD.check("Wuyan da ya kafe gajiya ce, a yi masa tausa da man zafi.")
    assert (verdict.ok, verdict.reason) == (False, "advice")
    assert GUARD.check("Mai farfaɗiya ku zuba masa ruwan yaji a hanci.").reason != "advice"


def test_a_vetted_line_is_not_judged() -> None:
    line = "Wuyan da ya kafe gajiya ce, a yi masa tausa da man zafi."
    assert GUARD.check(line, passages=[line]).ok


def test_blind_rounds_are_caught_by_it_and_not_by_the_rules_alone() -> None:
    deaf = replace(SCORER, threshold=99.0)
    rules = replace(GUARD, scorer=deaf)
    bad = [row.text for row in rounds() if row.round in ("5", "6") and not row.good]
    both, alone = (sum(not guard.check(text).ok for text in bad) for guard in (GUARD, rules))
    assert both >= 1.5 * alone


def test_nothing_blind_is_learnt_from() -> None:
    taught = {example.text for example in guard_train.examples()}
    blind = {row.text for row in rounds() if row.round not in guard_train.LEARNT}
    assert blind
    assert not taught & blind


def test_the_served_model_is_what_the_tree_trains(tmp_path: Path) -> None:
    guard_train.train(list(guard_train.examples())).save(tmp_path)
    again = Scorer.load(tmp_path)
    assert again.threshold == SCORER.threshold
    # Another machine's arithmetic may differ in the last digit of an 8-bit weight.
    assert np.abs(again.advice.weights - SCORER.advice.weights).max() < 0.1


def test_a_model_of_another_format_is_refused(tmp_path: Path) -> None:
    SCORER.save(tmp_path)
    card = tmp_path / f"{NAME}.json"
    card.write_text(card.read_text("utf-8").replace('"format": ', '"format": 9'), "utf-8")
    with pytest.raises(ModelError, match="format"):
        Scorer.load(tmp_path)
