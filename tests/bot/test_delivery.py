"""What becomes of a part: every kind of failure, order, limits, expiry, and the closed window."""

import pytest

from bot.delivery import BACKOFF_CAP, backoff, parts
from bot.limiter import FULL_CHATS, Limiter
from core.errors import SendDoubtful, SendError, SendLater, SendRefused
from core.messages import Capabilities, Choice, DeliveryReport, Document, Reply
from storage import outbox
from tests.bot.conftest import House, MakeHouse

DAY = 86_400.0


def queued(house: House, text: str = "taimako", who: str = "1", **changes: object) -> None:
    """One answered message whose reply waits to be sent."""
    house.accept(text, who, **changes)
    house.work()


def waits(house: House) -> float:
    [(not_before,)] = house.rows("SELECT not_before FROM outbox ORDER BY id LIMIT 1")
    return round(not_before - house.now, 1)


# (label, failures in turn, (status, attempts, doubts, code), seconds until the next try)
FAULTS: list[tuple[str, list[SendError | Exception | None], tuple[object, ...], float | None]] = [
    ("taken", [None], ("sent", 1, 0, None), None),
    ("later", [SendLater()], ("queued", 1, 0, "SendLater"), 1),
    ("later, with a time", [SendLater(code="429", after=30)], ("queued", 1, 0, "429"), 30),
    ("later, with no time to wait", [SendLater(after=0)], ("queued", 1, 0, "SendLater"), 0.5),
    ("later, with a negative time", [SendLater(after=-5)], ("queued", 1, 0, "SendLater"), 0.5),
    ("later twice", [SendLater(), SendLater()], ("queued", 2, 0, "SendLater"), 2),
    ("later, then taken", [SendLater(), None], ("sent", 2, 0, "SendLater"), None),
    ("later than it lives", [SendLater(after=2 * DAY)], ("expired", 1, 0, "SendLater"), None),
    ("doubtful", [SendDoubtful(code="reset")], ("queued", 1, 1, "reset"), 1),
    ("doubtful, then taken", [SendDoubtful(), None], ("sent", 2, 1, "SendDoubtful"), None),
    ("doubtful twice", [SendDoubtful(), SendDoubtful()], ("queued", 2, 2, "SendDoubtful"), 2),
    ("four doubts", [SendDoubtful()] * 4 + [None], ("sent", 5, 4, "SendDoubtful"), None),
    ("five doubts", [SendDoubtful()] * 5, ("doubtful", 5, 4, "SendDoubtful"), None),
    (
        "doubtful again after a later",
        [SendDoubtful(), SendLater(), SendDoubtful(code="cut")],
        ("queued", 3, 2, "cut"),
        4,
    ),
    ("refused", [SendRefused(code="403", gone=True)], ("refused", 1, 0, "403"), None),
    (
        "doubtful, refused",
        [SendDoubtful(), SendRefused()],
        ("refused", 2, 1, "SendRefused"),
        None,
    ),
    ("unforeseen", [RuntimeError("+2348012345678")], ("queued", 1, 1, "RuntimeError"), 1),
    ("always unforeseen", [KeyError()] * 5, ("doubtful", 5, 4, "KeyError"), None),
    ("a code too long", [SendRefused(code="x" * 99)], ("refused", 1, 0, "x" * 32), None),
]


@pytest.mark.parametrize(("label", "faults", "state", "wait"), FAULTS, ids=[f[0] for f in FAULTS])
def test_what_becomes_of_a_failed_send(
    house: House,
    label: str,
    faults: list[SendError | None],
    state: tuple[object, ...],
    wait: float | None,
) -> None:
    queued(house)
    house.telegram.fail_next(*faults)
    for number, _ in enumerate(faults):
        house.now += 60 * bool(number)
        assert house.send() == 1
    assert house.parts() == [state]
    assert house.send() == 0
    if wait:
        assert waits(house) == wait
        house.now += wait + 0.5
        assert house.send() == 1
        assert house.parts()[0][0] == "sent"
    assert len(house.telegram.sent) == (house.parts()[0][0] == "sent")


