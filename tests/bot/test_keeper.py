"""The keeper: an engine comes to the live release, keeps the old one, or is silent and says so."""

import threading

import pytest

from bot.kept import Kept
from bot.releases import BEAT, Keeper
from core.errors import EngineAbsent
from inference.engine import EchoEngine, FakeEngine, LibraryEngine, Request, Sampling
from storage import instances
from tests.training.given_releases import NOW, added, open_registry

ASK = Request("Ina jin ciwon kai")


@pytest.fixture
def registry(store, tmp_path):
    registry = open_registry(store, tmp_path)
    added(registry, tmp_path, "v1", "v2")
    return registry


@pytest.fixture
def process(store, registry):
    """Makes (engine, keeper, the engine as others see it) of one process."""

    def make(name="host-1", *answers, engine=None):
        engine = engine or FakeEngine(*answers)
        keeper = Keeper(store, registry, engine, name, Sampling)
        return engine, keeper, Kept(engine, keeper)

    return make


def live(registry, name):
    registry.promote(name, actor="a", now=NOW)


def tick(keeper, now=NOW):
    """One look, and whatever it began."""
    keeper.tick(now)
    keeper.join(10)
    keeper.tick(now)


def row(store, name="host-1"):
    return next(s for s in instances.seen(store, since=0) if s.id == name)


def test_without_a_release_the_base_model_answers(store, process):
    engine, keeper, kept = process("host-1", "amsa")
    assert kept.generate(ASK).text == "amsa"
    tick(keeper)
    assert (engine.live, engine.resident) == ("fake-1", ["fake-1"]), "left alone"
    assert (row(store).release, row(store).reason) == ("base", "")


def test_the_engine_follows_the_pointer(store, registry, process):
    engine, keeper, kept = process("host-1", "a", "b", "c")
    for promoted, expected in (("v1", "v1"), ("v2", "v2")):
        live(registry, promoted)
        tick(keeper)
        assert (engine.live, row(store).release) == (expected, expected)
        assert kept.generate(ASK).release == expected
    registry.rollback(actor="a", now=NOW)
    tick(keeper)
    assert engine.live == "v1"
    registry.rollback(actor="a", now=NOW)
    tick(keeper)
    assert (engine.live, row(store).release) == ("base", "base")


def test_a_fresh_start_is_silent_until_the_live_release_is_there(store, registry, process):
    """The base model must not speak for a release that is not loaded."""
    live(registry, "v1")
    engine, keeper, kept = process("host-1", "a", "b")
    with pytest.raises(EngineAbsent, match="v1 is live, but not here"):
        kept.generate(ASK)
    assert engine.requests == []
    assert not kept.status().ready
    assert kept.generate(Request("x", release="fake-1")).text == "a", "a comparison names its own"
    tick(keeper)
    assert kept.status().ready
    assert kept.generate(ASK).release == "v1"


def test_a_fresh_start_that_cannot_load_stays_silent_and_says_why(store, registry, process):
    live(registry, "v1")
    engine, keeper, kept = process("host-1", "a")
    engine.unusable.add("v1")
    tick(keeper)
    with pytest.raises(EngineAbsent, match="told to fail"):
        kept.generate(ASK)
    status = kept.status()
    assert (status.ready, status.release) == (False, None)
    assert "v1: told to fail" in status.detail
    assert (row(store).release, row(store).ready) == (None, False)
    assert "told to fail" in row(store).reason
    engine.unusable.clear()
    tick(keeper, NOW + 60)
    assert kept.generate(ASK).release == "v1"
    assert (row(store).ready, row(store).reason) == (True, "")


def test_a_running_process_keeps_the_old_release(store, registry, process):
    engine, keeper, kept = process("host-1", "a", "b")
    live(registry, "v1")
    tick(keeper)
    engine.unusable.add("v2")
    live(registry, "v2")
    tick(keeper)
    assert kept.generate(ASK).release == "v1"
    assert kept.status().ready
    assert (row(store).release, row(store).ready) == ("v1", True)
    assert "told to fail" in row(store).reason
    assert "told to fail" in keeper.trouble()
    registry.rollback(actor="a", now=NOW)
    tick(keeper)
    assert (engine.live, row(store).reason, keeper.trouble()) == ("v1", "", "")


def test_it_is_tried_again_less_and_less_often(registry, process):
    tried = []

    class Failing(FakeEngine):
        def load(self, release):
            tried.append(release.name)
            super().load(release)

    engine, keeper, _ = process(engine=Failing())
    engine.unusable.add("v1")
    live(registry, "v1")
    for second in range(0, 200, 2):
        keeper.tick(NOW + second)
        keeper.join(10)
    assert 5 <= len(tried) <= 9, "2, 4, 8, 16, 32, 60, 60 seconds apart"


