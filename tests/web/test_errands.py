"""What takes longer than a request may: under way, ended, failed, and whose it is."""

import threading

import pytest

from web.errands import KEPT, Errands
from web.incoming import Refused


def ended(errands, owner, number):
    done = threading.Event()
    for _ in range(2000):
        found = errands.end(owner, number)
        if found is not None:
            return found
        done.wait(0.005)
    raise AssertionError("never ended")


def test_an_errand_is_under_way_and_then_ended():
    errands, go = Errands(), threading.Event()
    number = errands.begin("ali", lambda: go.wait(10) and "done")
    assert errands.end("ali", number) is None
    go.set()
    assert ended(errands, "ali", number) == "done"
    assert errands.end("ali", number) == "done", "and can be asked about again"


def test_its_failure_is_for_who_gave_it():
    errands = Errands()

    def fail():
        raise ValueError("broken")

    number = errands.begin("ali", fail)
    with pytest.raises(ValueError, match="broken"):
        ended(errands, "ali", number)
    with pytest.raises(Refused, match="console-gone"):
        errands.end("binta", number)
    with pytest.raises(Refused, match="console-gone"):
        errands.end("", "nonsuch")


def test_too_many_at_once_are_refused_and_place_is_free_again():
    errands, go = Errands(most=2), threading.Event()
    numbers = [errands.begin("ali", lambda: go.wait(10)) for _ in range(2)]
    with pytest.raises(Refused, match="console-busy") as refused:
        errands.begin("ali", lambda: True)
    assert (refused.value.status, refused.value.after > 0) == (429, True)
    go.set()
    for number in numbers:
        ended(errands, "ali", number)
    assert ended(errands, "ali", errands.begin("ali", lambda: "free")) == "free"


def test_old_ends_are_forgotten_and_not_what_is_under_way():
    errands, go = Errands(), threading.Event()
    slow = errands.begin("ali", lambda: go.wait(10) and "slow")
    first = errands.begin("ali", lambda: "first")
    ended(errands, "ali", first)
    for _ in range(KEPT):
        ended(errands, "ali", errands.begin("ali", lambda: "more"))
    with pytest.raises(Refused):
        errands.end("ali", first)
    go.set()
    assert ended(errands, "ali", slow) == "slow"
