"""The limit per address."""

import pytest

from web.flood import Flood, network


def test_a_burst_is_let_through_and_then_refills():
    flood = Flood(burst=3, per_second=2.0)
    assert [flood.wait("10.0.0.1", 100.0) for _ in range(3)] == [0.0, 0.0, 0.0]
    assert flood.wait("10.0.0.1", 100.0) == pytest.approx(0.5)
    assert flood.wait("10.0.0.2", 100.0) == 0.0
    assert flood.wait("10.0.0.1", 100.6) == 0.0
    assert flood.wait("10.0.0.1", 100.6) > 0


def test_waiting_long_gives_no_more_than_a_burst():
    flood = Flood(burst=2, per_second=1.0)
    assert flood.wait("10.0.0.1", 0.0) == 0.0
    assert [bool(flood.wait("10.0.0.1", 9999.0)) for _ in range(3)] == [False, False, True]


def test_a_clock_that_steps_back_is_no_gain_and_no_crash():
    flood = Flood(burst=1, per_second=1.0)
    assert flood.wait("10.0.0.1", 50.0) == 0.0
    assert flood.wait("10.0.0.1", 10.0) > 0


def test_memory_is_bounded():
    flood = Flood(most=100)
    for number in range(1000):
        flood.wait(f"10.1.{number // 250}.{number % 250}", 1.0)
    assert len(flood) == 100


@pytest.mark.parametrize(
    ("label", "one", "other", "same"),
    [
        ("two lines", "10.0.0.1", "10.0.0.2", False),
        ("one IPv6 line", "2001:db8:1:2::5", "2001:db8:1:2:ffff::9", True),
        ("two IPv6 lines", "2001:db8:1:2::5", "2001:db8:1:3::5", False),
        ("no address", "", "nonsense", True),
    ],
)
def test_network(label, one, other, same):
    assert (network(one) == network(other)) is same
