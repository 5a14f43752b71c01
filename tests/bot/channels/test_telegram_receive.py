"""Polling and the webhook's registration: nothing is confirmed before it is committed."""

import gc
import json
import threading
import time
from collections import deque

import pytest

from bot.channels.telegram import TelegramChannel
from core.errors import SendLater, StoreError
from core.messages import Reply
from tests.payloads import update
from tests.providers import Providers
from tests.waiting import until

TOKEN = "123456:test-token"


@pytest.fixture
def providers():
    with Providers() as found:
        yield found


class Inbox:
    """Keeps what it accepts; raises the faults first."""

    def __init__(self, *faults):
        self.faults = deque(faults)
        self.texts = []
        self.tries = 0

    def __call__(self, inbound):
        self.tries += 1
        if self.faults:
            raise self.faults.popleft()
        self.texts.append(inbound.text)


@pytest.fixture
def begin(providers):
    made = []

    def start(accept, **more):
        channel = TelegramChannel(
            TOKEN,
            timeout=5,
            first_pause=0.02,
            **{"api_base": providers.base, "polling_timeout": 1, **more},
        )
        made.append(channel)
        channel.start(accept)
        return channel

    yield start
    for channel in made:
        channel.stop()


def test_polling_takes_everything_in_order(providers, begin):
    providers.give(*(update(n, text=f"m{n}") for n in range(1, 6)))
    inbox = Inbox()
    begin(inbox)
    until(lambda: len(inbox.texts) == 5)
    providers.give(update(6, text="m6"))
    until(lambda: len(inbox.texts) == 6)
    assert inbox.texts == [f"m{n}" for n in range(1, 7)]
    assert providers.called("deleteWebhook") == [{"drop_pending_updates": "false"}]
    until(lambda: 6 in providers.confirmed)


def test_an_update_is_confirmed_only_after_it_is_taken(providers, begin):
    held, go = threading.Event(), threading.Event()

    def accept(inbound):
        held.set()
        go.wait(20)

    providers.give(update(1, text="a"))
    begin(accept)
    assert held.wait(20)
    assert not providers.confirmed
    go.set()
    until(lambda: providers.confirmed == [1])


def test_a_store_that_is_down_is_waited_for(providers, begin):
    providers.give(update(1, text="a"), update(2, text="b"))
    inbox = Inbox(*[StoreError()] * 5)
    begin(inbox)
    until(lambda: inbox.texts == ["a", "b"])
    assert inbox.tries == 7


def test_one_poison_update_does_not_block_the_others(providers, begin):
    providers.give(update(1, text="a"), {"update_id": 2, "message": 5}, update(3, text="c"))
    inbox = Inbox(*[RuntimeError("a"), RuntimeError("a")] * 2, RuntimeError("a"))
    begin(inbox)
    until(lambda: inbox.texts == ["c"])


def test_after_a_quiet_time_lower_ids_are_fetched_too(providers, begin):
    inbox = Inbox()
    begin(inbox, polling_timeout=0)
    providers.give(update(900, text="a"))
    until(lambda: 900 in providers.confirmed)
    until(lambda: "offset" not in providers.called("getUpdates")[-1])
    providers.give(update(5, text="b"))
    until(lambda: inbox.texts == ["a", "b"])


@pytest.mark.parametrize("fault", ["409", "500", "401", "429", "garbage", "reset", "html403"])
def test_polling_survives(providers, begin, fault):
    providers.plan.retry_after = 0
    providers.faults["deleteWebhook"] = deque([fault])
    providers.faults["getUpdates"] = deque([fault, fault])
    providers.give(update(1, text="a"))
    inbox = Inbox()
    begin(inbox)
    until(lambda: inbox.texts == ["a"])


def test_a_token_that_is_not_accepted_says_what_to_do(providers, begin, caplog):
    caplog.set_level("INFO", logger="lafiya")
    providers.faults["deleteWebhook"] = deque(["401"])
    begin(Inbox())
    until(lambda: any("BotFather" in str(r.fields.get("advice")) for r in _lines(caplog)))
    assert TOKEN not in caplog.text


