"""Runs that are followed from a chat: what is edited, what is said, once, and after what failed."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bot.admin_training import Training
from bot.fakes import tiny_mind
from bot.progress import APART, CLAIM, EVERY, LAST_EDIT
from core.errors import SendDoubtful, SendLater, SendRefused
from core.messages import Document
from inference.engine import FakeEngine
from tests.bot.clinic import Clinic, open_clinic
from tests.training.given_releases import BAD, GOOD, added
from training.config import TrainConfig
from training.folder import RunFolder
from training.jobs import LOCK, Jobs, examination
from training.report_files import PICTURE

WHATSAPP_ADMIN = "2348000000009"


class Ward(Clinic):
    """A clinic whose runs are played: r1 is going on while `going` is entered."""

    jobs: Jobs

    @property
    def run(self):
        return RunFolder(self.jobs.root / "r1")

    def tick(self, seconds=EVERY, by=None):
        """Let time pass, then let a process look."""
        self.now += seconds
        (by or self.app.progress).tick(self.now)

    def edits(self):
        return [reply.text for _, _, reply in self.telegram.edited]

    def heard(self, who="1", channel=None):
        """What was said to an admin since the order, without edits."""
        self.send()
        return [s.reply for s in (channel or self.telegram).sent if s.address == who]


@contextmanager
def going(jobs: Jobs, key: str) -> Iterator[None]:
    """As long as this is entered, some process works on it."""
    with (jobs.root / LOCK).open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.truncate(0)
        file.write(key)
        file.flush()
        yield


def opened(url, tmp_path, **settings) -> Ward:
    clinic = open_clinic(tiny_mind(FakeEngine()), url, tmp_path / "shelf", **settings)
    ward = Ward(clinic.app, clinic.telegram, clinic.whatsapp)
    ward.jobs = Jobs(tmp_path / "runs", "counter")
    ward.app.desk.training = Training(ward.jobs, "unused")
    ward.app.progress = replace(ward.app.progress, jobs=ward.jobs)
    return ward


@pytest.fixture
def ward(sqlite_url, tmp_path):
    """r1 has just been begun; admin 1 speaks English."""
    ward = opened(sqlite_url, tmp_path)
    ward.jobs.root.mkdir()
    RunFolder.create(ward.run.path, TrainConfig()).update(phase="training", steps=100)
    ward.english()
    yield ward
    ward.app.stop()


def test_one_message_is_edited_as_the_run_goes_on(ward):
    with going(ward.jobs, "r1"):
        assert ward.order("/progress").startswith("r1: learning\n░")
        shown = ward.telegram.sent[-1]
        ward.tick()
        ward.run.update(step=50, loss=2.5, held_out_loss=3.25, eta=600)
        ward.tick(EVERY / 2)  # too soon
        ward.tick(EVERY / 2)
        ward.tick(EVERY / 2)  # nothing new
        ward.run.update(step=75)
        ward.tick(EVERY / 4)  # too soon
        assert ward.edits()[-1].splitlines() == [
            "r1: learning",
            "▓▓▓▓▓▓░░░░░░ 50 %",
            "50/100 · loss 2.500 · held-out 3.250 · ETA 10 min",
        ]
        ward.tick(EVERY / 2)
    assert [line.splitlines()[1][-4:] for line in ward.edits()] == [" 0 %", "50 %", "75 %"]
    assert {number for _, number, _ in ward.telegram.edited} == {shown.provider_id}
    assert [c.id for c in ward.telegram.edited[-1][2].choices] == ["cancel:r1:ask"]


def test_the_end_is_said_once_and_shown_in_the_message(ward, tmp_path):
    added(ward.registry, tmp_path, "r1", report=GOOD)
    with going(ward.jobs, "r1"):
        ward.order("/progress")
    ward.run.log({"step": 1, "loss": 3.0})
    ward.run.finish({"base_loss": 11.0, "held_out_loss": 5.5, "seconds": 130})
    ward.run.update(phase="done")
    for _ in range(4):
        ward.tick()
    *_, word, picture = ward.heard()
    assert word.text.splitlines() == [
        "Training of r1 is done.",
        "Loss on questions that were kept apart: 11.000 → 5.500, after 2 min of learning.",
        "r1 passed the gate: it may go live.",
    ]
    assert word.document is None
    assert picture.document.name == "r1.png"
    assert picture.document.content.startswith(b"\x89PNG")
    assert len([r for r in ward.heard() if "is done" in r.text]) == 1
    assert ward.edits()[-1].startswith("r1: done")
    assert ward.telegram.edited[-1][2].choices == ()
    assert ward.rows("SELECT status FROM watches") == [("done",)]
    # The button leads to the question that /swap asks, and not past it.
    [swap] = [choice.id for choice in word.choices]
    assert "Put r1 live in place of base?" in ward.order("", press=swap)
    assert ward.live is None


def test_a_picture_that_is_refused_does_not_cost_the_word(ward, tmp_path):
    with going(ward.jobs, "r1"):
        ward.order("/progress")
    ward.run.log({"step": 1, "loss": 3.0})
    ward.run.update(phase="done")
    ward.tick()
    ward.telegram.fail_next(None, SendRefused(code="400"))
    assert ward.heard()[-1].text.startswith("Training of r1 is done.")


def test_a_failed_gate_gives_its_reasons_and_no_button(ward, tmp_path):
    added(ward.registry, tmp_path, "r1", report=BAD)
    with going(ward.jobs, "r1"):
        ward.order("/progress", "3")
    ward.run.update(phase="done")
    ward.tick()
    *_, word = ward.heard("3")
    assert "r1 ya faɗi jarabawa" in word.text
    assert word.text.endswith("Bai koyi komai ba tukuna, don haka babu zane.")
    assert (word.choices, word.document) == ((), None)


def test_an_examination_that_failed_leaves_a_run_that_is_done(ward, tmp_path):
    added(ward.registry, tmp_path, "r1", report=None)
    with going(ward.jobs, "r1"):
        ward.order("/progress")
    ward.run.update(phase="done", detail="not examined: there is no model to examine")
    ward.tick()
    assert "r1 has not been examined. /evaluate r1" in ward.heard()[-1].text
    assert "Reason: there is no model to examine" in ward.heard()[-1].text


ENDS = [
    ("cancelled", "was stopped (40/100)", "stopped; /resume goes on"),
    ("failed", "has failed (40/100).\nReason: out of memory", "failed"),
    ("training", "stopped in the middle (40/100)", "stopped in the middle; /resume goes on"),
]


@pytest.mark.parametrize(("phase", "word", "edit"), ENDS, ids=[end[0] for end in ENDS])
def test_what_is_not_done_offers_to_go_on(ward, phase, word, edit):
    """The last of them was killed: nobody works on it, and it never said an end."""
    with going(ward.jobs, "r1"):
        ward.order("/progress")
        ward.tick()
    ward.run.update(phase=phase, step=40, detail="out of memory" if phase == "failed" else "")
    ward.tick()
    ward.tick()
    assert word in ward.heard()[-1].text
    assert [choice.id for choice in ward.heard()[-1].choices] == ["resume:r1:ask"]
    assert ward.edits()[-1].startswith(f"r1: {edit}")


def test_an_examination_is_followed_by_its_questions(ward, tmp_path):
    added(ward.registry, tmp_path, "v1", report=GOOD)
    folder = examination(ward.jobs.root / "v1")
    folder.path.mkdir(parents=True)
    folder.write(replace(ward.run.state(), phase="evaluating", steps=0, asked=30, questions=120))
    with going(ward.jobs, "v1/evaluation"):
        assert ward.order("/progress").startswith("v1: being examined\n▓▓▓░")
        assert "Going on now: v1: being examined (30/120)" in ward.order("/status")
        assert "Stop v1 (30/120)?" in ward.order("/cancel")
    folder.update(phase="done")
    ward.tick()
    ward.tick()
    assert "The examination of v1 is done.\nv1 passed the gate" in ward.heard()[-1].text
    assert ward.edits()[-1].startswith("v1: done\n")


def examined(ward, tmp_path, report, who="1", channel="telegram", meanwhile=lambda: None):
    """What an admin hears when the examination of v1 that they follow ends so."""
    added(ward.registry, tmp_path, "v1", report=report)
    folder = examination(ward.jobs.root / "v1")
    folder.path.mkdir(parents=True)
    folder.write(replace(ward.run.state(), phase="evaluating", steps=0))
    with going(ward.jobs, "v1/evaluation"):
        ward.order("/progress", who, channel=channel)
    folder.update(phase="done")
    meanwhile()
    ward.tick()
    ward.tick()
    used = ward.whatsapp if channel == "whatsapp" else ward.telegram
    return ward.heard(f"+{who}" if channel == "whatsapp" else who, used)


DRAWN = replace(GOOD, files={**GOOD.files, PICTURE: b"\x89PNG drawn"})


def test_an_examination_ends_with_its_picture(ward, tmp_path):
    """It lies with the release: the machine whose process says the word needs no copy."""
    *_, word, picture = examined(ward, tmp_path, DRAWN)
    assert word.text.startswith("The examination of v1 is done.\nv1 passed")
    assert (word.document, len(word.choices)) == (None, 1)
    assert picture.document == Document("v1-report.png", b"\x89PNG drawn")
    assert picture.text.startswith("The examination of v1 in figures")


def test_a_run_ends_with_both_pictures(ward, tmp_path):
    added(ward.registry, tmp_path, "r1", report=DRAWN)
    with going(ward.jobs, "r1"):
        ward.order("/progress")
    ward.run.log({"step": 1, "loss": 3.0})
    ward.run.update(phase="done")
    ward.tick()
    *_, word, curve, report = ward.heard()
    assert "passed the gate" in word.text
    assert [one.document.name for one in (curve, report)] == ["r1.png", "r1-report.png"]


# (label, what becomes of the picture on the shelf)
SPOILT = [
    ("it was changed", lambda file: file.write_bytes(b"\x89PNG other")),
    ("it is gone", Path.unlink),
    ("it cannot be read", lambda file: (file.unlink(), file.mkdir())),
]


@pytest.mark.parametrize("spoil", [spoil for _, spoil in SPOILT], ids=[row[0] for row in SPOILT])
def test_a_picture_that_cannot_be_had_does_not_cost_the_word(ward, tmp_path, spoil):
    def meanwhile():
        [file] = (tmp_path / "shelf").rglob("*.png")
        spoil(file)

    *_, word = examined(ward, tmp_path, DRAWN, meanwhile=meanwhile)
    assert word.text.startswith("The examination of v1 is done.\nv1 passed")
    assert word.document is None


def test_where_nothing_was_drawn_there_is_the_word(ward, tmp_path):
    *_, word = examined(ward, tmp_path, GOOD)
    assert (word.text.splitlines()[0], word.document) == ("The examination of v1 is done.", None)


def test_a_refused_picture_of_an_examination_does_not_cost_the_word(ward, tmp_path):
    def refuse():
        ward.telegram.fail_next(None, SendRefused(code="400"))

    *_, word = examined(ward, tmp_path, DRAWN, meanwhile=refuse)
    assert word.text.startswith("The examination of v1 is done.")


def test_a_channel_without_pictures_gets_the_word_alone(ward, tmp_path):
    *_, word = examined(ward, tmp_path, DRAWN, WHATSAPP_ADMIN, "whatsapp")
    assert word.text.startswith("An gama yi wa v1 jarabawa.")
    assert word.document is None


def other(ward):
    """Another process beside the first, over the same store and runs."""
    return replace(ward.app.progress, lease="another")


def test_of_two_processes_one_edits_and_no_transaction_is_open(ward):
    with going(ward.jobs, "r1"):
        ward.order("/progress")
        seen = []

        def meanwhile():
            with ward.app.store.write():  # would raise inside another transaction of this thread
                seen.append(len(ward.telegram.edited))
            ward.telegram.on_edit = None
            other(ward).tick(ward.now)

        for step in range(1, 6):
            ward.run.update(step=step)
            ward.telegram.on_edit = meanwhile
            ward.tick(by=other(ward) if step % 2 else None)
            ward.tick(0, by=other(ward))
    assert seen == [0, 1, 2, 3, 4]
    assert len(ward.telegram.edited) == 5


def test_two_processes_say_the_end_once(ward):
    with going(ward.jobs, "r1"):
        ward.order("/progress")
    ward.run.update(phase="cancelled")
    for _ in range(3):
        ward.tick(0)
        ward.tick(0, by=other(ward))
    assert len([r for r in ward.heard() if "was stopped" in r.text]) == 1


def test_a_process_that_dies_in_mid_edit_is_followed_by_another(ward):
    def die():
        raise KeyboardInterrupt

    with going(ward.jobs, "r1"):
        ward.order("/progress")
        ward.telegram.on_edit = die
        with pytest.raises(KeyboardInterrupt):
            ward.tick()
        ward.telegram.on_edit = None
        ward.tick(CLAIM / 2, by=other(ward))
        assert ward.edits() == []
        ward.tick(CLAIM, by=other(ward))
        assert len(ward.edits()) == 1


def test_flood_control_is_obeyed_by_all(ward):
    with going(ward.jobs, "r1"):
        ward.order("/progress")
        ward.telegram.fail_next_edit(SendLater(code="429", after=30))
        ward.tick()
        ward.tick(25, by=other(ward))
        assert ward.edits() == []
        ward.tick(10, by=other(ward))
        assert len(ward.edits()) == 1


def test_a_doubtful_edit_is_made_again(ward):
    with going(ward.jobs, "r1"):
        ward.order("/progress")
        ward.telegram.fail_next_edit(SendDoubtful(code="ReadTimeout"))
        ward.tick()
        ward.tick(20)
        assert len(ward.edits()) == 1


def test_a_deleted_message_ends_the_editing_but_not_the_final_word(ward):
    with going(ward.jobs, "r1"):
        ward.order("/progress")
        ward.telegram.fail_next_edit(SendRefused(code="400"))
        for step in range(5):
            ward.run.update(step=step)
            ward.tick()
    assert ward.edits() == []
    ward.run.update(phase="cancelled")
    ward.tick()
    assert "was stopped" in ward.heard()[-1].text
    ward.tick(LAST_EDIT + 1)
    assert ward.rows("SELECT status FROM watches") == [("done",)]
    assert ward.edits() == []


def test_a_service_that_is_started_again_goes_on_with_the_message(ward, sqlite_url, tmp_path):
    with going(ward.jobs, "r1"):
        ward.order("/progress")
        ward.tick()
        number = ward.telegram.edited[-1][1]
        again = opened(sqlite_url, tmp_path)
        again.now = ward.now
        again.tick()
        assert again.telegram.edited == []  # nothing new
        again.run.update(step=10)
        again.tick()
        assert [(n, t.text[-6:]) for _, n, t in again.telegram.edited] == [(number, "10/100")]
    again.run.update(phase="cancelled")
    again.tick()
    again.tick(0, by=ward.app.progress)
    assert [r.text[:14] for r in again.heard()] == ["Training of r1"]
    again.app.stop()


def test_a_later_order_takes_the_message_over(ward):
    with going(ward.jobs, "r1"):
        ward.order("/progress")
        ward.tick()
        ward.order("/progress")
        ward.run.update(step=7)
        ward.tick()
        ward.order("/progress", "3")
    assert ward.telegram.edited[-1][1] != ward.telegram.edited[0][1]
    assert len(ward.rows("SELECT run FROM watches")) == 2


def test_whoever_stops_or_is_erased_is_told_no_more(ward):
    with going(ward.jobs, "r1"):
        for who, words in (("1", "/stop"), ("3", "goge")):
            ward.order("/progress", who)
            ward.order(words, who)
        ward.order("eh", "3")
        said = len(ward.telegram.sent)
        ward.run.update(step=9)
        ward.tick()
    ward.run.update(phase="cancelled")
    ward.tick()
    ward.send()
    assert (ward.edits(), len(ward.telegram.sent)) == ([], said)


def whatsapp(ward):
    return [r.text for r in ward.heard(f"+{WHATSAPP_ADMIN}", ward.whatsapp)]


def test_whatsapp_is_told_at_quarters_and_at_the_end(ward):
    with going(ward.jobs, "r1"):
        ward.order("/progress", WHATSAPP_ADMIN, channel="whatsapp")
        for step in range(0, 100, 5):
            ward.run.update(step=step)
            ward.tick(APART / 4)
            ward.send()
        told = whatsapp(ward)
    assert [text.split("\n")[2] for text in told[1:]] == ["25/100", "50/100", "75/100"]
    ward.run.update(phase="done")
    ward.tick()
    ward.tick()
    *_, word = whatsapp(ward)
    assert word.startswith("An gama horar da r1.")
    assert "PUBLIC_URL" in word
    assert (ward.whatsapp.edited, ward.edits()) == ([], [])
    assert ward.rows("SELECT status FROM watches") == [("done",)]


def test_a_short_run_is_two_messages_on_whatsapp(ward):
    with going(ward.jobs, "r1"):
        ward.order("/progress", WHATSAPP_ADMIN, channel="whatsapp")
        for step in range(0, 100, 5):
            ward.run.update(step=step)
            ward.tick(1)
    ward.run.update(phase="done")
    ward.tick()
    assert len(whatsapp(ward)) == 2


def test_outside_the_window_only_the_end_waits_until_they_write(sqlite_url, tmp_path):
    ward = opened(sqlite_url, tmp_path, twilio_template_sid="HX1")
    ward.jobs.root.mkdir()
    RunFolder.create(ward.run.path, TrainConfig()).update(phase="training", steps=100)
    with going(ward.jobs, "r1"):
        ward.order("/progress", WHATSAPP_ADMIN, channel="whatsapp")
        ward.run.update(step=60)
        ward.tick(25 * 3600)
    assert len(ward.rows("SELECT id FROM outbox")) == 1
    ward.run.update(phase="done")
    ward.tick()
    ward.send()
    assert ward.rows("SELECT status, template FROM outbox ORDER BY id")[1:] == [
        ("waiting", 0),
        ("sent", 1),
    ]
    ward.app.stop()
