"""The admins' orders about training, with a run that counts instead of training."""

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bot.admin_curve import picture
from bot.admin_orders import Order
from bot.admin_progress import bar
from bot.admin_training import Training, options
from bot.fakes import tiny_mind
from core.errors import SettingsError
from inference.engine import FakeEngine
from tests.bot.clinic import open_clinic
from tests.training.given_releases import added
from tests.training.test_jobs import COUNTER
from tests.waiting import until
from training.config import TrainConfig
from training.folder import RunFolder
from training.jobs import Jobs, examination


@pytest.fixture
def clinic(sqlite_url, tmp_path, monkeypatch):
    """Runs count to a hundred; an examination is done at once."""
    (tmp_path / "counter.py").write_text(COUNTER, "utf-8")
    (tmp_path / "examiner.py").write_text(
        "import sys\nfrom pathlib import Path\nfrom training.folder import RunFolder\n"
        "RunFolder(Path(sys.argv[1])).update(phase='done')\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{Path.cwd()}")
    clinic = open_clinic(tiny_mind(FakeEngine()), sqlite_url, tmp_path / "shelf")
    jobs = Jobs(tmp_path / "runs", "counter", ("slow",), "examiner")
    clinic.app.desk.training = Training(jobs, "unused")
    clinic.jobs = jobs
    clinic.english()
    yield clinic
    clinic.app.stop()


def test_a_run_is_begun_watched_stopped_and_taken_up_again(clinic):
    assert clinic.order("/progress").startswith("No training")
    begun = clinic.order("/train epochs=2 lr=1e-4 data=starter,store")
    assert "has begun on: starter, store" in begun
    run = clinic.jobs.active()
    assert (run.config().epochs, run.config().learning_rate) == (2, 1e-4)
    assert "Another training is going on" in clinic.order("/train")
    until(lambda: run.state().step > 2)
    assert "learning\n▓" in clinic.order("/progress").replace("░", "▓")
    asked = clinic.order("/cancel")
    assert f"Stop {run.name} (" in asked
    assert clinic.order("no") == clinic.app.texts("admin-unchanged", "en")
    assert clinic.jobs.state(run).phase == "training"
    assert "being stopped" in clinic.confirm("/cancel")
    until(lambda: clinic.jobs.state(run).phase == "cancelled")
    assert "goes on from where it stopped" in clinic.order("/resume")
    until(lambda: clinic.jobs.state(run).phase == "done")
    assert "100 %" in clinic.order("/progress")
    assert "is done already" in clinic.order("/resume")


@pytest.fixture
def disturbing(clinic):
    """A model answers people on the machine that is to train."""
    clinic.app.desk.training = replace(clinic.app.desk.training, disturbs=lambda: True)
    return clinic


def test_a_training_that_takes_the_machine_is_asked_for_first(disturbing):
    asked = disturbing.order("/train epochs=2 data=starter:0.5 evaluate=no")
    assert "Begin training now? Data: starter:0.5. Epochs: 2." in asked
    assert disturbing.order("no") == disturbing.app.texts("admin-unchanged", "en")
    assert disturbing.jobs.all() == []
    begun = disturbing.confirm("/train epochs=2 data=starter:0.5 evaluate=no")
    assert "has begun on: starter:0.5" in begun
    run = disturbing.jobs.active()
    assert (run.config().epochs, run.config().evaluate) == (2, False)
    disturbing.confirm("/cancel")
    until(lambda: disturbing.jobs.state(run).phase == "cancelled")
    assert "Go on with the training of" in disturbing.order("/resume")
    assert disturbing.jobs.active() is None
    assert "goes on from where" in disturbing.order("yes")
    until(lambda: disturbing.jobs.state(run).phase == "done")
    watched = disturbing.rows("SELECT run, status FROM watches")
    assert watched == [(run.name, "open")]


def test_options_too_long_for_a_button_are_written_again(disturbing):
    options = "data=starter,store,data/talks-of-november.jsonl,data/talks-of-october.jsonl"
    asked = disturbing.order(f"/train {options}")
    assert f"write this: /train {options} now" in asked
    assert disturbing.buttons == []
    assert "has begun" in disturbing.order(f"/train {options} NOW")