def test_a_second_poller_is_named(providers, begin, caplog):
    caplog.set_level("INFO", logger="lafiya")
    providers.faults["getUpdates"] = deque(["409"])
    begin(Inbox())
    until(lambda: any("another process" in str(r.fields.get("advice")) for r in _lines(caplog)))


def _lines(caplog):
    return [record for record in caplog.records if hasattr(record, "fields")]


def test_the_webhook_is_registered_with_its_secret(providers, begin):
    providers.faults["setWebhook"] = deque(["500", "reset"])
    begin(Inbox(), public_url="https://lafiya.example", secret="s3cret")
    until(lambda: providers.webhook)
    assert providers.webhook["url"] == "https://lafiya.example/webhooks/telegram"
    assert providers.webhook["secret_token"] == "s3cret"
    assert "callback_query" in providers.webhook["allowed_updates"]
    assert providers.webhook.get("drop_pending_updates", "false") == "false"
    assert not providers.called("getUpdates")
    assert not providers.called("deleteWebhook")


def test_the_bot_learns_its_name(providers, begin):
    providers.faults["getMe"] = deque(["500"])
    channel = begin(Inbox())
    group = {"id": -5, "type": "group", "title": "a"}
    until(lambda: channel.parse(update(1, chat=group, text="@LafiyaBot sannu")))


def test_stopping_at_any_moment_leaves_nothing_behind(providers, begin):
    for number in range(12):
        channel = begin(Inbox())
        channel.typing("77001")
        time.sleep(number / 200)
        channel.stop()
    gc.collect()  # a coroutine or a socket left behind would speak up here
    assert "telegram" not in [thread.name for thread in threading.enumerate()]


def test_stopping_ends_the_threads(providers, begin):
    inbox = Inbox()
    channel = begin(inbox)
    providers.give(update(1, text="a"))
    until(lambda: inbox.texts)
    channel.stop()
    names = [thread.name for thread in threading.enumerate()]
    assert "telegram" not in names


def test_blocking_is_logged_without_an_id(providers, begin, caplog):
    caplog.set_level("INFO", logger="lafiya")
    channel = begin(Inbox())
    kicked = {"chat": {"id": 77001}, "new_chat_member": {"status": "kicked"}}
    assert channel.parse({"update_id": 1, "my_chat_member": kicked}) is None
    assert [r.getMessage() for r in _lines(caplog)].count("telegram.left") == 1
    assert "77001" not in str([r.__dict__ for r in _lines(caplog)])


def test_the_commands_are_shown_behind_the_slash(providers, begin):
    begin(Inbox(), menu=[("taimako", "Yadda ake amfani"), ("goge", "A goge komai")])
    until(lambda: providers.called("setMyCommands"))
    [call] = providers.called("setMyCommands")
    assert json.loads(call["commands"]) == [
        {"command": "taimako", "description": "Yadda ake amfani"},
        {"command": "goge", "description": "A goge komai"},
    ]


def test_a_refused_menu_stops_nothing(providers, begin):
    providers.faults["setMyCommands"] = deque(["400"])
    providers.give(update(1, text="m1"))
    inbox = Inbox()
    begin(inbox, menu=[("taimako", "Yadda ake amfani")])
    until(lambda: inbox.texts == ["m1"])


@pytest.mark.parametrize(("status", "public_url"), [("401", ""), ("404", "https://a.example")])
def test_a_refused_token_is_named_until_it_is_accepted(providers, begin, status, public_url):
    providers.refusal = status
    channel = begin(Inbox(), public_url=public_url)
    until(lambda: "TELEGRAM_BOT_TOKEN" in channel.trouble())
    with pytest.raises(SendLater):
        channel.send("1", Reply("Sannu"))
    assert channel.trouble().count("TELEGRAM_BOT_TOKEN") == 1, "said once"
    providers.refusal = ""
    channel.send("1", Reply("Sannu"))
    until(lambda: channel.trouble() == "")


def test_a_way_that_is_closed_is_named(begin):
    channel = begin(Inbox(), api_base="http://127.0.0.1:1")
    until(lambda: "TELEGRAM_API_BASE" in channel.trouble())
