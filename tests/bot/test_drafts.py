"""Answers that are still being written, through the whole service: seen, and then gone."""

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest

from bot.channels.fakes import FakeChannel
from bot.drafts import EVERY_PULLED, EVERY_SENT, FIRST_AFTER, Drafts
from bot.fakes import FakeGuard, tiny_mind
from bot.mind import Mind
from core.errors import StoreError
from core.messages import Capabilities
from inference.engine import FakeEngine, Generation, OnText, Request
from tests.bot.conftest import NOW, TELEGRAM, House, MakeHouse

KEY = "a long secret of the operator"
PAGE = Capabilities(20_000, chat_burst=100, consent_on_page=True, drafts=True, pulled=True)
ASKED = "ina da ciwon kunne"
ONE, TWO, THREE = "A wanke hannu.", "A sha ruwa.", "A je asibiti."


class Watched(FakeEngine):
    """Writes three sentences and lets the test look on after each; `after` may raise."""

    after: Callable[[int], None] = staticmethod(lambda count: None)  # type: ignore[assignment]
    said = (ONE, TWO, THREE)

    def generate(self, request: Request, on_text: OnText | None = None) -> Generation:
        self.requests.append(request)
        for count in range(1, len(self.said) + 1):
            text = " ".join(self.said[:count])
            if on_text is not None and not on_text(f"{text} "):
                return Generation(text, "fake-1", "stopped")
            self.after(count)
        return Generation(" ".join(self.said), "fake-1")


def on_page(make_house: MakeHouse, mind: Mind, **settings: str) -> House:
    house = make_house(mind, **settings)
    house.app.channels["web"] = FakeChannel("web", PAGE)  # type: ignore[index]
    house.app.growing._clock = lambda: house.now
    return house


def ask_page(house: House, who: str = "a" * 64) -> None:
    house.accept(ASKED, who, channel="web")


def count(house: House) -> int:
    [[rows]] = house.rows("SELECT count(*) FROM drafts")
    return int(rows)


def tick(house: House, seconds: float) -> None:
    """Let the ticking thread look once, so much later than the worker began."""
    house.app.growing.tick(house.app.growing._clock() + seconds)


def test_a_page_sees_the_answer_grow_and_then_the_reply_alone(make_house: MakeHouse) -> None:
    engine, seen = Watched(), []

    def look(count: int) -> None:
        tick(house, count * EVERY_PULLED)
        seen.append(house.app.draft("a" * 64))

    engine.after = look
    house = on_page(make_house, tiny_mind(engine), data_key=KEY)
    ask_page(house)
    assert house.app.draft("a" * 64) is None
    assert house.work() == 1
    assert seen == [ONE, f"{ONE} {TWO}", f"{ONE} {TWO} {THREE}"]
    assert (house.app.draft("a" * 64), count(house)) == (None, 0)
    shown = house.app.replies("a" * 64, 0)
    assert [message.text for message in shown if message.direction == "out"] == [
        f"{ONE} {TWO} {THREE}"
    ]


