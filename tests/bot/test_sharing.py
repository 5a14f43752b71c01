"""The engine steps out of a run's way, says so, and is back at the live release by itself."""

import os
import signal
import subprocess
import sys

import pytest

from bot.kept import Kept
from bot.parts import make_mind
from bot.releases import Keeper
from bot.sharing import DRAIN, Sharer, lent, sharer
from bot.texts import Texts
from core.errors import EngineAbsent, SettingsError
from core.settings import Settings
from inference.aside import Aside
from inference.choose import Explained
from inference.engine import FakeEngine, LibraryEngine, Request, Sampling
from tests.bot.clinic import open_clinic
from tests.training.given_releases import NOW, added, open_registry
from tests.waiting import until
from training.room import Tenant

ASK = Request("Ina jin ciwon kai")
CLAIM = """
import sys, time
from pathlib import Path
from training.room import claim
claim(Path(sys.argv[1]), "run-1", patience=60)
print("in", flush=True)
time.sleep(600)
"""


class Room:
    """A tenant whose room somebody wants when the test says so."""

    def __init__(self):
        self.run, self.inside = "", False

    def wanted(self):
        return self.run

    def enter(self):
        self.inside = self.inside or not self.run
        return self.inside

    def leave(self):
        self.inside = False


@pytest.fixture
def made():
    """Every engine that was built."""
    return []


@pytest.fixture
def engine(made):
    def make():
        made.append(FakeEngine(*["amsa"] * 20))
        return made[-1]

    return Aside(make)


def test_one_look_after_the_other(engine, made):
    room = Room()
    share = Sharer(engine, room)
    share.tick(0.0)
    assert (engine.here, room.inside, engine.generate(ASK).text) == (True, True, "amsa")
    room.run = "run-1"
    share.tick(2.0)
    assert (engine.here, room.inside) == (False, False)
    with pytest.raises(EngineAbsent, match="lent to run-1: the library answers"):
        engine.generate(ASK)
    assert "run-1" in engine.status().detail
    share.tick(4.0)
    assert len(made) == 1
    room.run = ""
    share.tick(6.0)
    assert (len(made), room.inside, engine.generate(ASK).text) == (2, True, "amsa")


def test_answers_in_the_making_are_waited_for_but_not_for_ever(engine, made):
    room = Room()
    share = Sharer(engine, room)
    made[0].busy = True
    engine.idle = lambda: not made[0].busy
    room.run = "run-1"
    share.tick(0.0)
    assert engine.here
    with pytest.raises(EngineAbsent):
        engine.generate(ASK)
    share.tick(DRAIN - 1)
    assert engine.here
    share.tick(DRAIN + 1)
    assert not engine.here


def test_a_run_that_gives_up_meanwhile_leaves_the_engine_as_it_was(engine, made):
    room = Room()
    share = Sharer(engine, room)
    engine.idle = lambda: False
    room.run = "run-1"
    share.tick(0.0)
    room.run = ""
    share.tick(2.0)
    assert (len(made), engine.generate(ASK).text) == (1, "amsa")


def test_an_engine_that_cannot_come_back_says_why_and_tries_again():
    faults = [None, SettingsError("MODEL: gone"), None]

    def make():
        fault = faults.pop(0)
        if fault:
            raise fault
        return FakeEngine("amsa")

    engine, room = Aside(make), Room()
    share = Sharer(engine, room)
    room.run = "run-1"
    share.tick(0.0)
    room.run = ""
    share.tick(2.0)
    assert "gone" in engine.status().detail
    assert not room.inside
    share.tick(4.0)
    assert engine.generate(ASK).text == "amsa"


def test_only_an_engine_with_memory_to_give_is_moved(tmp_path, engine):
    assert sharer(LibraryEngine("why"), Tenant(tmp_path)) is None
    found = sharer(Explained(engine, "why"), Tenant(tmp_path))
    assert found is not None
    found.close()
    assert lent("") == ""


def test_a_process_that_starts_during_a_run_loads_nothing(made):
    engine = Aside(lambda: made.append(1), lent("run-1"))
    assert (engine.here, made) == (False, [])
    assert "run-1" in engine.status().detail


def test_the_base_model_does_not_come_back_for_the_live_release(store, tmp_path, engine, made):
    """A new engine begins with none: it is silent until the release is loaded again."""
    registry = open_registry(store, tmp_path)
    added(registry, tmp_path, "v1")
    registry.promote("v1", actor="a", now=NOW)
    keeper = Keeper(store, registry, engine, "host-1", Sampling)
    kept = Kept(engine, keeper)

    def tick():
        keeper.tick(NOW)
        keeper.join(10)

    tick()
    assert kept.generate(ASK).release == "v1"
    engine.refuse("lent")
    engine.leave()
    tick()
    engine.back()
    with pytest.raises(EngineAbsent, match="v1 is live, but not here"):
        kept.generate(ASK)
    tick()
    assert kept.generate(ASK).release == "v1"
    assert made[-1].live == "v1"


def test_the_whole_way_with_a_run_that_is_killed(sqlite_url, tmp_path, engine):
    """A run in a process of its own; the admins and the readiness are told; a kill ends it."""
    explained = Explained(engine, "ENGINE=transformers")
    mind = make_mind(Settings(), explained, Texts())
    clinic = open_clinic(mind, sqlite_url, tmp_path / "shelf", runs=str(tmp_path / "runs"))
    process = None
    try:
        clinic.english()
        clinic.app._share()
        answers = clinic.app.mind.engine
        assert answers.generate(ASK).text == "amsa"
        command = [sys.executable, "-c", CLAIM, str(tmp_path / "runs")]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        until(lambda: clinic.app._share() or not engine.here)
        assert process.stdout.readline().strip() == "in"
        clinic.app._share()  # at the first look the run may not have signed what it claims
        with pytest.raises(EngineAbsent):
            answers.generate(ASK)
        assert "lent to run-1: the library answers" in clinic.order("/status")
        ready = clinic.app.readiness()
        assert ready["ready"]
        assert any("lent to run-1" in reason for reason in ready["reasons"])
        os.kill(process.pid, signal.SIGKILL)
        until(lambda: clinic.app._share() or engine.here)
        assert answers.generate(ASK).text == "amsa"
        assert not any("lent" in reason for reason in clinic.app.readiness()["reasons"])
    finally:
        if process:
            process.kill()
            process.communicate()
        clinic.app.stop()
