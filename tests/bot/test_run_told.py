"""How a run ended, told to admins who do not follow it: whom, which ends, and once."""

import time
from dataclasses import replace

import pytest

from bot.run_told import NEWS
from core.messages import Inbound
from tests.bot.clinic import ids
from tests.bot.test_progress import WHATSAPP_ADMIN, Ward, going, opened
from tests.storage.given import at_once
from tests.training.given_releases import BAD, GOOD, added
from training.config import TrainConfig
from training.folder import RunFolder


def look(ward: Ward, seconds: float = 5.0) -> None:
    """Let time pass; then the followed messages are looked at, and the ends."""
    ward.tick(seconds)
    ward.app.run_told.tick(ward.now)


def told(ward: Ward, who: str, words: str = "r1", channel=None) -> list[str]:
    """What an admin was told, with these words in it."""
    return [reply.text for reply in ward.heard(who, channel) if words in reply.text]


def watched(url, tmp_path) -> Ward:
    """A ward of today: ends are told while they are news."""
    ward = opened(url, tmp_path)
    ward.app.run_told = replace(ward.app.run_told, jobs=ward.jobs)
    ward.now = time.time() + 1
    return ward


@pytest.fixture
def ward(sqlite_url, tmp_path):
    """r1 goes on, begun outside any chat; admins 1 (in English) and 3 have written to us."""
    ward = watched(sqlite_url, tmp_path)
    ward.jobs.root.mkdir()
    RunFolder.create(ward.run.path, TrainConfig()).update(phase="training", steps=100)
    ward.english()
    ward.order("/models", "3")
    yield ward
    ward.app.stop()


def test_every_admin_is_told_once_with_the_verdict_and_what_comes_next(ward, sqlite_url, tmp_path):
    added(ward.registry, tmp_path, "r1", report=GOOD)
    with going(ward.jobs, "r1"):
        look(ward)
    assert told(ward, "1") == [], "not while it goes on"
    ward.run.finish({"base_loss": 11.0, "held_out_loss": 5.5, "seconds": 130})
    ward.run.update(phase="done")
    again = watched(sqlite_url, tmp_path)  # a service that is started anew, or another process
    for _ in range(3):
        look(ward)
        again.app.run_told.tick(ward.now)
    [text] = told(ward, "1")
    assert text.splitlines() == [
        "Training of r1 is done.",
        "Loss on questions that were kept apart: 11.000 → 5.500, after 2 min of learning.",
        "r1 passed the gate: it may go live.",
    ]
    assert len(told(ward, "3", "r1 ya ci jarabawa")) == 1, "in their own language"
    assert [choice.id for choice in ward.heard()[-1].choices] == ["swap:r1:ask"]
    assert "Put r1 live" in ward.order("", press="swap:r1:ask")
    assert ward.whatsapp.sent == [], "who has never written is not written to"
    assert len(ward.rows("SELECT id FROM people")) == 2, "nor made known"
    again.app.stop()


def test_who_follows_it_hears_it_as_before_and_the_others_too(ward, tmp_path):
    added(ward.registry, tmp_path, "r1", report=BAD)
    with going(ward.jobs, "r1"):
        ward.order("/progress")
    ward.run.update(phase="done")
    ward.app.run_told.tick(ward.now)  # before the word of who follows
    for _ in range(3):
        look(ward)
    assert len(told(ward, "1", "is done")) == 1
    assert len(told(ward, "3", "r1 ya faɗi jarabawa")) == 1


@pytest.mark.parametrize("phase", ["failed", "training"], ids=["failed", "killed"])
def test_what_came_to_nothing_is_told_to_all_where_nobody_follows(ward, phase):
    ward.run.update(phase=phase, step=40)
    look(ward)
    look(ward)
    word = "has failed" if phase == "failed" else "stopped in the middle"
    assert len(told(ward, "1", f"Training of r1 {word} (40/100)")) == 1
    assert len(told(ward, "3")) == 1
    assert [choice.id for choice in ward.heard()[-1].choices] == ["resume:r1:ask"]


@pytest.mark.parametrize("phase", ["failed", "training"], ids=["failed", "killed"])
def test_what_came_to_nothing_is_no_business_of_others_where_somebody_follows(ward, phase):
    with going(ward.jobs, "r1"):
        ward.order("/progress")
    ward.run.update(phase=phase, step=40)
    for _ in range(3):
        look(ward)
    assert len(told(ward, "1", "(40/100)")) == 1
    assert told(ward, "3") == []


def test_what_was_stopped_is_told_to_nobody(ward):
    ward.run.update(phase="cancelled")
    look(ward)
    assert told(ward, "1") + told(ward, "3") == []


def test_a_run_that_is_taken_up_again_has_another_end(ward):
    with going(ward.jobs, "r1"):
        ward.order("/progress")
    look(ward)
    look(ward)
    assert len(told(ward, "1", "stopped in the middle")) == 1
    ward.now += 60
    # Taken up on the command line: 1 follows it no more.
    ward.run.write(replace(ward.run.state(), phase="done", at=ward.now))
    look(ward)
    look(ward)
    assert len(told(ward, "1", "is done")) == 1
    assert len(told(ward, "3")) == 1


def test_who_stopped_or_erased_or_is_no_admin_is_not_told(ward):
    ward.order("/stop")
    ward.order("goge", "3")
    ward.order("eh", "3")
    ward.agree("7")
    said = len(ward.telegram.sent)
    ward.run.update(phase="done")
    look(ward)
    ward.send()
    assert len(ward.telegram.sent) == said


def test_an_admin_on_whatsapp_is_told_while_they_may_be_written_to(ward):
    number = f"+{WHATSAPP_ADMIN}"
    message = Inbound("whatsapp", f"w{next(ids)}", WHATSAPP_ADMIN, number, text="/models")
    ward.app.intake.accept(message, now=ward.now)
    ward.work()
    ward.run.update(phase="done")
    look(ward)
    assert len(told(ward, number, channel=ward.whatsapp)) == 1


def test_an_old_end_is_no_news(ward):
    ward.run.update(phase="done")
    look(ward, NEWS + 60)
    assert told(ward, "1") == []


def test_a_broken_run_hides_no_other(ward):
    for name in ("r0", "r2"):
        RunFolder.create(ward.jobs.root / name, TrainConfig())
        (ward.jobs.root / name / "state.json").write_text("{")
    ward.run.update(phase="done")
    look(ward)
    assert len(told(ward, "1")) == 1


def test_processes_that_look_at_once_tell_once(any_url, tmp_path):
    ward = watched(any_url, tmp_path)
    ward.jobs.root.mkdir()
    RunFolder.create(ward.run.path, TrainConfig())
    ward.english()
    ward.run.update(phase="done")
    others = [replace(ward.app.run_told, _seen=set()) for _ in range(4)]
    at_once(*(lambda one=one: one.tick(ward.now) for one in others))
    assert len(told(ward, "1", "is done")) == 1
    ward.app.stop()
