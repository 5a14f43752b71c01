"""Wakes a waiting thread when there is work: idle threads need not ask the database often."""

import threading


class Bell:
    """One ring wakes one waiter; rings that nobody heard are heard at once by the next waiter."""

    def __init__(self, keep: int = 64) -> None:
        self._rings = threading.Semaphore(0)
        self._keep = keep
        self._counting = threading.Lock()
        self._unheard = 0

    def ring(self) -> None:
        """There is something to do. Unheard rings beyond `keep` say nothing new and are dropped."""
        with self._counting:
            if self._unheard < self._keep:
                self._unheard += 1
                self._rings.release()

    def wait(self, seconds: float) -> bool:
        """Until a ring, or for so long; whether it rang."""
        rang = self._rings.acquire(timeout=seconds)
        if rang:
            with self._counting:
                self._unheard -= 1
        return rang