def test_a_draft_is_sealed_and_leaves_no_word_in_a_log(
    make_house: MakeHouse, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    engine, bodies = Watched(), []

    def look(count: int) -> None:
        tick(house, count)
        bodies.extend(house.rows("SELECT body FROM drafts"))

    engine.after = look
    house = on_page(make_house, tiny_mind(engine), data_key=KEY)
    ask_page(house)
    house.work()
    assert len(bodies) == 3
    assert not any("wanke" in body for (body,) in bodies)
    assert "wanke" not in str([record.__dict__ for record in caplog.records])


def test_what_is_refused_is_replaced_by_the_fallback_and_never_seen(make_house: MakeHouse) -> None:
    engine, seen = Watched(), []
    engine.said = (ONE, "A sha guba.", THREE)

    def look(count: int) -> None:
        tick(house, count)
        seen.append(house.app.draft("a" * 64))

    engine.after = look
    house = on_page(make_house, tiny_mind(engine, guard=FakeGuard("dose", bad="guba")))
    ask_page(house)
    house.work()
    assert seen == [ONE]
    assert count(house) == 0
    [reply] = [m for m in house.app.replies("a" * 64, 0) if m.direction == "out"]
    assert (reply.text, reply.source) == (house.words("fallback"), "fallback")


class Killed(BaseException):
    """What ends a process: nothing of ours catches it."""


def test_a_crash_in_mid_answer_leaves_no_half_answer_behind(make_house: MakeHouse) -> None:
    engine, found = Watched(), []

    def die(count: int) -> None:
        tick(house, 1)
        raise Killed

    engine.after = die
    house = on_page(make_house, tiny_mind(engine))
    ask_page(house)
    with pytest.raises(Killed):
        house.work()
    assert house.app.draft("a" * 64) == ONE
    assert [m.direction for m in house.app.replies("a" * 64, 0)] == ["in"]

    house.now += 13
    house.app.keep_leases(house.now)
    engine.after = lambda count: found.append(house.app.draft("a" * 64))
    assert house.work() == 1
    assert found == [None, None, None], "the next try begins with nothing to see"
    assert count(house) == 0
    outs = [m.text for m in house.app.replies("a" * 64, 0) if m.direction == "out"]
    assert outs == [f"{ONE} {TWO} {THREE}"]


def test_a_job_that_is_given_up_leaves_no_draft(make_house: MakeHouse) -> None:
    engine = Watched()
    house = on_page(make_house, tiny_mind(engine))
    engine.after = lambda count: tick(house, count)
    ask_page(house)
    with house.app.store.write() as connection:
        connection.exec_driver_sql("UPDATE jobs SET attempts = 4")
        connection.exec_driver_sql(
            "CREATE TRIGGER away BEFORE INSERT ON outbox BEGIN SELECT RAISE(FAIL, 'no'); END"
        )
    house.work()
    assert count(house) == 1
    with house.app.store.write() as connection:
        connection.exec_driver_sql("UPDATE jobs SET attempts = 19")
    house.now += 60
    house.work()
    assert house.rows("SELECT status FROM jobs") == [("done",)]
    assert house.app.draft("a" * 64) is None
    house.app.keep_leases(house.now)
    assert count(house) == 0


def test_telegram_is_shown_it_and_sent_it_once(make_house: MakeHouse) -> None:
    engine = Watched()
    house = make_house(tiny_mind(engine))
    house.telegram.can = replace(TELEGRAM, drafts=True)
    house.agree()
    engine.after = lambda count: tick(house, count * EVERY_SENT)
    house.telegram.drafted.clear()
    assert house.say(ASKED) == [f"{ONE} {TWO} {THREE}"]
    numbers = {number for number, _, _ in house.telegram.drafted}
    texts = [text for _, _, text in house.telegram.drafted]
    assert texts == [ONE, f"{ONE} {TWO}", f"{ONE} {TWO} {THREE}", ""]
    assert len(numbers) == 1
    assert 0 not in numbers
    assert {address for _, address, _ in house.telegram.drafted} == {"1"}
    assert count(house) == 0


CANNOT = [("whatsapp", "whatsapp"), ("telegram without drafts", "telegram")]


@pytest.mark.parametrize(("label", "channel"), CANNOT, ids=[case[0] for case in CANNOT])
def test_other_channels_get_it_once_and_whole(
    make_house: MakeHouse, label: str, channel: str
) -> None:
    engine = Watched()
    house = make_house(tiny_mind(engine))
    house.agree(channel=channel)
    engine.after = lambda count: tick(house, count)
    assert house.say(ASKED, channel=channel) == [f"{ONE} {TWO} {THREE}"]
    assert house.telegram.drafted == house.whatsapp.drafted == []
    assert count(house) == 0


@pytest.mark.parametrize("text", ["Yarona yana suma", "Yaya ake hana malaria?", "taimako"])
def test_what_no_model_writes_does_not_grow(make_house: MakeHouse, text: str) -> None:
    house = make_house(tiny_mind(Watched()))
    house.telegram.can = replace(TELEGRAM, drafts=True)
    house.agree()
    house.say(text)
    assert house.telegram.drafted == []


# When it is time.


class Clock:
    now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def sent(house: House) -> tuple[Drafts, FakeChannel, Clock]:
    """Drafts over one channel that shows them itself."""
    channel, clock = FakeChannel(can=replace(TELEGRAM, drafts=True)), Clock()
    return Drafts(house.app.store, {"telegram": channel}, clock), channel, clock


def test_an_answer_that_is_quick_is_not_shown_growing(
    sent: tuple[Drafts, FakeChannel, Clock],
) -> None:
    drafts, channel, clock = sent
    with drafts.shown("telegram", "1", 5) as show:
        assert show is not None
        show(ONE)
        drafts.tick(clock.now + FIRST_AFTER / 2)
    assert channel.drafted == []


def test_only_what_is_new_is_shown_and_not_too_often(
    sent: tuple[Drafts, FakeChannel, Clock],
) -> None:
    drafts, channel, clock = sent
    with drafts.shown("telegram", "1", 5) as show:
        assert show is not None
        for step in range(40):
            if step % 3 == 0 and step < 30:
                show(f"{ONE} {step}.")
            drafts.tick(clock.now + step * 0.25)
    texts = [text for _, _, text in channel.drafted]
    assert texts[-2:] == [f"{ONE} 27.", ""]
    assert len(set(texts)) == len(texts) <= 40 * 0.25 / EVERY_SENT + 2


def test_nothing_is_shown_after_the_end(sent: tuple[Drafts, FakeChannel, Clock]) -> None:
    drafts, channel, clock = sent
    with suppress(Killed), drafts.shown("telegram", "1", 5) as show:
        assert show is not None
        show(ONE)
        drafts.tick(clock.now + 1)
        show(f"{ONE} {TWO}")
        raise Killed
    show(THREE)
    drafts.tick(clock.now + 60)
    assert [text for _, _, text in channel.drafted] == [ONE, ""]


def test_all_pages_are_written_in_one_transaction_and_seldom(make_house: MakeHouse) -> None:
    house = on_page(make_house, tiny_mind())
    for who in ("a", "b", "c"):
        ask_page(house, who * 64)
    ids = [row[0] for row in house.rows("SELECT id FROM messages ORDER BY id")]
    with house.app.store.write() as connection:
        connection.exec_driver_sql("UPDATE jobs SET status = 'running', lease = id")
    drafts = Drafts(house.app.store, house.app.channels, Clock())
    commits: list[int] = []
    write = house.app.store.write
    house.app.store.write = lambda **more: commits.append(1) or write(**more)  # type: ignore[method-assign]
    with drafts.shown("web", "a", ids[0]) as one, drafts.shown("web", "b", ids[1]) as two:
        for step in range(1, 41):  # ten seconds
            assert one is not None
            assert two is not None
            one(f"{ONE} {step}.")
            two(f"{TWO} {step}.")
            drafts.tick(NOW + step * 0.25)
    assert len(commits) <= 10 / EVERY_PULLED
    assert count(house) == 2


def test_a_store_that_is_away_does_not_hold_up_the_answer(make_house: MakeHouse) -> None:
    engine = Watched()

    def look(count: int) -> None:
        with pytest.raises(StoreError):
            tick(house, count)

    house = on_page(make_house, tiny_mind(engine))
    ask_page(house)
    with house.app.store.write() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER away BEFORE INSERT ON drafts BEGIN SELECT RAISE(FAIL, 'no'); END"
        )
    engine.after = look
    assert house.work() == 1
    assert [m.direction for m in house.app.replies("a" * 64, 0)] == ["in", "out"]
