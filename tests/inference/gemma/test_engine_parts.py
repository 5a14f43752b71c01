"""The engine's parts that need no model: door, draw, memory plan, the book of releases."""

import itertools
import threading
import time

import pytest
import torch
from transformers import (
    LogitsProcessorList,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from core.errors import EngineAbsent, EngineBusy, EngineTimeout, ReleaseUnusable, SettingsError
from inference.engine import BASE, Release, Sampling
from inference.gemma.batching import is_out_of_memory
from inference.gemma.draw import Draw, choose
from inference.gemma.gate import Gate
from inference.gemma.plan import LEAST, USUAL, fit, halve
from inference.gemma.residents import Residents
from inference.gemma.shapes import GEMMA_4B, GEMMA_270M, TINY, text_config
from inference.gemma.supervisor import RESTARTS, WITHIN, is_lost, next_rebuild
from tests.waiting import until

GB = 2**30


def soon(seconds: float = 5.0) -> float:
    return time.monotonic() + seconds


def test_the_door_turns_away_whom_it_has_no_place_for():
    gate = Gate(1, 1)
    gate.open(1)
    entered = []

    def second() -> None:
        with gate.passed(soon()):
            entered.append(2)

    with gate.passed(soon()):
        thread = threading.Thread(target=second)
        thread.start()
        until(lambda: gate.counts() == (1, 1))
        started = time.monotonic()
        with pytest.raises(EngineBusy), gate.passed(soon()):
            pass
        assert time.monotonic() - started < 1
        assert not entered
    thread.join()
    assert entered == [2]
    assert gate.counts() == (0, 0)


def test_the_door_serves_first_come_first():
    gate = Gate(1, 9)
    gate.open(1)
    order = []

    def come(number: int) -> None:
        with gate.passed(soon()):
            order.append(number)

    threads = []
    with gate.passed(soon()):
        for number in range(5):
            threads.append(threading.Thread(target=come, args=(number,)))
            threads[-1].start()
            until(lambda: gate.counts()[1] == len(threads))
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4]


def test_who_waits_too_long_leaves_no_trace():
    gate = Gate(1, 1)
    with pytest.raises(EngineAbsent, match="loaded"), gate.passed(soon()):
        pass
    gate.open(1)
    gate.shut()
    with pytest.raises(EngineTimeout), gate.passed(soon(0.02)):
        pass
    assert gate.counts() == (0, 0)
    gate.open(1)
    with gate.passed(soon()):
        pass


def test_a_refusal_reaches_those_who_wait():
    gate = Gate(1, 4)
    gate.open(1)
    gate.shut()
    heard = []

    def wait() -> None:
        try:
            with gate.passed(soon()):
                pass
        except EngineAbsent as error:
            heard.append(str(error))

    thread = threading.Thread(target=wait)
    thread.start()
    until(lambda: gate.counts()[1] == 1)
    gate.refuse("resting")
    thread.join(5)
    assert heard == ["resting"]


def scores(rows: int = 1, size: int = 50) -> torch.Tensor:
    return torch.randn(rows, size, generator=torch.Generator().manual_seed(3)) * 3


DRAWS = [
    ("the usual", Sampling()),
    ("hot and wide", Sampling(2.0, top_k=1000, top_p=1.0)),
    ("hot and narrow", Sampling(2.0, top_k=3, top_p=1.0)),
    ("by share only", Sampling(1.5, top_k=1000, top_p=0.5)),
    ("tiny share", Sampling(1.0, top_k=40, top_p=0.05)),
]


@pytest.mark.parametrize(("label", "sampling"), DRAWS)
def test_draws_have_the_chances_of_generate(label, sampling):
    row = scores()
    warpers = LogitsProcessorList(
        [
            TemperatureLogitsWarper(sampling.temperature),
            TopKLogitsWarper(min(sampling.top_k, 50)),
            TopPLogitsWarper(sampling.top_p),
        ]
    )
    expected = warpers(None, row.clone()).softmax(-1)[0]
    many = 4000
    drawn = choose(
        row.expand(many, -1).clone(), [sampling] * many, torch.Generator().manual_seed(1)
    )
    share = torch.bincount(drawn, minlength=50) / many
    assert set(drawn.unique().tolist()) <= set(expected.nonzero().flatten().tolist())
    assert (share - expected).abs().max() < 0.04


