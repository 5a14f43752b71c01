"""Telegram's updates, read into our words. Pure: no network, no clock.

Field names are the Bot API's (core.telegram.org/bots/api, version 10.1). Nothing here
raises for any JSON object, for an update that is answered with an error blocks its chat for a day.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.channels.words import clean
from core.messages import Inbound, Kind

NAME = "telegram"
Json = Mapping[str, Any]

#: What a message may carry besides text, the most telling field first (an animation is also sent
#: as a document, a venue as a location).
_KINDS = {
    "sticker": Kind.STICKER,
    "photo": Kind.PHOTO,
    "live_photo": Kind.PHOTO,
    "voice": Kind.VOICE,
    "audio": Kind.VOICE,
    "video_note": Kind.VOICE,
    "video": Kind.VIDEO,
    "animation": Kind.VIDEO,
    "document": Kind.DOCUMENT,
    "location": Kind.LOCATION,
    "venue": Kind.LOCATION,
    "contact": Kind.CONTACT,
    **dict.fromkeys(
        ("poll", "dice", "game", "story", "paid_media", "checklist", "invoice", "gift"), Kind.OTHER
    ),
}
#: What a message may have beside its content: what is left over is content we do not know.
_ENVELOPE = """
message_id message_thread_id from sender_chat date chat edit_date reply_to_message quote
forward_origin external_reply is_from_offline is_topic_message has_protected_content
media_group_id caption caption_entities entities reply_markup sender_tag effect_id
link_preview_options show_caption_above_media has_media_spoiler
"""
#: Notes of Telegram's own in a private chat: nobody waits for an answer to them.
_SERVICE = """
pinned_message message_auto_delete_timer_changed write_access_allowed connected_website
chat_background_set boost_added migrate_to_chat_id migrate_from_chat_id new_chat_members
left_chat_member new_chat_title new_chat_photo delete_chat_photo group_chat_created
supergroup_chat_created channel_chat_created forum_topic_created forum_topic_edited
forum_topic_closed forum_topic_reopened successful_payment refunded_payment passport_data
proximity_alert_triggered users_shared chat_shared
"""
_NO_CONTENT = frozenset((_ENVELOPE + _SERVICE).split())
_COMMAND = re.compile(r"^(/\w+)(?:@(\w+))?")
_LAST_SECOND = datetime(2200, 1, 1, tzinfo=UTC).timestamp()


@dataclass(frozen=True, slots=True)
class Me:
    """Who the bot is: its id (in the token) and its user name, once Telegram has told it."""

    id: int | None = None
    username: str = ""


def parse(update: Json, me: Me = Me()) -> Inbound | None:
    """The message in an update, or None when there is nothing to answer.

    Private chats are answered; in groups only what is addressed to the bot, as `Kind.GROUP`.
    """
    number = _whole(update.get("update_id"))
    if number is None or number < 0:
        return None
    if isinstance(update.get("callback_query"), Mapping):
        return _press(f"u{number}", update["callback_query"])
    for field, edited in (("message", False), ("edited_message", True)):
        if isinstance(update.get(field), Mapping):
            return _message(f"u{number}", update[field], edited, me)
    return None


def departed(update: Json) -> bool:
    """Whether the update says that a person blocked the bot (or a group removed it)."""
    status = _get(_get(_get(update, "my_chat_member"), "new_chat_member"), "status")
    return status in ("kicked", "left")


def _message(external_id: str, message: Json, edited: bool, me: Me) -> Inbound | None:
    chat, kind = _get(message, "chat"), _kind(message)
    chat_id = _whole(_get(chat, "id"))
    if chat_id is None or kind is None or _get(_get(message, "from"), "is_bot") is True:
        return None
    text = _text(message)
    if not _private(chat):
        if edited or not _addressed(message, text, me):
            return None
        kind = Kind.GROUP
    return Inbound(
        channel=NAME,
        external_id=external_id,
        sender=str(chat_id),
        address=str(chat_id),
        kind=kind,
        text=text,
        name=_name(_get(message, "from")) or _name(chat),
        sent_at=_time(message.get("edit_date" if edited else "date")),
        edited=edited,
    )


def _press(external_id: str, query: Json) -> Inbound | None:
    """A pressed button. Its message may be missing: then the presser is the chat."""
    choice, receipt = clean(query.get("data")), clean(query.get("id"))
    message, person = _get(query, "message"), _get(query, "from")
    chat = _get(message, "chat")
    if not choice or _get(chat, "type") not in (None, "private"):
        return None
    chat_id = _whole(_get(chat, "id"))
    if chat_id is None:
        chat_id = _whole(_get(person, "id"))
    if chat_id is None:
        return None
    return Inbound(
        channel=NAME,
        external_id=external_id,
        sender=str(chat_id),
        address=str(chat_id),
        kind=Kind.CHOICE,
        text=_label(message, choice),
        choice=choice,
        name=_name(person),
        receipt=receipt or None,
    )


def _private(chat: object) -> bool:
    """Ids of groups and channels are negative, should the type ever be left out."""
    kind, chat_id = _get(chat, "type"), _whole(_get(chat, "id"))
    return kind == "private" or (kind is None and chat_id is not None and chat_id > 0)


def _kind(message: Json) -> Kind | None:
    if isinstance(message.get("text"), str):
        return Kind.TEXT
    for field, kind in _KINDS.items():
        if message.get(field) is not None:
            return kind
    return Kind.OTHER if set(message) - _NO_CONTENT else None


def _text(message: Json) -> str:
    text = clean(message.get("text")) or clean(message.get("caption"))
    return _COMMAND.sub(r"\1", text)


def _addressed(message: Json, text: str, me: Me) -> bool:
    """By a command, a mention or a reply to the bot. A command for another bot is not ours."""
    raw = clean(message.get("text")) or clean(message.get("caption"))
    command = _COMMAND.match(raw)
    if command:
        return not command[2] or command[2].casefold() == me.username.casefold()
    if me.username and re.search(rf"(?<!\w)@{re.escape(me.username)}\b", raw, re.IGNORECASE):
        return True
    author = _get(_get(message, "reply_to_message"), "from")
    return me.id is not None and _whole(_get(author, "id")) == me.id


def _label(message: object, choice: str) -> str:
    rows = _get(_get(message, "reply_markup"), "inline_keyboard")
    for row in rows if isinstance(rows, list) else ():
        for button in row if isinstance(row, list) else ():
            if _get(button, "callback_data") == choice:
                return clean(_get(button, "text"))
    return ""


def _name(person: object) -> str:
    parts = (clean(_get(person, "first_name")), clean(_get(person, "last_name")))
    return " ".join(part for part in parts if part)


def _time(seconds: object) -> datetime | None:
    number = _whole(seconds)
    if number is None or not 0 < number < _LAST_SECOND:
        return None
    return datetime.fromtimestamp(number, UTC)


def _get(value: object, field: str) -> Any:
    return value.get(field) if isinstance(value, Mapping) else None


def _whole(value: object) -> int | None:
    """Ids have up to 52 bits; anything beyond 64 would break a column."""
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 2**63:
        return None
    return value
