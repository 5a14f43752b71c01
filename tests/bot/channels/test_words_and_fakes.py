"""Clean text, numbered choices, and the channel in memory."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.base import Channel
from bot.channels.fakes import FakeChannel
from bot.channels.telegram import TelegramChannel
from bot.channels.twilio import TwilioChannel
from bot.channels.words import clean, numbered
from core.errors import SendLater
from core.messages import Choice, Inbound, Reply


@pytest.mark.parametrize(
    ("label", "value", "expected"),
    [
        ("hooked letters stay", "ƙwarai ɗan 'yar", "ƙwarai ɗan 'yar"),
        ("a pair of surrogates is one character", "\ud83d\ude00", "😀"),
        ("half a pair", "a\udc00", "a\ufffd"),
        ("NUL", "\0", "\ufffd"),
        ("a number", 5, ""),
        ("nothing", None, ""),
    ],
)
def test_clean(label, value, expected):
    assert clean(value) == expected


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=[])))
def test_clean_can_always_be_stored(text):
    assert "\0" not in clean(text)
    clean(text).encode()
    assert clean(clean(text)) == clean(text)


@pytest.mark.parametrize(
    ("text", "labels", "expected"),
    [("a", [], "a"), ("a", ["b", "c"], "a\n\n1. b\n2. c"), ("", ["b"], "1. b")],
)
def test_numbered(text, labels, expected):
    assert numbered(text, [Choice("x", label) for label in labels]) == expected


def test_every_channel_keeps_to_the_port():
    channels: list[Channel] = [
        FakeChannel(),
        TelegramChannel("1:a"),
        TwilioChannel("AC0", "a", "+1"),
    ]
    assert [channel.name for channel in channels] == ["telegram", "telegram", "whatsapp"]
    assert [channel.can.text_limit for channel in channels] == [4096, 4096, 1600]
    for channel in channels[1:]:
        assert [n for n in dir(Channel) if not n.startswith("_") and not hasattr(channel, n)] == []


def test_the_fake_sends_fails_and_receives():
    fake, got = FakeChannel(), []
    fake.start(got.append)
    message = Inbound("telegram", "u1", "1", "1", text="a")
    fake.deliver(message)
    assert got == [message]
    fake.fail_next(SendLater(), None)
    with pytest.raises(SendLater):
        fake.send("1", Reply("a"))
    assert fake.send("1", Reply("b")).provider_id == "fake-1"
    fake.send("2", Reply("c"), template=True)
    assert (fake.texts(), fake.texts("2")) == (["b", "c"], ["c"])
    fake.stop()
    with pytest.raises(RuntimeError):
        fake.deliver(message)