def test_rows_are_drawn_each_by_their_own_sampling():
    rows = scores(3)
    best = rows.argmax(-1)
    samplings = [Sampling(0.0), Sampling(2.0, top_k=1), Sampling(2.0, top_k=50, top_p=1.0)]
    seen = [choose(rows, samplings, torch.Generator().manual_seed(n)) for n in range(30)]
    assert all(torch.equal(each[:2], best[:2]) for each in seen)
    assert len({int(each[2]) for each in seen}) > 5


def test_a_row_that_is_no_number_spoils_no_other():
    draw = Draw("cpu", seed=0)
    draw.rows = [Sampling(0.0), Sampling(1.0), Sampling(0.0)]
    rows = scores(3)
    rows[1, 7] = torch.nan
    rows[2, 3] = torch.inf
    out = draw(torch.zeros(3), rows)
    assert draw.broken.tolist() == [False, True, True]
    assert int(out[0].argmax()) == int(rows[0].argmax())
    assert torch.isfinite(out).sum(-1).tolist() == [1, 1, 1]


PLANS = [
    ("enough for everybody", TINY, 4.0, 32, torch.float32, 4096),
    ("a small share", TINY, 0.02, 32, torch.float32, None),
    ("270m on a laptop", GEMMA_270M, 2.0, 32, torch.float32, 8192),
    ("4b on a GPU", GEMMA_4B, 40.0, 64, torch.bfloat16, 8192),
    ("4b with little", GEMMA_4B, 1.0, 32, torch.bfloat16, None),
]


@pytest.mark.parametrize(("label", "shape", "gigabytes", "running", "dtype", "capacity"), PLANS)
def test_the_plan_keeps_to_its_budget(label, shape, gigabytes, running, dtype, capacity):
    config = text_config(shape)
    made = fit(config, dtype=dtype, running=running, step=256, budget=int(gigabytes * GB))
    sizes = 2 * shape.kv_heads * shape.head * dtype.itemsize * made.block
    layers_a_group = {"tiny": 1, "270m": 3, "4b": 1}[shape.name]
    assert made.blocks * sizes * layers_a_group <= gigabytes * GB
    assert capacity is None or made.capacity == capacity
    assert made.capacity >= LEAST
    config_given = made.config()
    assert config_given.num_blocks == made.blocks  # else transformers takes nearly all memory
    assert config_given.max_batch_tokens == 256
    assert config_given.allow_block_sharing is False
    assert config_given.use_cuda_graph is False
    assert config_given.use_async_batching is False


def test_batching_is_asked_for_what_slots_and_a_budget_allow():
    """Shared blocks and recorded graphs would answer for another release; its own defaults take
    nearly all memory (traps 1, 2 and 9).
    """
    asked = fit(text_config(TINY), dtype=torch.float32, running=4, step=64, budget=GB).config()
    assert not asked.allow_block_sharing
    assert not asked.use_cuda_graph
    assert not asked.use_async_batching
    assert (asked.max_batch_tokens, asked.max_requests_per_batch) == (64, 5)
    assert asked.num_blocks > 0


