"""Shows "typing..." while an answer takes its time: after a moment, and again before it fades.

Telegram shows the sign for five seconds (sendChatAction), so it is repeated every four.
"""

import itertools
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from bot.channels.base import Channel

FIRST_AFTER = 0.5
EVERY = 4.0


@dataclass(slots=True)
class _Sign:
    channel: str
    address: str
    due: float


class TypingSigns:
    """The chats for which an answer is being made."""

    def __init__(self, channels: Mapping[str, Channel]) -> None:
        self._channels = channels
        self._signs: dict[int, _Sign] = {}
        self._numbers = itertools.count()
        self._lock = threading.Lock()

    @contextmanager
    def shown(self, channel: str, address: str) -> Iterator[None]:
        """While inside, `tick` shows the sign to this chat, if the channel can."""
        known = self._channels.get(channel)
        if known is None or not known.can.typing:
            yield
            return
        number = next(self._numbers)
        with self._lock:
            self._signs[number] = _Sign(channel, address, time.monotonic() + FIRST_AFTER)
        try:
            yield
        finally:
            with self._lock:
                self._signs.pop(number, None)

    def tick(self, now: float) -> None:
        """Show the signs that are due (`now` is time.monotonic's)."""
        with self._lock:
            due = [sign for sign in self._signs.values() if sign.due <= now]
            for sign in due:
                sign.due = now + EVERY
        for sign in due:
            self._channels[sign.channel].typing(sign.address)
