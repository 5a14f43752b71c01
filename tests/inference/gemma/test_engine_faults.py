"""What people and operators see when the model breaks: crash, death, standstill, no memory, NaN.

Faults come from outside, through PyTorch's own hooks on the model.
"""

import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from given_engine import loaded, question
from safetensors.torch import load_file, save_file

from core.errors import EngineAbsent, EngineError, EngineTimeout, ReleaseUnusable
from inference.engine import BASE, Release
from inference.gemma.engine import TransformersEngine
from tests.waiting import until

#: Long enough that a busy machine is not taken for a standstill.
STUCK = 3.0


@pytest.fixture(scope="module")
def ready(tiny: Path):
    return loaded(tiny)


@pytest.fixture
def engine(tiny: Path, ready):
    made = TransformersEngine(
        str(tiny), demo=True, running=4, waiting=8, cache_gb=0.1, loaded=ready, stuck=STUCK
    )
    assert made.wait(60), made.status()
    yield made
    made.close()


@contextmanager
def broken(model: torch.nn.Module, fault) -> Iterator[list[int]]:
    """Call `fault` before every step of the model; the list counts the calls."""
    calls: list[int] = []

    def hook(module: torch.nn.Module, args: object) -> None:
        calls.append(1)
        fault(len(calls))

    handle = model.register_forward_pre_hook(hook)
    try:
        yield calls
    finally:
        handle.remove()


def at_step(number: int, error: BaseException):
    def fault(step: int) -> None:
        if step == number:
            raise error

    return fault


DEATHS = [
    ("an exception", RuntimeError("shape mismatch: secret words")),
    ("the thread killed", SystemExit()),
]


@pytest.mark.parametrize(("label", "error"), DEATHS)
def test_a_crash_fails_its_requests_at_once_and_the_next_is_answered(
    engine, ready, label, error, caplog
):
    caplog.set_level(logging.INFO)
    expected = engine.generate(question()).text
    all_in = threading.Event()

    def fault(step: int) -> None:
        if step == 3 and all_in.wait(20):  # who comes after the crash is answered, as he must be
            raise error

    with broken(ready.model, fault), ThreadPoolExecutor(3) as pool:
        started = time.monotonic()
        asked = [pool.submit(engine.generate, question(new=300)) for _ in range(3)]
        until(lambda: len(engine.supervisor.loop.output_router.tickets) == 3)
        all_in.set()
        for each in asked:
            failure = each.exception()
            assert isinstance(failure, EngineError)
            assert "secret" not in str(failure)
        assert time.monotonic() - started < 20
    assert engine.generate(question()).text == expected  # waits at the door for the new loop
    assert engine.status().ready
    assert "secret" not in caplog.text
    # transformers' own line would quote the error, and token ids of prompts
    assert not logging.getLogger("ContinuousBatchingLogger").isEnabledFor(logging.CRITICAL)
    actions = [record.msg for record in caplog.records if record.name == "lafiya"]
    assert actions[-2:] == ["engine.crashed", "engine.rebuilt"]


def test_a_standstill_is_noticed(engine, ready):
    go_on = threading.Event()
    with broken(ready.model, lambda step: step == 2 and go_on.wait(30)):
        started = time.monotonic()
        with pytest.raises(EngineError) as seen:
            engine.generate(question(new=50))
        assert not isinstance(seen.value, EngineTimeout)
        assert time.monotonic() - started < 20
        assert engine.generate(question(new=2)).tokens == 2
        go_on.set()
    assert engine.generate(question(new=2)).tokens == 2  # the old thread came back to nothing