def test_no_more_memory_is_taken_than_is_of_use():
    config = text_config(TINY)
    small = fit(config, dtype=torch.float32, running=2, step=256, budget=64 * GB)
    large = fit(config, dtype=torch.float32, running=32, step=256, budget=64 * GB)
    assert small.blocks < large.blocks < 40 * (USUAL // 32 + 2) * 4


def test_too_little_memory_is_said_with_what_to_do():
    with pytest.raises(SettingsError, match="CACHE_GB"):
        fit(text_config(GEMMA_4B), dtype=torch.float32, running=4, step=256, budget=GB // 50)


def test_halving_goes_on_until_no_request_fits():
    config = text_config(TINY)
    now = fit(config, dtype=torch.float32, running=32, step=256, budget=GB // 2)
    seen = [now]
    while (now := halve(now, config)) is not None:
        seen.append(now)
    assert [each.running for each in seen][:4] == [32, 16, 8, 4]
    assert all(b.blocks <= a.blocks // 2 for a, b in itertools.pairwise(seen))
    assert seen[-1].capacity >= LEAST


MEMORY = [
    ("a GPU", torch.OutOfMemoryError("CUDA out of memory"), True),
    (
        "the computer",
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"),
        True,
    ),
    ("the computer, otherwise said", RuntimeError("not enough memory: you tried ..."), True),
    ("transformers' account", MemoryError("Memory footprint"), True),
    ("another crash", RuntimeError("shape mismatch"), False),
    ("a word in a value", ValueError("out of memory"), False),
    ("nothing", None, False),
]


@pytest.mark.parametrize(("label", "error", "expected"), MEMORY)
def test_want_of_memory_is_recognised(label, error, expected):
    assert is_out_of_memory(error) is expected


def test_a_lost_gpu_is_not_retried():
    assert is_lost(RuntimeError("CUDA error: an illegal memory access was encountered"))
    assert not is_lost(torch.OutOfMemoryError("CUDA out of memory"))
    assert not is_lost(RuntimeError("shape mismatch"))
    assert not is_lost(None)


REBUILDS = [
    ("never", [], 0.0, 0.0),
    ("fewer than allowed", [0.0] * (RESTARTS - 1), 1.0, 0.0),
    ("as many as allowed", [0.0] * RESTARTS, 100.0, WITHIN - 100.0),
    ("long ago", [0.0] * RESTARTS, WITHIN + 1, 0.0),
    ("only the last three count", [0.0, 50.0, 60.0, 70.0], 100.0, WITHIN - 50.0),
]


@pytest.mark.parametrize(("label", "rebuilt", "now", "expected"), REBUILDS)
def test_three_rebuilds_in_five_minutes_are_enough(label, rebuilt, now, expected):
    assert next_rebuild(rebuilt, now) == expected


def hold(book: Residents, name: str) -> int:
    slot = book.reserve(0.01)
    book.publish(Release(name, f"/r/{name}"), slot)
    return slot


def test_a_fourth_release_takes_the_place_of_the_one_asked_longest_ago():
    book = Residents()
    slots = {name: hold(book, name) for name in ("r1", "r2", "r3")}
    assert sorted(slots.values()) == [1, 2, 3]
    book.go_live("r1")
    for name in ("r2", "r3", "r1"):
        with book.pinned(name):
            pass
    assert hold(book, "r4") == slots["r2"]
    assert book.names() == (BASE, "r1", "r3", "r4")


def test_neither_live_nor_asked_ones_go_and_the_previous_goes_last():
    book = Residents()
    for name in ("r1", "r2", "r3"):
        hold(book, name)
    book.go_live("r1")
    book.go_live("r2")
    with book.pinned("r3"):
        hold(book, "r4")  # r2 is live, r3 answers: the previous one is all there is
        assert book.names() == (BASE, "r2", "r3", "r4")
        with book.pinned("r4"), pytest.raises(ReleaseUnusable, match="still answer"):
            book.reserve(0.02)
    book.go_live("r4")  # previous: r2
    hold(book, "r5")
    assert book.names() == (BASE, "r2", "r4", "r5")


def test_a_place_is_waited_for():
    book = Residents(room=1)
    hold(book, "r1")
    given = []
    with book.pinned("r1"):
        thread = threading.Thread(target=lambda: given.append(book.reserve(5)))
        thread.start()
        time.sleep(0.02)
        assert not given
    thread.join()
    assert given == [1]


def test_what_is_not_loaded_cannot_be_asked():
    book = Residents()
    with pytest.raises(EngineAbsent), book.pinned(None):
        pass
    with pytest.raises(ReleaseUnusable, match="r9"), book.pinned("r9"):
        pass
    with pytest.raises(ReleaseUnusable, match="r9"):
        book.go_live("r9")
