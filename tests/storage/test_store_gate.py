"""Requests in hand go first, and nobody waits for ever."""

import threading
import time

from storage.gate import Gate


def waited(gate):
    began = time.monotonic()
    gate.give_way()
    return time.monotonic() - began


def test_nobody_waits_without_a_request():
    gate = Gate(most=5)
    assert waited(gate) < 1
    with gate.request(), gate.request():
        pass
    assert waited(gate) < 1


def test_patience_ends():
    gate = Gate(most=0.05)
    with gate.request():
        assert 0.04 < waited(gate) < 2


def test_the_last_request_lets_the_patient_pass():
    gate, passed = Gate(most=20), threading.Event()
    with gate.request():
        with gate.request():
            patient = threading.Thread(target=lambda: (gate.give_way(), passed.set()))
            patient.start()
        assert not passed.wait(0.05)
    assert passed.wait(10)
    patient.join()


def test_a_request_that_fails_is_over():
    gate = Gate(most=20)
    try:
        with gate.request():
            raise ZeroDivisionError
    except ZeroDivisionError:
        pass
    assert waited(gate) < 10
