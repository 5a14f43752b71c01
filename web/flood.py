"""How many messages one address may send: a bucket that fills steadily, in bounded memory.

Generous, because thousands of phones may share one address behind their network; the limit per
person is the conversation's business.
"""

import ipaddress
import threading
from collections import OrderedDict


class Flood:
    """Counts by address. Each starts with `burst` and gains `per_second`, up to `burst`."""

    def __init__(self, burst: int = 60, per_second: float = 2.0, most: int = 4096) -> None:
        self._burst, self._rate, self._most = burst, per_second, most
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, address: str, now: float) -> float:
        """Take one; 0.0, or the seconds to wait for the next when none is left."""
        whose = network(address)
        with self._lock:
            left, since = self._left.pop(whose, (float(self._burst), now))
            left = min(self._burst, left + max(0.0, now - since) * self._rate)
            allowed = left >= 1
            self._left[whose] = (left - 1 if allowed else left, now)
            while len(self._left) > self._most:
                self._left.popitem(last=False)
        return 0.0 if allowed else (1 - left) / self._rate

    def __len__(self) -> int:
        return len(self._left)


def network(address: str) -> str:
    """The address, or for IPv6 its /64: a single line is given that many."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if known.version == 4:
        return address
    return str(ipaddress.ip_network((known, 64), strict=False))
