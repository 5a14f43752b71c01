"""What a page may send, checked strictly, and the sentence for each thing that is refused.

Pure: knows no route and no store.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from bot.channels import web
from bot.channels.words import clean
from core.errors import BadRequest
from core.messages import Inbound

LONGEST = 4_000
_SESSION = re.compile(r"[A-Za-z0-9_-]{22,128}")
_ID = re.compile(r"[A-Za-z0-9_-]{16,64}")
_CHOICE = re.compile(r"[A-Za-z0-9:._-]{1,64}")
_NAME = re.compile(r"\w[\w.-]{0,63}")
_NUMBER = re.compile(r"\d{1,18}")
_FIELDS = frozenset({"id", "text", "choice"})


class Refused(BadRequest):
    """Refused with a status, and a sentence (its key) for the person."""

    def __init__(self, key: str, status: int = 400, after: float = 0.0) -> None:
        super().__init__(key)
        self.key, self.status, self.after = key, status, after


def json_object(is_json: bool, raw: bytes) -> Any:
    """What a body says that is sent as JSON. Raises Refused."""
    if not is_json:
        raise Refused("page-unreadable", 415)
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        raise Refused("page-unreadable") from None


def words(given: object, name: str, most: int) -> str:
    """A text in a JSON object, cleaned; "" when it is left out. Raises Refused."""
    found = given.get(name) or "" if isinstance(given, Mapping) else None
    if not isinstance(found, str) or len(found) > most:
        raise Refused("page-unreadable")
    return clean(found).strip()


def name(given: object) -> str:
    """What a run or a release can be called. Raises Refused."""
    return _fitting(_NAME, given)


def session(given: object) -> str:
    """The session's token. Raises Refused."""
    return _fitting(_SESSION, given)


def after(given: str | None) -> int:
    """The id after which messages are wanted. Raises Refused."""
    return int(_fitting(_NUMBER, given or "0"))


def message(token: str, given: object) -> Inbound:
    """The message in a JSON object {id, text, choice}. Raises Refused.

    A choice travels with its label as `text`, so that the conversation can be read again.
    """
    if not isinstance(given, Mapping) or set(given) - _FIELDS:
        raise Refused("page-unreadable")
    choice = given.get("choice")
    return web.inbound(
        token,
        _fitting(_ID, given.get("id")),
        _text(given.get("text", "" if choice else None), bool(choice)),
        None if choice is None else _fitting(_CHOICE, choice),
    )


def form(fields: Mapping[str, str]) -> Inbound | None:
    """The message in the page's form; None when nothing was written. Raises Refused.

    `choice` ("id|label"), `say` and `look` are buttons, `text` is the field.
    """
    token, number = session(fields.get("session")), fields.get("id")
    if "look" in fields:
        return None
    if fields.get("choice"):
        choice, _, label = fields["choice"].partition("|")
        return message(token, {"id": number, "choice": choice, "text": label})
    text = fields.get("say") or fields.get("text", "")
    return message(token, {"id": number, "text": text}) if text.strip() else None


def _text(given: object, may_be_empty: bool) -> str:
    if not isinstance(given, str):
        raise Refused("page-unreadable")
    text = clean(given).strip()
    if len(text) > LONGEST:
        raise Refused("too-long", 413)
    if not text and not may_be_empty:
        raise Refused("empty")
    return text


def _fitting(pattern: re.Pattern[str], given: object) -> str:
    if not isinstance(given, str) or not pattern.fullmatch(given) or not given.isascii():
        raise Refused("page-unreadable")
    return given
