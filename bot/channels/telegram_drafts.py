"""Answers growing in a Telegram chat: previews that vanish by themselves (sendMessageDraft).

Nothing durable, private chats only, and nothing that matters: a preview that fails is not tried
again, and flood control ends all of them for as long as it says. Knows the loop and the bot.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

from bot.channels.loop import LoopStopped, LoopThread
from bot.channels.split import utf16
from bot.channels.telegram_faults import meaning
from bot.channels.telegram_receive import Bot
from core.errors import SendLater
from core.logs import event

EVERY = 1.0
#: Of the thirty calls a second that a bot has, these are for previews: replies go first.
PER_SECOND = 10
#: After a flood answer that names no time.
QUIET = 30.0
_LONGEST = 4096
#: A preview that takes longer is worth nothing.
_PATIENCE = 3.0
_MOST_ID = 2**31 - 1


@dataclass(slots=True)
class _Preview:
    chat: int
    text: str
    future: "Future[None] | None" = None


class Previews:
    """One preview a chat at a time, one call in flight for each, at most one a second."""

    def __init__(self, loop: LoopThread, bot: Callable[[], Bot], every: float = EVERY) -> None:
        """`bot` is called inside the loop."""
        self._loop, self._bot, self._every = loop, bot, every
        self._previews: dict[int, _Preview] = {}
        self._lock = threading.Lock()
        self._quiet_until = self._free_at = 0.0

    def show(self, number: int, address: str, text: str) -> None:
        """Show `text` so far; none ends the preview, and cancels a call that is on its way."""
        if not text:
            self._end(number)
        elif address.isascii() and address.isdigit():  # a group's id is negative
            self._grow(number, int(address), text[: _fitting(text)])

    def _end(self, number: int) -> None:
        with self._lock:
            preview = self._previews.pop(number, None)
        if preview is not None and preview.future is not None:
            preview.future.cancel()

    def _grow(self, number: int, chat: int, text: str) -> None:
        with self._lock:
            known = self._previews.get(number)
            if known is not None:
                known.text = text
                return
            if time.monotonic() < self._quiet_until:
                return
            preview = self._previews[number] = _Preview(chat, text)
            try:
                preview.future = self._loop.spawn(lambda: self._run(number, preview))
            except LoopStopped:
                del self._previews[number]

    async def _run(self, number: int, preview: _Preview) -> None:
        """Until the preview is ended, or has failed: show what is new, once a second."""
        told = ""
        while self._previews.get(number) is preview:
            text = preview.text
            if text != told and self._may_go():
                if not await self._shown(number % _MOST_ID or 1, preview.chat, text):
                    return
                told = text
            await asyncio.sleep(self._every)

    def _may_go(self) -> bool:
        """Whether all chats together are within their share; only the loop asks."""
        now = time.monotonic()
        if now < self._quiet_until or now < self._free_at:
            return False
        self._free_at = now + 1 / PER_SECOND
        return True

    async def _shown(self, number: int, chat: int, text: str) -> bool:
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._bot().send_message_draft(chat, number, text)
        except Exception as error:
            fault = meaning(error)
            if isinstance(fault, SendLater) and fault.code == "429":
                self._quiet_until = time.monotonic() + (fault.after or QUIET)
            event("telegram.aside", level=logging.DEBUG, what="draft", cause=fault.code)
            return False
        return True


def _fitting(text: str) -> int:
    """How many characters of a text fit into one message."""
    end = len(text)
    while utf16(text[:end]) > _LONGEST:
        end -= max(1, (utf16(text[:end]) - _LONGEST) // 2)
    return end
