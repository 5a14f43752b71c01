"""Waiting for what another thread or process does: looked at again and again, and not for ever."""

import time
from collections.abc import Callable


def came(true: Callable[[], object], seconds: float, every: float = 0.1) -> bool:
    """Wait for a condition; whether it came."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(every)
    return True


def until(true: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait for a condition. Fails when it does not come."""
    assert came(true, seconds, every=0.01), "it did not happen"
