"""The benchmark's floor is the one worked out by hand, and the whole of it runs."""

from pathlib import Path

import pytest

from benchmarks import engine, engine_floor
from inference.gemma.shapes import GEMMA_4B, TINY

#: What an H200 copies and multiplies in bfloat16 in a second, by its data sheet and as measured.
H200 = (4.3e12, 790e12)


@pytest.mark.parametrize(
    ("count", "floor"), [(1, 547), (64, 19_650), (256, 33_700), (10_000, 43_500)]
)
def test_the_floor_of_a_known_machine(count: int, floor: float) -> None:
    """7.76 GB of weights and 139,264 bytes of cache a token, 700 tokens each."""
    found = engine_floor.floor(GEMMA_4B, 3_880_000_000, 2, H200, count, 700)
    assert found == pytest.approx(floor, rel=0.02)


def test_a_slow_multiplier_is_the_floor_of_large_batches() -> None:
    found = engine_floor.floor(GEMMA_4B, 3_880_000_000, 2, (4.3e12, 1e12), 256, 700)
    assert found == pytest.approx(1e12 / 7.76e9)


def test_the_whole_benchmark_runs(tmp_path: Path) -> None:
    found = engine.measure(
        TINY, "cpu", "native", (1, 2), answers=(2, 4), repeats=1, swaps=2, folder=tmp_path
    )
    assert [(row["way"], row["requests"]) for row in found["rows"]] == [
        (way, count) for count in (1, 2) for way in ("one by one", "one batch", "engine")
    ]
    assert all(row["tok_s"] > 0 and row["cpu_ms_tok"] > 0 for row in found["rows"])
    assert found["swap"]["failed"] == found["swap"]["failed_loading"] == 0
    assert found["swap"]["swaps"] == 2
    assert found["long"]["prompt_tokens"] >= 600
    text = engine.show(found | {"machine": "here", "seconds": 1})
    assert text.count("| engine |") == 2
