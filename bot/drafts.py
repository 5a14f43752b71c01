"""Brings answers that are still being written to where they are read.

Knows the channels and the table of drafts. Nothing here is durable and nothing here is needed: an
answer whose draft cannot be shown is an answer all the same.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from bot.channels.base import Channel
from bot.streaming import Show
from storage import drafts
from storage.store import Store

#: An answer that is ready sooner is not shown growing.
FIRST_AFTER = 0.3
#: A page reads from the store; a messenger is called, at most once a second for a chat.
EVERY_PULLED, EVERY_SENT = 0.5, 1.0
TICK = 0.25


@dataclass(slots=True)
class _Draft:
    channel: str
    address: str
    pulled: bool
    due: float
    text: str = ""
    told: str = ""


class Drafts:
    """The answers that are being written right now, and what was told of each.

    Generation only leaves its words here: `tick`, on a thread of its own, carries them on.
    """

    def __init__(
        self,
        store: Store,
        channels: Mapping[str, Channel],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store, self._channels, self._clock = store, channels, clock
        self._drafts: dict[int, _Draft] = {}
        self._lock = threading.Lock()

    @contextmanager
    def shown(self, channel: str, address: str, message_id: int) -> Iterator[Show | None]:
        """While inside, what is handed to the result is shown where the channel can show it.

        Nothing is begun after the end: the reply comes next.
        """
        known = self._channels.get(channel)
        if known is None or not known.can.drafts:
            yield None
            return
        draft = _Draft(channel, address, known.can.pulled, self._clock() + FIRST_AFTER)

        def show(text: str) -> None:
            draft.text = text

        with self._lock:
            self._drafts[message_id] = draft
        try:
            yield show
        finally:
            with self._lock:
                self._drafts.pop(message_id, None)
                if draft.told and not draft.pulled:
                    known.draft(message_id, address, "")

    def tick(self, now: float) -> None:
        """Carry on what has grown and is due. Raises StoreError."""
        pulled: dict[int, str] = {}
        with self._lock:
            for message_id, draft in self._drafts.items():
                if draft.due > now or draft.text == draft.told:
                    continue
                draft.told = draft.text
                draft.due = now + (EVERY_PULLED if draft.pulled else EVERY_SENT)
                if draft.pulled:
                    pulled[message_id] = draft.told
                else:
                    self._channels[draft.channel].draft(message_id, draft.address, draft.told)
        if pulled:
            drafts.keep(self._store, pulled, now=now)
