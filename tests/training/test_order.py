"""Rows of like length share a batch; every row comes once; a seed is an order for ever."""

import random

import pytest

from training.order import order, padded


@pytest.mark.parametrize(("count", "batch"), [(0, 4), (1, 4), (7, 8), (64, 8), (1003, 8), (50, 1)])
def test_every_row_comes_once(count: int, batch: int) -> None:
    lengths = [random.Random(n).randint(1, 900) for n in range(count)]
    assert sorted(order(lengths, batch, 7)) == list(range(count))


def test_little_is_padded_and_batches_are_in_no_order_of_length() -> None:
    draw = random.Random(3)
    lengths = [round(draw.lognormvariate(5.4, 0.6)) for _ in range(2000)]
    rows = order(lengths, 8, 1)
    ours = padded([lengths[row] for row in rows], 8)
    chance = padded(lengths, 8)
    assert ours < 1.08 * sum(lengths) < 1.5 * sum(lengths) < chance
    first = sum(lengths[row] for row in rows[:1000])
    assert 0.85 < first / (sum(lengths) / 2) < 1.15


def test_the_longest_row_comes_first_so_that_too_little_memory_shows_at_once() -> None:
    lengths = [10] * 99 + [500]
    assert 99 in order(lengths, 8, 1)[:8]


def test_a_batch_that_is_not_full_is_the_last() -> None:
    """Else all after it would be cut elsewhere, and rows of unlike length would share a batch."""
    lengths = [n % 7 * 100 + 10 for n in range(61)]
    for seed in range(20):
        rows = [lengths[row] for row in order(lengths, 4, seed)]
        assert all(max(rows[at : at + 4]) - min(rows[at : at + 4]) <= 100 for at in range(0, 60, 4))


def test_the_order_is_the_seeds() -> None:
    lengths = list(range(100))
    assert order(lengths, 4, 1) == order(lengths, 4, 1) != order(lengths, 4, 2)