@pytest.mark.parametrize("damage", ["weights", "gone"])
def test_damaged_files_are_never_loaded(store, registry, process, tmp_path, damage):
    live(registry, "v1")
    weights = tmp_path / "shelf" / "v1" / "adapter_model.safetensors"
    weights.write_text("x") if damage == "weights" else weights.unlink()
    engine, keeper, _ = process()
    tick(keeper)
    assert (engine.live, engine.resident) == ("fake-1", ["fake-1"])
    assert "adapter_model.safetensors" in row(store).reason


def test_an_unforeseen_failure_is_logged_and_tried_again(store, registry, process, caplog):
    class Broken(FakeEngine):
        def load(self, release):
            raise RuntimeError("cuda")

    live(registry, "v1")
    _, keeper, kept = process(engine=Broken())
    tick(keeper)
    assert "release.failed" in caplog.messages
    assert row(store).reason == "unforeseen: RuntimeError"
    assert not kept.status().ready


def test_an_engine_that_says_yes_and_does_not_is_found_out(store, registry, process):
    class Deaf(FakeEngine):
        def activate(self, release):
            self.load(release)

    live(registry, "v1")
    _, keeper, kept = process(engine=Deaf())
    tick(keeper)
    assert "goes on serving fake-1" in row(store).reason
    assert not kept.status().ready


def test_the_old_release_answers_while_the_new_one_is_loaded(store, registry, process):
    begun, go_on = threading.Event(), threading.Event()

    class Slow(FakeEngine):
        def load(self, release):
            if release.name == "v2":
                begun.set()
                assert go_on.wait(10)
            super().load(release)

    _, keeper, kept = process("host-1", engine=Slow("a", "b"))
    live(registry, "v1")
    tick(keeper)
    live(registry, "v2")
    keeper.tick(NOW)
    assert begun.wait(10)
    keeper.tick(NOW + 2)
    assert (row(store).release, row(store).reason) == ("v1", "it is being loaded")
    assert kept.generate(ASK).release == "v1"
    go_on.set()
    keeper.join(10)
    keeper.tick(NOW + 4)
    assert row(store).release == "v2"
    assert kept.generate(ASK).release == "v2"


def test_two_processes_converge_and_one_that_cannot_says_so(store, registry, process):
    one, one_keeper, _ = process("host-1")
    two, two_keeper, _ = process("host-2")
    live(registry, "v1")
    tick(one_keeper)
    tick(two_keeper)
    two.unusable.add("v2")
    live(registry, "v2")
    tick(one_keeper)
    tick(two_keeper)
    assert (one.live, two.live) == ("v2", "v1")
    assert {s.id: s.release for s in instances.seen(store, since=0)} == {
        "host-1": "v2",
        "host-2": "v1",
    }


def test_the_row_is_renewed_now_and_then_and_goes_at_the_end(store, process):
    _, keeper, _ = process()
    seen = []
    for second in range(0, 25, 2):
        keeper.tick(NOW + second)
        seen.append(row(store).seen_at - NOW)
    assert sorted(set(seen)) == [0, BEAT, 2 * BEAT]
    keeper.close()
    assert instances.seen(store, since=0) == []


def test_the_candidate_is_loaded_beside_the_live_one(store, registry, process):
    engine, keeper, _ = process()
    live(registry, "v1")
    instances.tune(store, "candidate", "v2", actor="a", now=NOW)
    for _ in range(2):
        tick(keeper)
    assert (engine.live, "v2" in engine.resident) == ("v1", True)
    assert row(store).candidate == "v2"


@pytest.mark.parametrize("value", ["0.9", "nonsense"])
def test_what_admins_set_is_used(store, process, value):
    _, keeper, _ = process()
    instances.tune(store, "temperature", value, actor="a", now=NOW)
    instances.tune(store, "max_tokens", "120", actor="a", now=NOW)
    assert keeper.sampling() == Sampling()
    keeper.tick(NOW)
    expected = Sampling(temperature=0.9, max_tokens=120) if value == "0.9" else Sampling()
    assert keeper.sampling() == expected


@pytest.mark.parametrize("engine", [LibraryEngine(), EchoEngine()])
def test_engines_without_a_model_are_left_alone(store, registry, process, engine):
    live(registry, "v1")
    _, keeper, _ = process(engine=engine)
    tick(keeper)
    assert not keeper.able
    assert instances.seen(store, since=0) == []


def test_nothing_is_loaded_before_the_model_is(store, registry, process):
    class Loading(FakeEngine):
        ready = False

        def status(self):
            from dataclasses import replace

            return replace(super().status(), ready=self.ready, progress=0.4, detail="loading: 40 %")

    engine, keeper, kept = process("host-1", engine=Loading("a"))
    live(registry, "v1")
    tick(keeper)
    assert engine.live == "fake-1"
    assert (row(store).ready, row(store).reason) == (False, "loading: 40 %")
    assert kept.status().detail == "loading: 40 %"
    engine.ready = True
    tick(keeper)
    assert row(store).release == "v1"