def test_want_of_memory_halves_the_batch_and_says_so(engine, ready, caplog):
    caplog.set_level(logging.INFO)
    before = engine.supervisor.plan
    with (
        broken(ready.model, at_step(2, torch.OutOfMemoryError("CUDA out of memory"))),
        pytest.raises(EngineError),
    ):
        engine.generate(question(new=50))
    assert engine.generate(question()).tokens == 8
    after = engine.supervisor.plan
    assert (after.running, after.blocks) == (before.running // 2, before.blocks // 2)
    state = engine.status()
    assert state.ready
    assert "out of memory: 2 at once, not 4" in state.detail
    assert "engine.memory" in caplog.text


def test_a_model_that_always_crashes_rests_and_says_why(engine, ready):
    with broken(ready.model, lambda step: exec_fail()) as calls:
        with pytest.raises(EngineError):
            engine.generate(question())
        until(lambda: "rebuilt 3 times" in engine.status().detail)
        assert not engine.status().ready
        assert len(calls) == 4  # the first crash, and three loops that were tried
        with pytest.raises(EngineAbsent, match="rebuilt 3 times"):
            engine.generate(question())
        time.sleep(0.7)
        assert len(calls) == 4  # it does rest
        started = time.monotonic()
    engine.close()
    assert time.monotonic() - started < 5


def exec_fail() -> None:
    raise RuntimeError("always")


def test_who_waits_at_the_door_is_served_by_the_next_loop(engine, ready):
    with broken(ready.model, at_step(8, RuntimeError("once"))), ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(engine.generate, question(new=12)) for _ in range(8)]
        failed = [each.exception() for each in asked]
    assert sum(error is None for error in failed) >= 4  # four at most were inside
    assert any(error is not None for error in failed)


def test_an_answer_that_is_no_number_ends_with_an_error_and_nothing_else(engine, ready):
    expected = engine.generate(question()).text
    steps: list[int] = []

    def spoil(module: torch.nn.Module, args: object, out: torch.Tensor) -> torch.Tensor:
        steps.append(1)
        return out * torch.nan if len(steps) == 3 else out

    handle = ready.model.lm_head.register_forward_hook(spoil)
    try:
        with pytest.raises(EngineError, match="no number"):
            engine.generate(question())
    finally:
        handle.remove()
    rebuilt = engine.supervisor.loop.steps < 5
    assert not rebuilt
    assert engine.generate(question()).text == expected


def test_a_release_that_gives_no_numbers_harms_nobody(engine, adapter_a, tmp_path):
    """Its weights are finite, but what they compute is not."""
    folder = tmp_path / "wild"
    folder.mkdir()
    for file in adapter_a.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    weights = load_file(folder / "adapter_model.safetensors")
    save_file(
        {key: value * 1e30 for key, value in weights.items()}, folder / "adapter_model.safetensors"
    )
    with ThreadPoolExecutor(2) as pool:
        beside = pool.submit(engine.generate, question(new=40))
        with pytest.raises(ReleaseUnusable, match="wild"):
            engine.activate(Release("wild", str(folder)))
        assert beside.result().tokens == 40
    for number in range(3):  # and holds no place: there are three
        with pytest.raises(ReleaseUnusable):
            engine.load(Release(f"wild-{number}", str(folder)))
    state = engine.status()
    assert (state.ready, state.release, state.resident) == (True, BASE, (BASE,))
    engine.load(Release("a", str(adapter_a)))


def test_closing_ends_what_is_being_written(engine):
    began = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(engine.generate, question(new=500), lambda _: began.set() or True)
        assert began.wait(20)
        started = time.monotonic()
        engine.close()
        assert isinstance(asked.exception(), EngineError)
        assert time.monotonic() - started < 5
    assert not engine.status().ready


def test_a_missing_or_corrupt_release_keeps_the_old_one(engine, adapter_a, tmp_path):
    engine.activate(Release("a", str(adapter_a)))
    expected = engine.generate(question()).text
    (tmp_path / "torn").mkdir()
    for name in ("gone", "torn"):
        with pytest.raises(ReleaseUnusable):
            engine.activate(Release(name, str(tmp_path / name)))
    answer = engine.generate(question())
    assert (answer.release, answer.text) == ("a", expected)
    with pytest.raises(ReleaseUnusable, match="another folder"):
        engine.load(Release("a", str(tmp_path)))


def test_a_release_that_cannot_start_is_not_replaced_by_the_base_model(tiny, ready, adapter_a):
    engine = TransformersEngine(
        str(tiny),
        demo=True,
        cache_gb=0.1,
        loaded=ready,
        release=Release("live", str(tiny / "nothing")),
    )
    try:
        assert not engine.wait(60)
        assert "live" in engine.status().detail
        with pytest.raises(EngineAbsent, match="live"):
            engine.generate(question())
        engine.activate(Release("a", str(adapter_a)))  # the keeper found another
        assert engine.status().ready
        assert engine.generate(question()).release == "a"
    finally:
        engine.close()
