"""The small parts: bells, threads, typing signs, links to one's data."""

import threading
import time
from dataclasses import replace

import pytest

from bot.bell import Bell
from bot.channels.fakes import FakeChannel
from bot.links import MAX_AGE, DataLinks
from bot.runner import Runner
from bot.typing import EVERY, FIRST_AFTER, TypingSigns
from core.errors import StoreError
from core.messages import Document, Reply
from storage import outbox, people, threads
from storage.store import Store
from tests.bot.conftest import WHATSAPP, House, MakeHouse


def test_a_ring_wakes_and_an_unheard_one_is_kept() -> None:
    bell = Bell()
    assert not bell.wait(0)
    bell.ring()
    assert bell.wait(0)
    assert not bell.wait(0)


def test_rings_beyond_what_is_kept_are_dropped() -> None:
    bell = Bell(keep=2)
    for _ in range(5):
        bell.ring()
    assert [bell.wait(0) for _ in range(3)] == [True, True, False]
    bell.ring()
    assert bell.wait(0)


@pytest.mark.parametrize("fault", [StoreError("database: gone"), RuntimeError("secret words")])
def test_a_step_that_fails_is_logged_and_tried_again(
    fault: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    done, tries = threading.Event(), []

    def step() -> bool:
        tries.append(1)
        if len(tries) == 1:
            raise fault
        done.set()
        return False

    runner = Runner()
    runner.run("worker", 1, step, Bell())
    assert done.wait(5)
    runner.stop()
    assert caplog.messages in (["store.down"], ["thread.failed"])
    assert "secret words" not in str([record.__dict__ for record in caplog.records])


def test_stopping_waits_for_what_is_in_hand() -> None:
    begun, ended = threading.Event(), threading.Event()

    def step() -> bool:
        begun.set()
        time.sleep(0.2)
        ended.set()
        return False

    runner = Runner()
    runner.run("worker", 2, step, Bell())
    assert begun.wait(5)
    runner.stop()
    assert ended.is_set()
    assert not any(thread.is_alive() for thread in runner._threads)


def test_a_channel_is_stopped_after_the_senders(house: House) -> None:
    """A send that is cut off is a doubt, and so a reply sent twice."""
    order: list[str] = []

    class Watched(FakeChannel):
        def stop(self) -> None:
            alive = [thread for thread in house.app.runner._threads if thread.is_alive()]
            order.append("senders alive" if alive else "senders done")

    assert isinstance(house.app.channels, dict)
    house.app.channels["telegram"] = Watched()
    house.app.start_working()
    house.app.stop()
    assert order == ["senders done"]


def test_typing_is_shown_after_a_moment_and_again() -> None:
    channel = FakeChannel()
    signs = TypingSigns({"telegram": channel})
    with signs.shown("telegram", "1"):
        now = time.monotonic()
        signs.tick(now)
        assert channel.typed == []
        signs.tick(now + FIRST_AFTER + 0.1)
        signs.tick(now + FIRST_AFTER + 0.2)
        assert channel.typed == ["1"]
        signs.tick(now + FIRST_AFTER + EVERY + 0.2)
        assert channel.typed == ["1", "1"]
    signs.tick(now + 100)
    assert channel.typed == ["1", "1"]


@pytest.mark.parametrize("name", ["unknown", "quiet"])
def test_typing_is_not_shown_where_it_cannot_be(name: str, house: House) -> None:
    signs = TypingSigns({"quiet": house.whatsapp})
    with signs.shown(name, "1"):
        signs.tick(time.monotonic() + 100)
    assert house.whatsapp.typed == []


def test_a_link_opens_what_it_was_made_for(house: House) -> None:
    house.say("taimako", "1")
    house.say("harshe", "2")
    links = DataLinks(house.app.store, "https://lafiya.example/")
    address = links.make(1)
    assert address.startswith("https://lafiya.example/data/")
    token = address.rpartition("/")[2]
    data = links.open(token) or ""
    assert "taimako" in data
    assert "harshe" not in data


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "WzEsMV0.x.y", "\ud800", "\0", "é" * 300])
def test_a_forged_link_opens_nothing(house: House, token: str) -> None:
    house.say("taimako")
    assert house.app.data(token) is None


def test_a_link_of_another_service_opens_nothing(house: House, store: Store) -> None:
    house.say("taimako")
    stranger = house.app.links._signer.__class__("another secret", salt="my-data")
    assert house.app.data(stranger.dumps([1, None])) is None
    assert MAX_AGE == 24 * 3600


PNG = b"\x89PNG\r\n\x1a\n\xff\x00"


def pictured(house: House) -> str:
    """A picture went out to somebody on WhatsApp; the path of its link."""
    house.say("taimako", channel="whatsapp")
    with house.app.store.write() as connection:
        line = people.line(connection, 1)
        said = threads.add_reply(connection, house.app.store, line, "zane", now=house.now)
        part = Reply("zane", document=Document("r1.png", PNG))
        outbox.enqueue(
            connection,
            house.app.store,
            line,
            said,
            [part],
            urgent=False,
            now=house.now,
            expires_at=house.now + 60,
        )
    house.whatsapp.can = replace(WHATSAPP, pictures=True, fetches=True)
    house.send()
    sent = house.whatsapp.sent[-1].reply
    assert sent.document == part.document
    return sent.link


def test_a_picture_is_fetched_from_a_link_until_it_is_erased(make_house: MakeHouse) -> None:
    house = make_house(public_url="https://lafiya.example")
    link = pictured(house)
    assert link.startswith("https://lafiya.example/pictures/")
    token = link.rpartition("/")[2]
    assert house.app.picture(token) == PNG
    assert house.app.data(token) is None
    assert house.app.picture(house.app.links.make(1).rpartition("/")[2]) is None
    house.say("goge", channel="whatsapp")
    house.press("erase:yes", channel="whatsapp")
    assert house.app.picture(token) is None


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "\ud800", "é" * 300])
def test_a_forged_link_shows_nothing(house: House, token: str) -> None:
    assert house.app.picture(token) is None
