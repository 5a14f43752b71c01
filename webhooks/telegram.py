"""Telegram's webhook. 200 only after the message is committed.

An authentic update is answered with 200 even when it means nothing to us: Telegram repeats whatever
is refused for a day, and sends nothing else of that chat meanwhile.
"""

import hmac
import json
from typing import Any

from flask import Blueprint, abort, request

from bot.channels.telegram import TelegramChannel
from core.errors import Forged
from core.logs import crash
from core.messages import Inbound
from webhooks.service import Service

_SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the header's name


def routes(service: Service) -> Blueprint:
    """POST /webhooks/telegram."""
    room = Blueprint("telegram", __name__)

    @room.post("/webhooks/telegram", provide_automatic_options=False)
    def update() -> str:
        channel = service.channels.get("telegram")
        if not isinstance(channel, TelegramChannel):
            abort(404)
        _check_secret(channel.secret, request.headers.get(_SECRET_HEADER))
        inbound = _read(channel, _json_object(request.get_data(cache=False)))
        if inbound is not None:
            service.accept(inbound)
        return ""

    return room


def _check_secret(secret: str, given: str | None) -> None:
    if given is None:
        raise Forged("there is no secret header")
    if not secret or not hmac.compare_digest(given.encode("utf-8", "replace"), secret.encode()):
        raise Forged("the secret is wrong")


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        abort(400)
    if not isinstance(found, dict):
        abort(400)
    return found


def _read(channel: TelegramChannel, update: dict[str, Any]) -> Inbound | None:
    try:
        return channel.parse(update)
    except Exception as error:
        crash("telegram.unreadable", error)
        return None