def test_a_cancel_that_comes_too_late_stops_nothing_else(clinic):
    clinic.order("/train")
    name = clinic.jobs.active().name
    assert "old is not running" in clinic.order("", press="cancel:old:yes")
    assert clinic.jobs.active().name == name
    clinic.confirm("/cancel")
    until(lambda: clinic.jobs.active() is None)
    assert clinic.order("/cancel") == clinic.app.texts("admin-cancel-none", "en")


def test_an_order_that_is_answered_again_after_a_crash_follows_the_run_it_began(clinic):
    run = clinic.jobs.start(TrainConfig(), name="r1")  # and no reply was committed
    assert "Another training is going on (r1)" in clinic.order("/train")
    assert clinic.rows("SELECT run, status FROM watches") == [("r1", "open")]
    clinic.confirm("/cancel")
    until(lambda: clinic.jobs.state(run).phase == "cancelled")


@pytest.mark.parametrize("order", Order)
def test_every_order_has_help_that_does_nothing(clinic, order):
    said = clinic.order(f"/{order.value} help")
    assert said.startswith(f"/{order.value}")
    assert len(said) > len(order.value) + 10
    assert clinic.order(f"/{order.value} taimako", "3").startswith(f"/{order.value}")
    assert clinic.jobs.all() == []


def test_the_curve_is_a_picture_or_says_why_not(clinic, monkeypatch):
    run = RunFolder.create(clinic.jobs.root / "r1", TrainConfig())
    assert "Nothing has been learnt yet" in clinic.order("/progress curve")
    run.log({"step": 1, "loss": 3.0})
    run.log({"step": 2, "loss": 2.0})
    picture(run, shown=True)  # the first takes seconds that the clinic's clock does not know
    assert clinic.order("/progress zane").startswith("How the loss of r1 fell")
    assert clinic.telegram.sent[-1].reply.document.is_picture
    clinic.order("/progress")
    assert clinic.buttons == ["curve:r1"]
    assert clinic.order("", press="curve:r1").startswith("How the loss of r1 fell")
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert "matplotlib is not installed" in clinic.order("/progress curve")
    assert "PUBLIC_URL" in clinic.order("/progress zane", "2348000000009", channel="whatsapp")


def test_wrong_options_begin_nothing_and_say_what_there_is(clinic):
    for text in ("/train rank=4", "/train epoch=1", "/train fast", "/train data="):
        assert clinic.order(text).startswith("I did not understand that"), text
    assert clinic.jobs.all() == []


def test_an_examination_is_begun_for_a_release_that_exists(clinic, tmp_path):
    added(clinic.registry, tmp_path, "v1", report=None)
    assert "examination of v1 has begun" in clinic.order("/evaluate v1")
    folder = examination(tmp_path / "runs" / "v1")
    until(lambda: clinic.jobs.state(folder).phase == "done")
    assert "no release called" in clinic.order("/evaluate gone").lower()
    assert "Write a name" in clinic.order("/evaluate")


def test_cancel_and_data_are_an_admins_order_and_anybodys_right(clinic):
    """Behind a slash they are orders to an admin; to others they stop, and hand over their data."""
    assert clinic.order("/data").startswith("No training data")
    clinic.agree("2")
    clinic.say("/data", "2")
    assert "training" not in clinic.telegram.sent[-1].reply.text.lower()
    assert clinic.audit()[-1][0] == "admin.data"


def test_every_phase_has_its_words():
    from typing import get_args

    from bot.texts import Texts
    from training.folder import Phase

    texts = Texts()
    for phase in get_args(Phase):
        for language in ("ha", "en"):
            assert texts(f"admin-phase-{phase}", language)


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ("", {}),
        ("epochs=1 LR=2e-4", {"epochs": "1", "learning_rate": "2e-4"}),
        ("data=starter,talks.jsonl:2", {"data": ("starter", "talks.jsonl:2")}),
    ],
)
def test_options_are_read(rest, expected):
    assert options(rest) == expected


def test_an_unknown_option_is_named():
    with pytest.raises(SettingsError, match="epoch=1: epochs="):
        options("epoch=1")


def test_the_bar_shows_its_ends():
    assert bar(0).startswith("░░")
    assert bar(1).endswith("▓ 100 %")