def test_the_wait_doubles_up_to_a_cap() -> None:
    assert [backoff(attempt) for attempt in range(12)] == [
        *(1, 1, 2, 4, 8, 16, 32, 64, 128, 256),
        *(BACKOFF_CAP, BACKOFF_CAP),
    ]
    assert backoff(10_000) == BACKOFF_CAP


def test_a_chat_that_must_wait_does_not_hold_up_others(house: House) -> None:
    for who in ("1", "2", "3"):
        queued(house, who=who)
    house.telegram.fail_next(SendLater(code="429", after=30))
    assert house.send() == 3
    assert [sent.address for sent in house.telegram.sent] == ["2", "3"]
    house.now += 31
    house.send()
    assert [sent.address for sent in house.telegram.sent] == ["2", "3", "1"]


def test_a_failed_part_holds_up_the_rest_of_its_chat(house: House) -> None:
    for text in ("taimako", "harshe", "goge"):
        queued(house, text)
    house.telegram.fail_next(SendLater(after=10))
    assert house.send() == 1
    assert house.telegram.sent == []
    house.now += 11
    assert house.send() == 3
    keys = ("help", "language-ask", "erase-ask")
    assert house.telegram.texts() == [house.words(key) for key in keys]


@pytest.mark.parametrize("end", [SendRefused(code="400"), SendLater(after=2 * DAY)])
def test_an_ended_part_lets_the_next_go(house: House, end: SendError) -> None:
    for text in ("taimako", "harshe"):
        queued(house, text)
    house.telegram.fail_next(end)
    assert house.send() == 2
    assert house.telegram.texts() == [house.words("language-ask")]


def test_an_emergency_overtakes_a_part_that_waits(house: House) -> None:
    queued(house)
    house.telegram.fail_next(SendLater(after=60))
    house.send()
    queued(house, "Yarona yana suma")
    assert house.send() == 1
    assert house.telegram.texts()[-1].startswith("HATSARI")


def test_a_reply_too_old_is_not_sent(make_house: MakeHouse) -> None:
    house = make_house(reply_hours=1)
    queued(house)
    house.now += 3_601
    house.send()
    assert house.parts() == [("expired", 1, 0, "expired")]
    assert house.telegram.sent == []


def test_a_sender_that_dies_leaves_a_doubt(house: House) -> None:
    queued(house)
    [parcel] = outbox.ready(house.app.store, "telegram", now=house.now, limit=9)
    assert outbox.start(house.app.store, parcel, lease="dead", now=house.now, lease_seconds=22)
    assert house.send() == 0
    house.now += 23
    house.app.keep_leases(house.now)
    assert house.send() == 1
    assert house.parts() == [("sent", 2, 1, None)]


# Outside WhatsApp's window.


def late(house: House) -> None:
    """A reply that was held up until a day after the person wrote."""
    queued(house, channel="whatsapp")
    house.now += DAY + 60


def test_outside_the_window_without_a_template_the_end_is_recorded(make_house: MakeHouse) -> None:
    house = make_house(reply_hours=48)
    late(house)
    house.send()
    assert house.whatsapp.sent == []
    assert house.parts() == [("expired", 1, 0, "63016")]


def test_outside_the_window_the_template_goes_and_the_reply_waits(make_house: MakeHouse) -> None:
    house = make_house(reply_hours=48, twilio_template_sid="HX1")
    late(house)
    house.send()
    assert [sent.template for sent in house.whatsapp.sent] == [True]
    assert [part[0] for part in house.parts()] == ["waiting", "sent"]
    house.accept("harshe", channel="whatsapp")
    house.work()
    house.send()
    held = house.words("help", country="NG")
    assert house.whatsapp.texts()[1:] == [held, house.words("language-ask")]


def test_a_provider_that_says_the_window_is_closed_is_believed(make_house: MakeHouse) -> None:
    house = make_house(twilio_template_sid="HX1")
    queued(house, channel="whatsapp")
    house.whatsapp.fail_next(SendRefused(code="63016"))
    house.send()
    house.now += 1
    house.send()
    assert [sent.template for sent in house.whatsapp.sent] == [True]
    assert [part[0] for part in house.parts()] == ["waiting", "sent"]


