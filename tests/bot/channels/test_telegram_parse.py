"""Telegram's updates in, our messages out."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.telegram_parse import Me, departed, parse
from core.messages import Inbound, Kind
from tests.payloads import press, update

ME = Me(id=123456, username="LafiyaBot")
WHEN = datetime.fromtimestamp(1_795_000_000, UTC)
GROUP = {"id": -100500, "type": "supergroup", "title": "Unguwa"}
FILE = {"file_id": "x", "file_unique_id": "y", "file_size": 10}
BOT = {"id": 123456, "is_bot": True, "first_name": "Lafiya", "username": "LafiyaBot"}


def _in(**more):
    fields = {
        "channel": "telegram",
        "external_id": "u1",
        "sender": "77001",
        "address": "77001",
        "name": "Amina Test",
        "sent_at": WHEN,
        **more,
    }
    return Inbound(**fields)


PRIVATE = [
    ("text", {"text": "Ina jin zazzaɓi"}, _in(text="Ina jin zazzaɓi")),
    ("a command", {"text": "/start"}, _in(text="/start")),
    ("a command with our name", {"text": "/start@LafiyaBot abc"}, _in(text="/start abc")),
    ("an address is no command", {"text": "a /b@c d@e.org"}, _in(text="a /b@c d@e.org")),
    ("sticker", {"sticker": {**FILE, "emoji": "👍"}}, _in(kind=Kind.STICKER)),
    (
        "photo with words",
        {"photo": [FILE], "caption": "Kuraje"},
        _in(kind=Kind.PHOTO, text="Kuraje"),
    ),
    ("photo", {"photo": [FILE]}, _in(kind=Kind.PHOTO)),
    ("voice note", {"voice": {**FILE, "duration": 3}}, _in(kind=Kind.VOICE)),
    ("audio", {"audio": FILE, "caption": "ji"}, _in(kind=Kind.VOICE, text="ji")),
    ("video note", {"video_note": FILE}, _in(kind=Kind.VOICE)),
    ("video", {"video": FILE}, _in(kind=Kind.VIDEO)),
    (
        "animation comes as a document too",
        {"animation": FILE, "document": FILE},
        _in(kind=Kind.VIDEO),
    ),
    ("document", {"document": FILE}, _in(kind=Kind.DOCUMENT)),
    ("location", {"location": {"latitude": 12.0, "longitude": 8.5}}, _in(kind=Kind.LOCATION)),
    ("venue comes with a location", {"venue": {}, "location": {}}, _in(kind=Kind.LOCATION)),
    ("contact", {"contact": {"phone_number": "1"}}, _in(kind=Kind.CONTACT)),
    ("poll", {"poll": {"id": "1"}}, _in(kind=Kind.OTHER)),
    ("dice", {"dice": {"emoji": "🎲", "value": 3}}, _in(kind=Kind.OTHER)),
    ("content of tomorrow", {"hologram": {}}, _in(kind=Kind.OTHER)),
    ("forwarded text", {"text": "a", "forward_origin": {"type": "user"}}, _in(text="a")),
    ("no from: the chat's name", {"from": None, "text": "a"}, _in(text="a")),
    ("a chat of no type", {"text": "a", "chat": {"id": 77001}}, _in(text="a")),
    ("no date", {"date": None, "text": "a"}, _in(text="a", sent_at=None)),
    ("a date beyond time", {"date": 10**18, "text": "a"}, _in(text="a", sent_at=None)),
    ("half a surrogate pair", {"text": "a\ud800b"}, _in(text="a\ufffdb")),
    ("NUL", {"text": "a\0b"}, _in(text="a\ufffdb")),
    ("empty text", {"text": ""}, _in()),
]


@pytest.mark.parametrize(("label", "message", "expected"), PRIVATE, ids=[p[0] for p in PRIVATE])
def test_a_private_message(label, message, expected):
    assert parse(json.loads(json.dumps(update(1, **message))), ME) == expected


def test_ids_of_52_bits():
    assert parse(update(2**31, 2**52 - 1, text="a")).address == str(2**52 - 1)


def test_an_edit_is_a_message_of_its_own():
    edit = update(2, text="Ina jin ciwo", edit_date=1_795_000_060)
    edit["edited_message"] = edit.pop("message")
    found = parse(edit, ME)
    assert (found.external_id, found.edited, found.text) == ("u2", True, "Ina jin ciwo")
    assert found.sent_at.timestamp() == 1_795_000_060


IGNORED = [
    ("pinned message", update(1, pinned_message={"message_id": 1})),
    ("timer", update(1, message_auto_delete_timer_changed={"message_auto_delete_time": 1})),
    ("an empty message", update(1)),
    ("a bot", update(1, text="a", **{"from": {"id": 5, "is_bot": True}})),
    ("no chat", update(1, text="a", chat=None)),
    ("a group of no type", update(1, text="a", chat={"id": -5})),
    ("a chat id as text", update(1, text="a", chat={"id": "77001", "type": "private"})),
    ("a chat id that is true", update(1, text="a", chat={"id": True, "type": "private"})),
    ("a chat id beyond 64 bits", update(1, text="a", chat={"id": 2**63, "type": "private"})),
    ("no update id", {"message": update(1, text="a")["message"]}),
    ("a negative update id", update(-1, text="a")),
    ("a channel post", {"update_id": 1, "channel_post": update(1, text="a")["message"]}),
    ("blocked", {"update_id": 1, "my_chat_member": {"new_chat_member": {"status": "kicked"}}}),
    ("a reaction", {"update_id": 1, "message_reaction": {}}),
    ("nothing", {"update_id": 1}),
    ("empty", {}),
    ("message is a list", {"update_id": 1, "message": []}),
]


@pytest.mark.parametrize(("label", "payload"), IGNORED, ids=[i[0] for i in IGNORED])
def test_not_for_an_answer(label, payload):
    assert parse(payload, ME) is None


GROUPS = [
    ("a mention", {"text": "@lafiyabot ina jin zazzabi"}, True),
    ("a mention in a caption", {"photo": [FILE], "caption": "me ne @LafiyaBot?"}, True),
    ("a command", {"text": "/start"}, True),
    ("a command to us", {"text": "/start@LafiyaBot"}, True),
    ("a reply to us", {"text": "na gode", "reply_to_message": {"from": BOT}}, True),
    ("talk among people", {"text": "Sannunku"}, False),
    ("a command to another bot", {"text": "/start@OtherBot"}, False),
    ("a longer name", {"text": "@LafiyaBotTwo sannu"}, False),
    ("a mail address", {"text": "a@LafiyaBot"}, False),
    ("a reply to a person", {"text": "a", "reply_to_message": {"from": {"id": 5}}}, False),
    ("somebody joined", {"new_chat_members": [BOT]}, False),
    ("a sticker", {"sticker": FILE}, False),
]


@pytest.mark.parametrize(("label", "message", "ours"), GROUPS, ids=[g[0] for g in GROUPS])
def test_in_a_group_only_what_is_addressed_to_us(label, message, ours):
    found = parse(update(1, chat=GROUP, **message), ME)
    assert (found is not None) is ours
    if found:
        assert (found.kind, found.address, found.sender) == (Kind.GROUP, "-100500", "-100500")


def test_an_edit_in_a_group_is_passed_over():
    edit = update(1, chat=GROUP, text="/start")
    edit["edited_message"] = edit.pop("message")
    assert parse(edit, ME) is None


def test_before_telegram_told_our_name_a_command_without_name_is_ours():
    assert parse(update(1, chat=GROUP, text="/start")) is not None
    assert parse(update(1, chat=GROUP, text="/start@LafiyaBot")) is None


PRESSES = [
    ("with its message", {}, "77001", "Na yarda"),
    ("without a message", {"message": None}, "77001", ""),
    (
        "inaccessible message",
        {"message": {"chat": {"id": 5, "type": "private"}, "date": 0}},
        "5",
        "",
    ),
    ("unknown button", {"data": "later"}, "77001", ""),
]


@pytest.mark.parametrize(
    ("label", "query", "address", "text"), PRESSES, ids=[p[0] for p in PRESSES]
)
def test_a_press(label, query, address, text):
    found = parse(press(7, query.pop("data", "yes"), **query), ME)
    assert (found.kind, found.address, found.text) == (Kind.CHOICE, address, text)
    assert (found.external_id, found.receipt) == ("u7", "4382bfdwdsb7")


@pytest.mark.parametrize(
    ("label", "query"),
    [
        ("a game", {"data": ""}),
        ("nobody", {"message": None, "from": None}),
        ("in a group", {"message": {"chat": GROUP, "date": 1}}),
    ],
)
def test_a_press_that_means_nothing(label, query):
    assert parse(press(7, query.pop("data", "yes"), **query), ME) is None


@pytest.mark.parametrize(
    ("status", "gone"), [("kicked", True), ("left", True), ("member", False), (None, False)]
)
def test_departed(status, gone):
    assert (
        departed({"update_id": 1, "my_chat_member": {"new_chat_member": {"status": status}}})
        is gone
    )


def test_departed_of_nothing():
    assert departed({"my_chat_member": 3}) is False


NAMES = (
    "update_id message edited_message callback_query my_chat_member chat id from type text caption"
    " data date edit_date photo sticker reply_to_message reply_markup inline_keyboard first_name"
    " new_chat_member status callback_data private is_bot"
)
FIELDS = st.sampled_from(NAMES.split())
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | FIELDS
ANY = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=5)
)


@settings(deadline=None)
@given(st.dictionaries(FIELDS, ANY, max_size=6))
def test_never_raises_for_any_json(payload):
    payload.setdefault("update_id", 1)
    departed(payload)
    found = parse(payload, ME)
    if found is not None:
        found.text.encode()
        found.name.encode()
