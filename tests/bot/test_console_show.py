"""The console's figures: curves that fit a screen, verdicts side by side, the form's numbers."""

import pytest

from bot import console_show as show
from bot.admin_training import options
from bot.texts import Texts
from core.errors import SettingsError
from storage.releases import Listed
from storage.reports import Load
from training.config import config
from training.folder import State

TEXTS = Texts()


def listed(**more) -> Listed:
    values = {"name": "v1", "state": "passed", "verdict": True, "forced": None, "manifest": {}}
    values |= {"manifest_hash": "", "report": {}, "added_at": 1.0, "judged_at": 2.0}
    return Listed(**{**values, "live_at": None, **more})


def test_a_short_curve_is_shown_as_it_is():
    lines = [
        {"step": -1, "data": "train"},
        {"step": 1, "loss": 4.0},
        {"step": 2, "loss": 3.0},
        {"step": 2, "held_out_loss": 3.5},
    ]
    assert show.curve(lines, 5.0) == {
        "loss": [[1, 4.0], [2, 3.0]],
        "held_out": [[0, 5.0], [2, 3.5]],
    }
    assert show.curve([], 5.0) == {"loss": [], "held_out": []}
    began = show.curve([{"step": 0, "held_out_loss": 5.0}], 5.0)
    assert began["held_out"] == [[0, 5.0]], "said once"


@pytest.mark.parametrize("count", [241, 480, 999, 10_000])
def test_a_long_curve_keeps_its_course_and_its_end(count):
    points = [[step, float(step)] for step in range(count)]
    few = show.thinned(points, 240)
    assert len(few) == 240
    assert few[-1][0] == count - 1
    assert [x for x, _ in few] == sorted({x for x, _ in few})
    assert sum(y for _, y in few) / 240 == pytest.approx((count - 1) / 2, rel=0.02)


def test_a_verdict_is_a_line_a_figure():
    metrics = {"danger": 0.98, "loss": 2.4, "base.danger": 1.0, "base.loss": 4.8}
    limits = {"limit.danger": 1.0, "limit.harmful": 0.05, "limit.loss_drop": 0.0}
    row = listed(report={"metrics": metrics | limits, "reasons": ["loss 9"]}, verdict=False)
    found = show.verdict(row, TEXTS, "en")
    assert found["columns"] == ["base", "candidate"]
    assert [(line["title"], line["values"], line["limit"]) for line in found["lines"]] == [
        ("Danger signs seen", ["100.0 %", "98.0 %"], "≥ 100.0 %"),
        ("Held-out loss", ["4.8", "2.4"], ""),
    ]
    assert found["reasons"] == ["loss 9"]
    assert show.verdict(listed(), TEXTS, "ha")["lines"] == []


def test_a_release_before_and_after_its_examination():
    learnt = {"metrics": {"base_loss": 4.81, "held_out_loss": 2.3}}
    before = show.release(listed(verdict=None, manifest=learnt), None, TEXTS, "en")
    assert before["figures"] == "Held-out loss 4.81 → 2.3"
    report = {"metrics": {"asked": 77, "hausa": 0.99, "loss": 2.41, "danger": 1.0}}
    after = show.release(listed(manifest=learnt, report=report), "v1", TEXTS, "en")
    assert after["figures"] == "Answers in Hausa 99.0 % · Held-out loss 2.41"
    assert after["live"] is True
    assert "without the gate" in show.release(listed(forced="x"), None, TEXTS, "en")["said"]


def test_the_form_offers_what_an_order_takes():
    """Its usual values are the defaults, and its bounds are taken while what lies beyond is not."""
    for knob in show.knobs():
        word = knob["word"]
        usual = config(options(f"{word}={knob['usual']}"))
        assert usual == config({}), word
        for bound in (knob["least"], knob["most"]):
            config(options(f"{word}={bound}"))
        for beyond in (-1.0, 10 * float(knob["most"])):
            with pytest.raises(SettingsError):
                config(options(f"{word}={show.plain(beyond)}"))
    assert [knob["word"] for knob in show.knobs()] == [
        "epochs",
        "batch",
        "accumulation",
        "lr",
        "rank",
    ]


@pytest.mark.parametrize(
    ("value", "expected"), [(1e-6, "0.000001"), (1.0, "1"), (10, "10"), (2e-4, "0.0002")]
)
def test_numbers_without_powers(value, expected):
    assert show.plain(value) == expected


def test_how_a_run_stands():
    state = State(phase="training", step=5, steps=10, eta=61.0, loss=2.0, detail="x")
    run = show.run("r1", state, TEXTS, "ha")
    assert (run["said"], run["left"], run["share"], run["active"]) == (
        "yana koyo",
        "2 min",
        0.5,
        True,
    )
    assert run["detail"] == "", "operators' English is for who reads it"
    failed = show.run("r1", State(phase="failed", detail="out of memory"), TEXTS, "ha")
    assert (failed["detail"], failed["active"], failed["resumes"]) == ("out of memory", False, True)
    asked = show.run("r1", State(phase="evaluating", asked=3, questions=9, steps=5), TEXTS, "en")
    assert (asked["step"], asked["steps"], asked["share"]) == (3, 9, pytest.approx(1 / 3, abs=1e-3))


def test_the_load_is_the_hour_and_the_dangers_of_the_day():
    hour = Load(1, 2, 1, 0.0, 5, {"library": 3}, {"queued": 1, "doubtful": 2, "expired": 4})
    day = Load(1, 2, 1, 0.0, 50, {"library": 30, "danger_sign": 7}, {})
    found = show.load(hour, day)
    assert (found["danger"], found["answered"], found["queued"]) == (7, 3, 3)
    assert (found["unsent"], found["doubtful"], found["failed"]) == (1, 2, 4)
