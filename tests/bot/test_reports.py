"""What a provider says later about a message it took, and what is done about it."""

from dataclasses import replace

import pytest

from bot.delivery import AGAIN_AFTER, EARLY_WORDS
from core.messages import DeliveryReport
from tests.bot.conftest import House, MakeHouse


def sent(house: House) -> str:
    """One reply on WhatsApp, taken by the provider; its id there."""
    house.say("taimako", channel="whatsapp")
    return house.whatsapp.sent[-1].provider_id


def failed(provider_id: str) -> DeliveryReport:
    return DeliveryReport("whatsapp", provider_id, "failed", "63018", send_again=True)


def test_a_message_that_failed_for_now_goes_again(house: House) -> None:
    provider_id = sent(house)
    for _ in range(2):  # callbacks come twice
        house.app.sender.note(failed(provider_id), house.now)
    assert house.send() == 0
    house.now += AGAIN_AFTER
    assert house.send() == 1
    first, second = house.whatsapp.sent
    assert first.reply == second.reply
    assert house.parts() == [("sent", 2, 0, "63018")]


@pytest.mark.parametrize("status", ["failed", "undelivered"])
def test_a_refusal_is_recorded_and_not_repeated(house: House, status: str) -> None:
    house.app.sender.note(DeliveryReport("whatsapp", sent(house), status, "63024"), house.now)
    house.now += 600
    assert house.send() == 0
    assert house.rows("SELECT status, provider_status, code FROM outbox") == [
        ("sent", status, "63024")
    ]
    assert b'lafiya_outbox{status="undelivered"} 1.0' in house.app.metrics_page()


def test_a_reply_that_has_expired_is_not_sent_again(house: House) -> None:
    provider_id = sent(house)
    house.now += 24 * 3600
    house.app.sender.note(failed(provider_id), house.now)
    house.now += AGAIN_AFTER
    assert house.send() == 0


def settle_later(house: House, *words: DeliveryReport) -> None:
    """A reply whose words come while the provider still holds the sender's call."""

    def while_it_sends(provider_id: str) -> None:
        for word in words:
            house.app.report(replace(word, provider_id=provider_id))

    house.whatsapp.on_taken = while_it_sends
    house.say("taimako", channel="whatsapp")
    assert house.rows("SELECT status, provider_status FROM outbox") == [("sent", None)]


def word(status: str, code: str | None = None, *, send_again: bool = False) -> DeliveryReport:
    return DeliveryReport("whatsapp", "", status, code, send_again)


EARLY = [
    ("one word", [word("delivered")], ("sent", "delivered", None)),
    ("out of order", [word("delivered"), word("sent")], ("sent", "delivered", None)),
    ("each twice", [word("sent"), word("read"), word("read")], ("sent", "read", None)),
    ("it failed", [word("undelivered", "63024")], ("sent", "undelivered", "63024")),
    ("later", [word("failed", "63018", send_again=True)], ("queued", None, "63018")),
]


@pytest.mark.parametrize(("label", "words", "expected"), EARLY, ids=[e[0] for e in EARLY])
def test_a_word_that_comes_before_we_know_the_message(house, label, words, expected) -> None:
    settle_later(house, *words)
    house.app.keep_leases(house.now)
    assert house.rows("SELECT status, provider_status, code FROM outbox") == [expected]
    assert house.rows("SELECT * FROM early_reports") == []


def test_an_early_word_outside_the_window_invites(make_house: MakeHouse) -> None:
    house = make_house(twilio_template_sid="HX1")
    settle_later(house, word("failed", "63016"))
    house.app.keep_leases(house.now)
    assert house.rows("SELECT status, template FROM outbox ORDER BY id") == [
        ("waiting", False),
        ("queued", True),
    ]


def test_words_on_messages_of_others_are_forgotten(house: House) -> None:
    house.app.sender.note(failed("SM-of-somebody"), house.now)
    house.app.keep_leases(house.now)
    house.app.keep_house(house.now + EARLY_WORDS)
    assert len(house.rows("SELECT * FROM early_reports")) == 1
    house.app.keep_house(house.now + EARLY_WORDS + 1)
    assert house.rows("SELECT * FROM early_reports") == []


def test_a_late_word_on_a_known_message_is_not_kept(house: House) -> None:
    provider_id = sent(house)
    for status in ("read", "sent"):
        house.app.sender.note(DeliveryReport("whatsapp", provider_id, status), house.now)
    assert house.rows("SELECT * FROM early_reports") == []


def test_a_word_on_a_message_that_is_not_ours(house: House) -> None:
    sent(house)
    house.app.sender.note(failed("SM-of-somebody"), house.now)
    assert [part[0] for part in house.parts()] == ["sent"]
