"""How fast each channel and each chat may be written to. In memory, of this process.

Several processes may together go over a provider's limit; its 429 is then obeyed by the sender.
"""

import threading
from dataclasses import dataclass

from core.messages import Capabilities

FULL_CHATS = 10_000


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float

    def wait(self, now: float, rate: float, size: float) -> float:
        """Seconds until a token is there; 0 means that one is."""
        self.tokens = min(size, self.tokens + max(0.0, now - self.at) * rate)
        self.at = now
        return 0.0 if self.tokens >= 1 else (1 - self.tokens) / rate


class Limiter:
    """Token buckets: one a channel, one a chat. Safe to share between threads."""

    def __init__(self) -> None:
        self._overall: dict[str, _Bucket] = {}
        self._chats: dict[int, _Bucket] = {}
        self._lock = threading.Lock()

    def channel_wait(self, channel: str, can: Capabilities, now: float) -> float:
        """Seconds until this channel may send anything."""
        with self._lock:
            return self._channel(channel, can, now).wait(now, can.overall_per_s, can.overall_per_s)

    def chat_wait(self, conversation_id: int, can: Capabilities, now: float) -> float:
        """Seconds until this chat may be written to."""
        rate = 1 / can.chat_every_s
        with self._lock:
            return self._chat(conversation_id, can, now).wait(now, rate, can.chat_burst)

    def take(self, channel: str, conversation_id: int, can: Capabilities, now: float) -> None:
        """Spend one message of both."""
        with self._lock:
            self._channel(channel, can, now).tokens -= 1
            self._chat(conversation_id, can, now).tokens -= 1

    def _channel(self, channel: str, can: Capabilities, now: float) -> _Bucket:
        return self._overall.setdefault(channel, _Bucket(can.overall_per_s, now))

    def _chat(self, conversation_id: int, can: Capabilities, now: float) -> _Bucket:
        if len(self._chats) > FULL_CHATS and conversation_id not in self._chats:
            self._forget(now)
        return self._chats.setdefault(conversation_id, _Bucket(can.chat_burst, now))

    def _forget(self, now: float) -> None:
        """Drop chats that were not written to for a minute: their buckets are full again."""
        self._chats = {key: b for key, b in self._chats.items() if now - b.at < 60}
