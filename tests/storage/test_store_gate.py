"""Patient threads wait while a request is in hand, one by one, and never for long."""

import threading
import time

from storage.gate import Gate


def _passed(gate: Gate) -> threading.Event:
    """Set once a thread has passed the gate."""
    passed = threading.Event()

    def walk() -> None:
        gate.give_way()
        passed.set()

    threading.Thread(target=walk, daemon=True).start()
    return passed


def test_nobody_waits_at_an_idle_gate() -> None:
    assert _passed(Gate(most=5)).wait(1)


def test_a_request_goes_first() -> None:
    gate = Gate(most=5)
    with gate.request(), gate.request():
        passed = _passed(gate)
        assert not passed.wait(0.05)
    assert passed.wait(1)


def test_requests_without_end_hold_nobody_up_for_long() -> None:
    gate = Gate(most=0.05)
    begun = time.monotonic()
    with gate.request():
        assert all(passed.wait(2) for passed in [_passed(gate) for _ in range(3)])
    assert time.monotonic() - begun >= 0.15, "they pass one by one"


def test_a_request_that_fails_is_over() -> None:
    gate = Gate(most=5)
    try:
        with gate.request():
            raise ValueError
    except ValueError:
        assert _passed(gate).wait(1)
