"""Telegram: python-telegram-bot on a loop of its own, behind the channel port.

Knows the Bot API. Does not split texts (can.text_limit says how long one may be, in UTF-16 units)
and does not wait for rate limits: whoever sends does both.
"""

import asyncio
import concurrent.futures
import functools
import logging
import ssl
import threading
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, TypeVar

import httpx

from bot.channels import telegram_out, telegram_parse
from bot.channels.base import Accept
from bot.channels.loop import LoopStopped, LoopThread
from bot.channels.telegram_drafts import EVERY, Previews
from bot.channels.telegram_faults import Request, meaning
from bot.channels.telegram_receive import Bot, Receiver, advice
from core.errors import SendDoubtful, SendError, SendLater
from core.logs import crash, event
from core.messages import Capabilities, Delivery, Inbound, Reply

T = TypeVar("T")
_CONNECTIONS = 128


class TelegramChannel:
    """One bot. Nothing happens, and no thread runs, before `start` or the first send."""

    def __init__(
        self,
        token: str,
        *,
        api_base: str = "https://api.telegram.org",
        public_url: str = "",
        secret: str = "",
        timeout: float = 10.0,
        polling_timeout: int = 30,
        first_pause: float = 0.5,
        draft_every: float = EVERY,
        menu: Sequence[tuple[str, str]] = (),
    ) -> None:
        """`menu` holds the (command, description) pairs that Telegram shows behind its / button."""
        self.secret = secret
        self._token = token
        self._api_base = api_base
        self._webhook_url = f"{public_url}/webhooks/telegram" if public_url else ""
        self._timeout = timeout
        self._polling_timeout = polling_timeout
        self._first_pause = first_pause
        self._menu = menu
        self._loop = LoopThread("telegram")
        self._bot: Bot | None = None
        self._me = telegram_parse.Me(id=_bot_id(token))
        self._previews = Previews(self._loop, self._client, draft_every)
        #: What each step waits for; a step that succeeds is gone from it.
        self._troubles: dict[str, str] = {}
        self._typing: set[str] = set()
        self._typing_lock = threading.Lock()

    @property
    def name(self) -> str:
        """`telegram`."""
        return telegram_parse.NAME

    @property
    def can(self) -> Capabilities:
        """Limits of the Bot API (sendMessage; core.telegram.org/bots/faq on rates)."""
        return Capabilities(
            text_limit=4096,
            max_buttons=8,
            typing=True,
            documents=True,
            drafts=True,
            edits=True,
            pictures=True,
            overall_per_s=30.0,
            chat_burst=1,
            chat_every_s=1.0,
        )

    def parse(self, update: Mapping[str, Any]) -> Inbound | None:
        """The message in an update, or None. Says in the log when somebody has left."""
        if telegram_parse.departed(update):
            event("telegram.left")
        return telegram_parse.parse(update, self._me)

    def start(self, accept: Accept) -> None:
        """Register the webhook, or poll, in the background."""
        self._loop.spawn(lambda: self._receive(accept))

    def stop(self) -> None:
        """Stop receiving and close connections."""
        self._loop.stop(self._close, timeout=self._timeout)

    def send(self, address: str, reply: Reply, *, template: bool = False) -> Delivery:
        """Send one message; Telegram has no templates. Raises SendError's children only."""
        return self._awaited(lambda: self._send(address, reply))

    def edit(self, address: str, provider_id: str, reply: Reply) -> None:
        """Replace a message; one that says so already is left. Raises SendError's children only."""
        self._awaited(lambda: self._edit(address, provider_id, reply))

    def typing(self, address: str) -> None:
        """Show "typing…" for five seconds; at most one request in flight for a chat."""
        with self._typing_lock:
            if address in self._typing:
                return
            self._typing.add(address)
        self._aside("typing", lambda: self._show_typing(address))

    def draft(self, number: int, address: str, text: str) -> None:
        """Show an answer growing, in a private chat; the reply replaces it."""
        self._previews.show(number, address, text)

    def acknowledge(self, inbound: Inbound) -> None:
        """Stop the spinner on a pressed button."""
        receipt = inbound.receipt
        if receipt:
            self._aside("press", lambda: self._client().answer_callback_query(receipt))

    def trouble(self) -> str:
        """What the receiver or the last send was refused for, and what to do."""
        return "; ".join(dict.fromkeys(self._troubles.copy().values()))

    def check(self) -> list[tuple[str, bool, str]]:
        """Ask Telegram who we are and where it sends updates."""
        try:
            future = self._loop.spawn(self._look)
            username, url = future.result(self._longest() * 2)
        except Exception as error:
            code = error.code if isinstance(error, SendError) else type(error).__name__
            advice = (
                "copy TELEGRAM_BOT_TOKEN again from BotFather"
                if code == "token"
                else f"see that TELEGRAM_API_BASE can be reached ({code})"
            )
            return [("Telegram token", False, advice)]
        fine = url == self._webhook_url
        advice = "" if fine else "start the service once: it registers the address by itself"
        what = "Telegram webhook" if self._webhook_url else "Telegram polling (no webhook set)"
        return [(f"Telegram token (@{username})", True, ""), (what, fine, advice)]

    def _client(self) -> Bot:
        """The bot, made inside the loop at its first use (it reads certificates: slow)."""
        if self._bot is None:
            self._bot = Bot(
                self._token,
                base_url=f"{self._api_base}/bot",
                request=self._request(_CONNECTIONS),
                get_updates_request=self._request(1),
            )
        return self._bot

    def _request(self, connections: int) -> Request:
        return Request(
            connection_pool_size=connections,
            connect_timeout=self._connect_timeout(),
            pool_timeout=self._connect_timeout(),
            read_timeout=self._timeout,
            write_timeout=self._timeout,
            httpx_kwargs={"verify": _certificates()},
        )

    def _connect_timeout(self) -> float:
        return min(5.0, self._timeout)

    def _longest(self) -> float:
        """Waiting for a connection, making it, and the answer; a trickling answer ends here too."""
        return 2 * self._connect_timeout() + self._timeout

    def _awaited(self, make: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The result of a call in the loop. Raises SendError's children only."""
        try:
            future = self._loop.spawn(make)
        except LoopStopped:
            raise SendLater("stopped", code="stopped") from None
        try:
            return future.result(self._longest() + 1)
        except SendError:
            raise
        except (concurrent.futures.TimeoutError, concurrent.futures.CancelledError):
            future.cancel()
            raise SendDoubtful("cut off", code="cut_off") from None

    async def _edit(self, address: str, provider_id: str, reply: Reply) -> None:
        try:
            async with asyncio.timeout(self._longest()):
                await telegram_out.edit(self._client(), address, provider_id, reply)
        except Exception as error:
            raise meaning(error) from None

    async def _send(self, address: str, reply: Reply) -> Delivery:
        try:
            async with asyncio.timeout(self._longest()):
                message = await telegram_out.send(self._client(), address, reply)
        except Exception as error:
            fault = meaning(error)
            if fault.code == "token":
                self._troubles["sending"] = advice("token")
            raise fault from None
        self._troubles.pop("sending", None)
        return Delivery(str(message.message_id))

    async def _show_typing(self, address: str) -> None:
        try:
            await self._client().send_chat_action(address, "typing")
        finally:
            with self._typing_lock:
                self._typing.discard(address)

    def _aside(self, what: str, call: Callable[[], Awaitable[object]]) -> None:
        """Start a call whose result nobody waits for; a failure is a debug line."""

        async def quietly() -> None:
            try:
                async with asyncio.timeout(self._longest()):
                    await call()
            except Exception as error:
                cause = meaning(error).code
                event("telegram.aside", level=logging.DEBUG, what=what, cause=cause)

        try:
            self._loop.spawn(quietly)
        except LoopStopped:
            event("telegram.aside", level=logging.DEBUG, what=what, cause="stopped")

    async def _receive(self, accept: Accept) -> None:
        """For ever: what no step foresaw is logged, and all begins anew."""
        receiver = Receiver(
            self._client(), self.parse, first_pause=self._first_pause, troubles=self._troubles
        )
        while True:
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._introduce(receiver))
                    if self._webhook_url:
                        group.create_task(receiver.webhook(self._webhook_url, self.secret))
                    else:
                        group.create_task(receiver.poll(accept, self._polling_timeout))
            except Exception as error:
                crash("telegram.receive", error)
                await asyncio.sleep(self._first_pause)

    async def _introduce(self, receiver: Receiver) -> None:
        """Learn our user name, by which groups address us, and show our commands."""
        user = await receiver.patiently("introduction", self._client().get_me)
        self._me = telegram_parse.Me(id=user.id, username=user.username or "")
        if self._menu:
            self._aside("menu", lambda: self._client().set_my_commands(list(self._menu)))

    async def _look(self) -> tuple[str, str]:
        try:
            me = await self._client().get_me()
            return me.username or "", (await self._client().get_webhook_info()).url
        except Exception as error:
            raise meaning(error) from None

    async def _close(self) -> None:
        if self._bot is not None:
            await self._bot.close_connections()


@functools.cache
def _certificates() -> ssl.SSLContext:
    """Read once: every client would read them again, a tenth of a second each time."""
    return httpx.create_ssl_context()


def _bot_id(token: str) -> int | None:
    """A token begins with the bot's id."""
    number = token.partition(":")[0]
    return int(number) if number.isascii() and number.isdigit() else None