def test_a_refused_template_ends(make_house: MakeHouse) -> None:
    house = make_house(reply_hours=48, twilio_template_sid="HX1")
    late(house)
    house.whatsapp.fail_next(SendRefused(code="63016"))
    house.send()
    assert [part[0] for part in house.parts()] == ["waiting", "refused"]
    assert house.send() == 0


def test_a_late_word_that_the_window_was_closed(make_house: MakeHouse) -> None:
    house = make_house(twilio_template_sid="HX1")
    queued(house, channel="whatsapp")
    house.send()
    word = DeliveryReport("whatsapp", "fake-1", "undelivered", "63016")
    house.app.sender.note(word, house.now)
    assert [part[0] for part in house.parts()] == ["waiting", "queued"]
    house.send()
    assert house.whatsapp.sent[-1].template


def test_a_late_word_is_recorded_or_ignored(house: House) -> None:
    queued(house)
    house.send()
    for word in ("sent", "delivered", "sent"):
        house.app.report(DeliveryReport("telegram", "fake-1", word))
    house.app.report(DeliveryReport("telegram", "not-ours", "failed", "30008"))
    assert house.rows("SELECT provider_status, status FROM outbox") == [("delivered", "sent")]


# Parts and limits, without a store.

BUTTONS = (Choice("a:b", "A"),)
FILE = Document("lafiya.json", b"{}")


@pytest.mark.parametrize(
    ("label", "texts", "expected"),
    [
        ("one", ["a"], [Reply("a", BUTTONS, FILE)]),
        ("three", ["a", "b", "c"], [Reply("a"), Reply("b"), Reply("c", BUTTONS, FILE)]),
        ("nothing left of it", [], [Reply("whole", BUTTONS, FILE)]),
    ],
)
def test_buttons_and_file_go_last(label: str, texts: list[str], expected: list[Reply]) -> None:
    assert parts(Reply("whole", BUTTONS, FILE), texts) == expected


LIMITS = Capabilities(4096, overall_per_s=2.0, chat_burst=2, chat_every_s=6.0)


def test_a_chat_has_its_burst_and_then_its_pace() -> None:
    limiter = Limiter()
    for _ in range(2):
        assert limiter.chat_wait(1, LIMITS, 0.0) == 0
        limiter.take("whatsapp", 1, LIMITS, 0.0)
    assert limiter.chat_wait(1, LIMITS, 0.0) == pytest.approx(6)
    assert limiter.chat_wait(2, LIMITS, 0.0) == 0
    assert limiter.chat_wait(1, LIMITS, 5.9) == pytest.approx(0.1)
    assert limiter.chat_wait(1, LIMITS, 6.0) == pytest.approx(0)
    assert limiter.chat_wait(1, LIMITS, 100.0) == 0


def test_a_channel_has_its_pace() -> None:
    limiter = Limiter()
    for chat in (1, 2):
        limiter.take("telegram", chat, LIMITS, 0.0)
    assert limiter.channel_wait("telegram", LIMITS, 0.0) == pytest.approx(0.5)
    assert limiter.channel_wait("whatsapp", LIMITS, 0.0) == 0
    assert limiter.channel_wait("telegram", LIMITS, 0.5) == pytest.approx(0)


def test_a_clock_that_goes_back_gives_nothing_away() -> None:
    limiter = Limiter()
    for _ in range(2):
        limiter.take("telegram", 1, LIMITS, 100.0)
    assert limiter.chat_wait(1, LIMITS, 50.0) == pytest.approx(6)


def test_old_chats_are_forgotten() -> None:
    limiter = Limiter()
    for chat in range(FULL_CHATS + 1):
        limiter.chat_wait(chat, LIMITS, 0.0)
    limiter.chat_wait(-1, LIMITS, 61.0)
    assert len(limiter._chats) == 1


def test_the_sender_keeps_the_limits(house: House) -> None:
    house.telegram.can = Capabilities(4096, chat_burst=1, chat_every_s=1.0, overall_per_s=3.0)
    for who in ("1", "1", "2", "3", "4"):
        queued(house, who=who)
    sent = []
    for _ in range(4):
        house.send()
        sent.append(len(house.telegram.sent))
        house.now += 1
    assert sent == [3, 5, 5, 5]
    assert [s.address for s in house.telegram.sent] == ["1", "2", "3", "1", "4"]
