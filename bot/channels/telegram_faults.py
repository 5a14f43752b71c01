"""What each way of failing against the Bot API means for a reply.

python-telegram-bot's own tree is too coarse to trust: BadRequest and TimedOut are NetworkErrors, a
429 without its waiting time and every 5xx are bare NetworkErrors without the status, and an
unreadable 200 is a plain TelegramError (seen against a local server, python-telegram-bot 22.8).
So the request class below names the status, and `meaning` decides. Foreign words never pass on:
they may quote the URL, which holds the token, or the chat.
"""

import json
import re
from typing import Any

import httpx
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    RetryAfter,
    TelegramError,
)
from telegram.request import HTTPXRequest, RequestData

from core.errors import SendDoubtful, SendError, SendLater, SendRefused

#: Failures before a single byte of the request went out.
_NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)
_NAMED_BY_PTB = frozenset({400, 401, 403, 404, 409})
_GONE = ("chat not found", "user is deactivated", "user not found", "peer_id_invalid")


class Answered(TelegramError):
    """The server answered with a status that the library would not tell apart."""

    def __init__(self, status: int, after: float | None = None) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status
        self.after = after


class Request(HTTPXRequest):
    """httpx, as the library uses it, with the status kept."""

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        *args: Any,
        **more: Any,
    ) -> tuple[int, bytes]:
        """Send one request. Raises Answered for 3xx, 429, 5xx and rare 4xx."""
        status, payload = await super().do_request(url, method, request_data, *args, **more)
        if 200 <= status <= 299 or status in _NAMED_BY_PTB:
            return status, payload
        raise Answered(status, _wait(payload))


def _wait(payload: bytes) -> float | None:
    """`parameters.retry_after`, or the number in the words, of a flood answer (0 says nothing)."""
    text = payload[:4096].decode("utf-8", "replace")
    try:
        seconds = json.loads(text)["parameters"]["retry_after"]
        return float(seconds) or None
    except (ValueError, TypeError, LookupError):
        found = re.search(r"retry after (\d{1,6})", text, re.IGNORECASE)
        return float(found[1]) or None if found else None


def meaning(error: BaseException) -> SendError:
    """What becomes of a reply whose sending ended like this."""
    if isinstance(error, Answered):
        return _of_status(error.status, error.after)
    if isinstance(error, TelegramError) and isinstance(error.__cause__, TelegramError):
        return _of_unreadable(error)
    if isinstance(error, Forbidden):
        return SendRefused("blocked or left", code="403", gone=True)
    if isinstance(error, BadRequest):
        gone = any(sign in error.message.casefold() for sign in _GONE)
        return SendRefused("bad request", code="400", gone=gone)
    if isinstance(error, ChatMigrated):
        return SendRefused("the group has moved", code="migrated")
    if isinstance(error, InvalidToken):
        return SendLater("the bot token is not accepted", code="token")
    if isinstance(error, RetryAfter | Conflict):
        return SendLater("not now", code=type(error).__name__)
    if isinstance(error.__cause__, _NOT_SENT):
        return SendLater("not connected", code=type(error.__cause__).__name__)
    return SendDoubtful("no readable answer", code=type(error.__cause__ or error).__name__)


def _of_status(status: int, after: float | None) -> SendError:
    if status == 429:
        return SendLater("flood control", code="429", after=after)
    if status == 504:  # a gateway gave up waiting: the server behind it may have sent the message
        return SendDoubtful("gateway time-out", code="504")
    if status >= 500 or status < 400 or status == 408:
        return SendLater("server trouble", code=str(status), after=after)
    return SendRefused("refused", code=str(status))


def _of_unreadable(error: TelegramError) -> SendError:
    """A 4xx that is no JSON came from something in between (a proxy, a wrong address)."""
    if isinstance(error, Forbidden | BadRequest | InvalidToken | Conflict):
        return SendLater("not Telegram's answer", code="proxy")
    return SendDoubtful("no readable answer", code=type(error).__name__)
