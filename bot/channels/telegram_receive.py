"""How Telegram's updates reach us: a webhook, or long polling. Runs in the channel's loop.

Every step is tried for ever with growing pauses. An update is confirmed only after it is committed.
"""

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, TypeVar

import telegram

from bot.channels.base import Accept
from bot.channels.telegram_faults import meaning
from core.errors import StoreError
from core.logs import crash, event
from core.messages import Inbound

T = TypeVar("T")
ALLOWED_UPDATES = ["message", "edited_message", "callback_query", "my_chat_member"]
_REGISTER_EVERY = 3600.0
_TRIES_OF_A_FAULT = 5
_ADVICE = {
    "Conflict": "another process polls with this token, or a webhook is set: stop the other one",
    "token": "TELEGRAM_BOT_TOKEN is not accepted: copy it again from BotFather",
    "400": "Telegram refuses PUBLIC_URL: it must be https on port 443, 80, 88 or 8443",
}


def advice(code: str | None) -> str:
    """What an operator can do about a fault."""
    unreachable = f"see that Telegram can be reached at TELEGRAM_API_BASE ({code})"
    return _ADVICE.get(code or "", unreachable)


class Bot(telegram.Bot):
    """The library's bot, which can also hand updates over as they came.

    One update that the library cannot read would otherwise fail its whole batch, again and again.
    """

    async def raw_updates(self, offset: int | None, timeout: int) -> list[Any]:
        """getUpdates, unparsed (https://core.telegram.org/bots/api#getupdates)."""
        data: dict[str, Any] = {"timeout": timeout, "allowed_updates": ALLOWED_UPDATES}
        if offset is not None:
            data["offset"] = offset
        async with asyncio.timeout(timeout + 30):  # an answer that trickles would never end
            found = await self._post("getUpdates", data, read_timeout=timeout + 10)
        return found if isinstance(found, list) else []

    async def close_connections(self) -> None:
        """Close both connection pools (`shutdown` would, but only after an `initialize`)."""
        for request in self._request:
            await request.shutdown()


class Receiver:
    """Registers the webhook or polls, until it is cancelled."""

    def __init__(
        self,
        bot: Bot,
        parse: Callable[[Mapping[str, Any]], Inbound | None],
        *,
        first_pause: float = 0.5,
        longest_pause: float = 60.0,
        troubles: dict[str, str] | None = None,
    ) -> None:
        """`troubles` holds what each step is waiting for, in words for the operator."""
        self._troubles = {} if troubles is None else troubles
        self._bot = bot
        self._parse = parse
        self._pauses = (first_pause, longest_pause)

    async def webhook(self, url: str, secret: str) -> None:
        """Register now and every hour, in case somebody has taken the webhook away."""
        while True:
            await self.patiently("webhook", lambda: self._register(url, secret))
            await asyncio.sleep(_REGISTER_EVERY)

    async def poll(self, accept: Accept, timeout: int) -> None:
        """Fetch updates and take each in, in order."""
        await self.patiently(
            "polling", lambda: self._bot.delete_webhook(drop_pending_updates=False)
        )
        event("telegram.polling")
        offset: int | None = None
        while True:
            updates = await self.patiently(
                "polling", functools.partial(self._bot.raw_updates, offset, timeout)
            )
            offset = await self._take_all(updates, accept)

    async def patiently(self, step: str, call: Callable[[], Awaitable[T]]) -> T:
        """The call's result, however long it takes to get it."""
        for pause in self._growing():
            try:
                found = await call()
                self._troubles.pop(step, None)
                return found
            except Exception as error:
                fault = meaning(error)
                self._troubles[step] = advice(fault.code)
                wait = max(pause, getattr(fault, "after", None) or 0.0)
                event(
                    "telegram.retry",
                    level=logging.WARNING,
                    step=step,
                    cause=fault.code,
                    wait=wait,
                    advice=_ADVICE.get(fault.code or ""),
                )
                await asyncio.sleep(wait)
        raise AssertionError("the pauses never end")

    async def _register(self, url: str, secret: str) -> None:
        info = await self._bot.get_webhook_info()
        event("telegram.webhook", registered=info.url == url, pending=info.pending_update_count)
        await self._bot.set_webhook(
            url, secret_token=secret, allowed_updates=ALLOWED_UPDATES, drop_pending_updates=False
        )

    async def _take_all(self, updates: list[Any], accept: Accept) -> int | None:
        """The next offset: None when nothing came, for ids start anew after a quiet week."""
        offset = None
        for update in updates:
            if isinstance(update, dict) and isinstance(update.get("update_id"), int):
                await self._take(update, accept)
                offset = update["update_id"] + 1
        if updates and offset is None:
            await asyncio.sleep(self._pauses[0])
        return offset

    async def _take(self, update: Mapping[str, Any], accept: Accept) -> None:
        inbound = self._read(update)
        if inbound is None:
            return
        loop, faults = asyncio.get_running_loop(), 0
        for pause in self._growing():
            try:
                await loop.run_in_executor(None, accept, inbound)
                return
            except StoreError as error:
                event("telegram.store", level=logging.ERROR, error=type(error).__name__, wait=pause)
            except Exception as error:
                faults += 1
                crash("telegram.accept", error, tries=faults)
                if faults >= _TRIES_OF_A_FAULT:  # or it would block everybody else for ever
                    return
            await asyncio.sleep(pause)

    def _read(self, update: Mapping[str, Any]) -> Inbound | None:
        try:
            return self._parse(update)
        except Exception as error:
            crash("telegram.unreadable", error)
            return None

    def _growing(self) -> Iterator[float]:
        pause, longest = self._pauses
        while True:
            yield pause
            pause = min(longest, pause * 2)
