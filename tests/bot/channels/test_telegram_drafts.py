"""An answer growing in a Telegram chat: shown now and then, never in the way of the answer."""

import time
from collections import deque

import pytest

from bot.channels.split import utf16
from bot.channels.telegram import TelegramChannel
from bot.channels.telegram_drafts import PER_SECOND
from core.messages import Reply
from tests.providers import Providers
from tests.waiting import until

CHAT = "77001"
EVERY = 0.2


@pytest.fixture
def providers():
    with Providers() as found:
        yield found


@pytest.fixture
def channel(providers):
    found = TelegramChannel("123456:test", api_base=providers.base, draft_every=EVERY)
    found.send("1", Reply("connected"))
    yield found
    found.stop()


def calls(providers):
    return providers.called("sendMessageDraft")


def test_the_same_draft_grows_now_and_then(providers, channel):
    began = time.monotonic()
    for count in range(1, 41):
        channel.draft(7, CHAT, "A sha ruwa. " * count)
        time.sleep(0.02)
    until(lambda: calls(providers) and calls(providers)[-1]["text"] == "A sha ruwa. " * 40)
    most = 2 + (time.monotonic() - began) / EVERY
    assert 2 <= len(calls(providers)) <= most
    assert {(call["chat_id"], call["draft_id"]) for call in calls(providers)} == {(CHAT, "7")}
    lengths = [len(call["text"]) for call in calls(providers)]
    assert lengths == sorted(set(lengths))


def test_nothing_comes_after_the_reply(providers, channel):
    channel.draft(7, CHAT, "A sha ruwa.")
    until(lambda: calls(providers))
    channel.draft(7, CHAT, "A sha ruwa. A huta.")
    channel.draft(7, CHAT, "")
    channel.send(CHAT, Reply("A sha ruwa. A huta. Ku je asibiti."))
    time.sleep(3 * EVERY)
    assert len(calls(providers)) <= 2
    assert [name for name, _ in providers.calls][-1] == "sendMessage"


def test_a_draft_that_hangs_does_not_hold_up_the_reply(providers, channel):
    providers.faults["sendMessageDraft"] = deque(["hang"])
    channel.draft(7, CHAT, "A sha ruwa.")
    until(lambda: calls(providers))
    channel.draft(7, CHAT, "")
    began = time.monotonic()
    channel.send(CHAT, Reply("Amsa."))
    assert time.monotonic() - began < 2
    until(lambda: not channel._loop._ours, 1.5)
    time.sleep(2 * EVERY)
    assert len(calls(providers)) == 1


@pytest.mark.parametrize("fault", ["400", "403", "404", "500", "garbage", "reset"])
def test_a_draft_that_fails_is_given_up_and_the_reply_goes(providers, channel, fault):
    providers.faults["sendMessageDraft"] = deque([fault])
    channel.draft(7, CHAT, "A sha ruwa.")
    until(lambda: calls(providers))
    channel.draft(7, CHAT, "A sha ruwa. A huta.")
    time.sleep(2 * EVERY)
    assert len(calls(providers)) == 1
    assert channel.send(CHAT, Reply("Amsa.")).provider_id
    channel.draft(8, CHAT, "Wata amsar.")
    until(lambda: len(calls(providers)) == 2)


def test_flood_control_silences_every_draft_for_as_long_as_it_says(providers, channel):
    providers.faults["sendMessageDraft"] = deque(["429"])
    channel.draft(7, CHAT, "A sha ruwa.")
    until(lambda: calls(providers))
    time.sleep(0.1)
    channel.draft(8, "77002", "Wata amsar.")
    time.sleep(2 * EVERY)
    assert len(calls(providers)) == 1
    assert channel.send(CHAT, Reply("Amsa.")).provider_id
    time.sleep(1.0 - 2 * EVERY)
    channel.draft(9, "77003", "Ta uku.")
    until(lambda: len(calls(providers)) == 2)


@pytest.mark.parametrize("address", ["-1001234", "@channel", "", "٧٧"])
def test_only_private_chats_are_shown_drafts(providers, channel, address):
    channel.draft(7, address, "A sha ruwa.")
    channel.draft(8, CHAT, "Amsa.")
    until(lambda: calls(providers))
    assert [call["chat_id"] for call in calls(providers)] == [CHAT]


def test_a_draft_fits_into_one_message(providers, channel):
    channel.draft(7, CHAT, "🤒" * 3_000)
    until(lambda: calls(providers))
    assert utf16(calls(providers)[0]["text"]) == 4096


def test_many_drafts_leave_room_for_the_replies(providers, channel):
    began = time.monotonic()
    for number in range(1, 61):
        channel.draft(number, str(80_000 + number), "A sha ruwa.")
    time.sleep(0.5)
    assert 1 <= len(calls(providers)) <= 1 + PER_SECOND * (time.monotonic() - began)
    for number in range(1, 61):
        channel.draft(number, str(80_000 + number), "")


def test_a_channel_that_was_stopped_shows_nothing_and_does_not_complain(providers):
    found = TelegramChannel("123456:test", api_base=providers.base)
    found.stop()
    found.draft(7, CHAT, "A sha ruwa.")
    found.draft(7, CHAT, "")
    assert calls(providers) == []
