"""The benchmark's count of operations is the one worked out by hand, and the whole of it runs."""

import pytest

from benchmarks import train, train_ways
from inference.gemma.shapes import GEMMA_4B, TINY
from training.gemma.tokens import Encoded


def test_a_token_of_the_4b_costs_what_the_paper_count_says() -> None:
    """4 x 3.209 G in the layers, 4 x 0.671 G in the head, 6 x 59.6 M in the adapter."""
    row = Encoded([1] * 250, [1] * 250)
    attention = 6.0 * 34 * 2048 * 250
    a_token = train_ways.operations(GEMMA_4B, [row], 32) / 250 - attention
    assert a_token == pytest.approx(4 * 3.209e9 + 4 * 0.6712e9 + 6 * 59.6e6, rel=0.002)


def test_rows_have_the_mean_that_is_asked_for_and_learn_a_part_of_it() -> None:
    rows = train_ways.rows(400, 3072, mean=250)
    lengths = [len(row.input_ids) for row in rows]
    assert sum(lengths) / 400 == pytest.approx(250, abs=2)
    assert max(lengths) > 1.5 * min(lengths)
    assert all(0 < row.learnt < len(row.input_ids) for row in rows)
    assert rows == train_ways.rows(400, 3072, mean=250)


def test_the_whole_benchmark_runs() -> None:
    found = train.measure(TINY, "cpu", 8, 8)
    assert [row["way"] for row in found["rows"]] == ["ours", "TRL", "origin"]
    assert all(row["tok_s"] > 0 and row["mfu"] > 0 for row in found["rows"])
    assert found["rows"][-1]["of_origin"] == 1.0
    text = train.show(found | {"machine": "here", "seconds": 1})
    assert "| ours | 8 |" in text
