"""What a provider says later about a message it took, and what is done about it."""

import pytest

from bot.delivery import AGAIN_AFTER
from core.messages import DeliveryReport
from tests.bot.conftest import House


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


def test_a_word_on_a_message_that_is_not_ours(house: House) -> None:
    sent(house)
    house.app.sender.note(failed("SM-of-somebody"), house.now)
    assert [part[0] for part in house.parts()] == ["sent"]
