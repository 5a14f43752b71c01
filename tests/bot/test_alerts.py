"""Health workers hear of a danger sign: once in a while, never what was written."""

from core.errors import SendRefused
from core.messages import Inbound
from tests.bot.conftest import House, MakeHouse

DANGER = "Yarona yana suma, sunansa Garba"
ADMINS = "telegram:900,whatsapp:+2348000000009"


def alerts(house: House) -> list[str]:
    return [text for text in house.telegram.texts("900") if text.startswith("Alamar")]


def test_every_admin_is_told_once_in_a_while(make_house: MakeHouse) -> None:
    house = make_house(admins=ADMINS)
    house.say(DANGER)
    [alert] = alerts(house)
    assert "unconscious-ha (yanzu)" in alert
    assert "telegram" in alert
    assert "Garba" not in alert
    house.now += 60
    house.say(DANGER)
    house.now += 600
    house.say(DANGER)
    assert len(alerts(house)) == 1


def test_after_a_quarter_of_an_hour_they_are_told_again(make_house: MakeHouse) -> None:
    house = make_house(admins=ADMINS)
    house.say(DANGER)
    house.now += 901
    house.say(DANGER)
    assert len(alerts(house)) == 2


def test_a_danger_that_goes_on_is_told_again(make_house: MakeHouse) -> None:
    house = make_house(admins=ADMINS)
    for _ in range(4):
        house.say(DANGER)
        house.now += 600
    assert len(alerts(house)) == 2


def test_another_sign_is_told_at_once(make_house: MakeHouse) -> None:
    house = make_house(admins=ADMINS)
    house.say(DANGER)
    house.say("ina ciwon zuciya")
    assert len(alerts(house)) == 2


def test_another_conversation_is_told_of_apart(make_house: MakeHouse) -> None:
    house = make_house(admins=ADMINS)
    house.say(DANGER, "1")
    house.say(DANGER, "2")
    numbers = [alert.split("#")[1].split(",")[0] for alert in alerts(house)]
    assert len(set(numbers)) == 2


def test_an_admin_is_not_told_of_himself(make_house: MakeHouse) -> None:
    house = make_house(admins="telegram:900")
    assert house.say(DANGER, "900")[0].startswith("HATSARI")
    assert alerts(house) == []


def test_an_admin_whose_window_is_closed_is_on_record(make_house: MakeHouse) -> None:
    house = make_house(admins=ADMINS)
    house.say(DANGER)
    assert house.whatsapp.sent == []
    query = "SELECT status, code FROM outbox WHERE channel = 'whatsapp'"
    assert house.rows(query) == [("expired", "63016")]


def test_an_admin_who_cannot_be_reached_holds_up_nobody(make_house: MakeHouse) -> None:
    house = make_house(admins="telegram:900,telegram:901")
    house.accept(DANGER)
    house.work()
    house.telegram.fail_next(SendRefused(code="403", gone=True))
    house.send()
    assert len(house.telegram.sent) == 2
    assert {status for status, *_ in house.parts()} == {"sent", "refused"}


def test_an_alert_is_in_the_admins_language(make_house: MakeHouse) -> None:
    house = make_house(admins="telegram:900")
    house.say("turanci", "900")
    house.say(DANGER)
    assert house.telegram.texts("900")[-1].startswith("Danger sign: unconscious-en (now)")


def test_an_alert_does_not_close_the_admins_menu(make_house: MakeHouse) -> None:
    house = make_house(admins="telegram:900")
    house.agree("900")
    house.say("goge", "900")
    house.say(DANGER)
    assert house.say("1", "900") == [house.words("erase-done")]


def test_status_is_for_admins_of_that_channel(make_house: MakeHouse) -> None:
    house = make_house(admins="telegram:900", data_key="a long secret of the operator")
    assert house.say("/status", "900") == ["status ha"]
    assert house.say("/status", "901") == [house.words("consent-ask")]
    question = house.words("consent-ask", country="NG")
    assert house.say("/status", "900", channel="whatsapp") == [question]


def test_without_admins_the_emergency_text_goes_all_the_same(house: House) -> None:
    assert house.say(DANGER)[0].startswith("HATSARI")


def test_a_health_worker_on_whatsapp_is_one_person(make_house: MakeHouse) -> None:
    house = make_house(admins="whatsapp:+234800000009")
    for number, said in enumerate(("taimako", "status")):
        # Twilio names people without the plus of their address (WaId).
        message = Inbound("whatsapp", f"SM{number}", "234800000009", "+234800000009", text=said)
        house.app.intake.accept(message, now=house.now)
    house.work()
    house.send()
    assert house.whatsapp.texts()[-1] == "status ha"
    house.say(DANGER)
    assert "unconscious-ha" in house.whatsapp.texts("+234800000009")[-1]
    assert len(house.rows("SELECT id FROM people WHERE channel = 'whatsapp'")) == 1
