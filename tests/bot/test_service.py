"""Whole ways of a message: accepted, answered once, sent once, and what that leaves behind."""

import json

import pytest
from sqlalchemy import text

from bot.fakes import FakeTriage, tiny_mind
from bot.worker import POISON
from core.errors import SendLater, StoreError
from core.messages import Capabilities, Inbound, Kind
from inference.engine import FakeEngine, Generation, OnText, Request
from storage import jobs
from tests.bot.conftest import House, MakeHouse

MALARIA = "Yaya ake hana malaria?"
DANGER = "Yarona yana suma"


class Broken:
    """A detector that no fallback foresees."""

    def detect(self, text: str) -> str:
        raise RuntimeError(text)


# Once.


def test_a_message_is_answered_once(house: House) -> None:
    house.agree()
    [reply] = house.say(MALARIA)
    assert "Hana malaria: amsa-ha" in reply
    assert house.work() == house.send() == 0
    assert house.rows("SELECT status, attempts FROM jobs ORDER BY id DESC LIMIT 1") == [("done", 1)]
    assert house.parts()[-1] == ("sent", 1, 0, None)
    [(provider_id,)] = house.rows("SELECT provider_id FROM outbox ORDER BY id DESC LIMIT 1")
    assert provider_id == house.telegram.sent[-1].provider_id


@pytest.mark.parametrize("when", ["before the answer", "after the answer"])
def test_a_repeated_delivery_is_answered_once(house: House, when: str) -> None:
    assert house.accept("taimako", external_id="u7")
    if when == "after the answer":
        house.work()
    assert not house.accept("taimako", external_id="u7")
    house.work()
    assert house.send() == len(house.telegram.sent) == 1
    assert b'lafiya_messages_repeated_total{channel="telegram"} 1.0' in house.app.metrics_page()


def test_the_same_id_on_two_channels_is_two_messages(house: House) -> None:
    assert house.accept("taimako", external_id="7")
    assert house.accept("taimako", external_id="7", channel="whatsapp")
    house.work()
    assert house.send() == 2


def test_answers_keep_the_order_of_the_questions(house: House) -> None:
    for said in ("taimako", "harshe", "goge"):
        house.accept(said)
    house.work()
    house.send()
    keys = ("help", "language-ask", "erase-ask")
    assert house.telegram.texts("1") == [house.words(key) for key in keys]


def test_one_conversation_does_not_hold_up_another(house: House) -> None:
    house.accept("taimako", "1")
    assert jobs.claim(house.app.store, lease="other", now=house.now, lease_seconds=12)
    house.accept("harshe", "1")
    house.accept("taimako", "2")
    house.work()
    house.send()
    assert [sent.address for sent in house.telegram.sent] == ["2"]


# Crashes.


def test_a_worker_that_dies_leaves_its_job_to_others(house: House) -> None:
    house.accept("taimako")
    dead = jobs.claim(house.app.store, lease="dead", now=house.now, lease_seconds=12)
    assert dead is not None
    assert house.work() == 0
    house.now += 13
    assert jobs.revive(house.app.store, now=house.now) == 1
    assert house.work() == house.send() == 1
    with house.app.store.write() as connection:
        assert not jobs.finish(connection, dead, now=house.now)
    assert house.telegram.texts() == [house.words("help")]


def test_an_answer_that_cannot_be_committed_leaves_no_trace(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    house.agree()
    house.accept("tsaya")
    with house.app.store.write() as connection:
        connection.exec_driver_sql("ALTER TABLE outbox RENAME TO hidden")
    assert house.app.worker.run_one(house.now)
    assert house.rows("SELECT stopped FROM people") == [(0,)]
    assert house.rows("SELECT count(*) FROM messages WHERE direction = 'out'") == [(1,)]
    assert "message.failed" in caplog.messages
    with house.app.store.write() as connection:
        connection.exec_driver_sql("ALTER TABLE hidden RENAME TO outbox")
    house.now += 1
    assert house.work() == house.send() == 1
    assert house.telegram.texts()[-1] == house.words("stop-done")


def test_a_job_that_could_not_be_put_back_is_not_held_for_ever(house: House) -> None:
    house.accept("taimako")
    with house.app.store.write() as connection:
        connection.exec_driver_sql("ALTER TABLE messages RENAME TO hidden")
        connection.exec_driver_sql(
            "CREATE TRIGGER refuse BEFORE UPDATE ON jobs WHEN NEW.status = 'queued' "
            "BEGIN SELECT RAISE(FAIL, 'no'); END"
        )
    with pytest.raises(StoreError):
        house.app.worker.run_one(house.now)
    with house.app.store.write() as connection:
        connection.exec_driver_sql("DROP TRIGGER refuse")
        connection.exec_driver_sql("ALTER TABLE hidden RENAME TO messages")
    house.now += 13
    house.app.keep_leases(house.now)
    assert house.work() == 1


def test_a_job_in_hand_is_not_taken_for_a_dead_one(make_house: MakeHouse) -> None:
    class Slow(FakeEngine):
        def generate(self, request: Request, on_text: OnText | None = None) -> Generation:
            house.now += 13
            house.app.keep_leases(house.now)
            house.now += 5
            house.app.keep_leases(house.now)
            assert house.rows("SELECT count(*) FROM jobs WHERE status = 'running'") == [(1,)]
            return super().generate(request, on_text)

    house = make_house(tiny_mind(Slow("Amsa.")))
    house.agree()
    assert house.say("ina da ciwon kunne") == ["Amsa."]


def test_a_poison_message_gets_the_fallback_after_a_few_tries(
    make_house: MakeHouse, caplog: pytest.LogCaptureFixture
) -> None:
    house = make_house(tiny_mind(detector=Broken()))
    house.agree()
    house.accept("zzz")
    for _ in range(POISON + 3):
        house.work()
        house.now += 5
    house.send()
    assert house.telegram.texts()[-1] == house.words("fallback")
    row = "SELECT source, reason FROM messages WHERE direction = 'out' ORDER BY id DESC LIMIT 1"
    assert house.rows(row) == [("fallback", "poison")]
    assert house.rows("SELECT attempts FROM jobs ORDER BY id DESC LIMIT 1") == [(POISON + 1,)]
    assert caplog.messages.count("message.failed") == POISON
    assert "zzz" not in str([record.__dict__ for record in caplog.records])


def test_a_poison_message_holds_up_nobody_else(make_house: MakeHouse) -> None:
    house = make_house(tiny_mind(detector=Broken()))
    house.agree()
    house.accept("zzz", "1")
    house.accept("taimako", "2")
    house.work()
    house.send()
    assert house.telegram.texts("2") == [house.words("help")]


# Urgency.


def test_an_urgent_message_overtakes(house: House) -> None:
    house.accept("taimako", "1")
    house.accept(DANGER, "2")
    assert house.app.worker.run_one(house.now)
    assert house.app.sender.send_next(house.now + 2)
    assert [sent.address for sent in house.telegram.sent] == ["2"]


def test_an_urgent_message_does_not_wait_for_its_own_conversation(house: House) -> None:
    house.accept("taimako")
    assert jobs.claim(house.app.store, lease="slow", now=house.now, lease_seconds=12)
    house.accept(DANGER)
    assert house.work(urgent_only=True) == 1
    assert house.send(urgent_only=True) == 1
    assert house.telegram.texts()[-1].startswith("HATSARI unconscious")


def test_the_reserved_worker_takes_nothing_else(house: House) -> None:
    house.accept("taimako")
    assert house.work(urgent_only=True) == 0
    house.work()
    assert house.send(urgent_only=True) == 0
    assert house.send() == 1


def test_a_sign_that_was_missed_on_the_way_in_is_urgent_on_the_way_out(
    make_house: MakeHouse,
) -> None:
    triage = FakeTriage(fault=RuntimeError())
    house = make_house(tiny_mind(triage=triage))
    house.accept(DANGER)
    triage.fault = None
    assert house.rows("SELECT urgent FROM jobs") == [(0,)]
    house.work()
    assert house.send(urgent_only=True) == 1


# Consent, in the store.


def test_a_newcomer_is_asked_and_then_answered(house: House) -> None:
    assert house.say(MALARIA) == [house.words("consent-ask")]
    [reply] = house.say("na yarda")
    assert reply.startswith(house.words("consent-thanks"))
    assert "Hana malaria: amsa-ha" in reply
    assert house.rows("SELECT kind, granted FROM consents") == [("service", 1)]
    assert house.rows("SELECT action FROM audit") == [("consent.service.yes",)]
    assert house.rows("SELECT waiting, topic FROM conversations") == [("[]", "malaria-prevention")]
    assert "kari-ha" in house.say("ƙari")[0]


def test_what_was_asked_in_two_messages_is_answered_together(house: House) -> None:
    house.say("don Allah")
    house.say("yaya ake hana")
    house.say("malaria")
    assert "Hana malaria: amsa-ha" in house.say("eh")[0]


def test_an_emergency_and_a_sticker_do_not_lose_the_waiting_question(house: House) -> None:
    house.say(MALARIA)
    house.say(DANGER)
    house.say("", kind=Kind.STICKER)
    assert "Hana malaria: amsa-ha" in house.say("eh")[0]


def test_a_caption_waits_for_consent_too(house: House) -> None:
    house.say(MALARIA, kind=Kind.PHOTO)
    assert "Hana malaria: amsa-ha" in house.say("eh")[0]


def test_training_is_asked_apart_and_once(house: House) -> None:
    house.agree()
    question = house.words("training-ask")
    replies = [house.say(MALARIA)[0] for _ in range(4)]
    assert [question in reply for reply in replies] == [False, True, False, False]
    house.say("eh")
    assert house.rows("SELECT kind, granted FROM consents ORDER BY id") == [("service", 1)]


def test_training_agreed_and_withdrawn(house: House) -> None:
    house.agree()
    house.say("gudummawa")
    house.say("eh")
    house.say("gudummawa")
    house.say("a'a")
    rows = house.rows("SELECT kind, granted FROM consents ORDER BY id")
    assert rows == [("service", 1), ("training", 1), ("training", 0)]


def test_stop_and_start(house: House) -> None:
    house.agree()
    assert house.say("tsaya") == [house.words("stop-done")]
    assert house.say(MALARIA) == [house.words("stopped")]
    assert house.say(DANGER)[0].startswith("HATSARI")
    assert house.say("fara") == [house.words("resumed")]
    assert "amsa-ha" in house.say(MALARIA)[0]
    assert [row[0] for row in house.rows("SELECT action FROM audit")][-2:] == ["stop", "start"]


def test_a_chosen_language_stays(house: House) -> None:
    house.agree()
    assert house.say("turanci") == [house.words("language-set", "en")]
    assert house.say("taimako") == [house.words("help", "en")]
    house.say("harshe")
    assert house.say("1") == [house.words("language-set")]


def test_the_rate_limit_counts_a_minute(make_house: MakeHouse) -> None:
    house = make_house(tiny_mind(rate_limit=3))
    house.agree()
    replies = [house.say("sannu")[0] for _ in range(3)]
    assert replies[-1] == house.words("too-many")
    assert house.say("sannu", "2") == [house.words("consent-ask")]
    house.now += 61
    assert house.say("sannu") == [house.words("greeting")]


# Data and erasure.


def test_data_come_as_a_file(house: House) -> None:
    house.agree()
    house.say(MALARIA)
    assert house.say("bayanaina") == [house.words("data-file")]
    document = house.telegram.sent[-1].reply.document
    assert document is not None
    data = json.loads(document.content)
    assert MALARIA in [message["text"] for message in data["messages"]]
    assert data["consents"][0]["about"] == "service"


def test_data_come_by_a_link_where_no_file_can(house: House) -> None:
    house.agree(channel="whatsapp")
    [reply] = house.say("bayanaina", channel="whatsapp")
    link = next(word for word in reply.split() if word.startswith("http"))
    token = link.rpartition("/")[2]
    assert "+234800000001" in (house.app.data(token) or "")
    assert house.app.data(token[:-2] + "xx") is None
    assert house.app.data("nonsense") is None
    house.say("goge", channel="whatsapp")
    house.now += 1
    house.say("eh", channel="whatsapp")
    assert house.app.data(token) is None


def test_erasure_says_goodbye_and_then_the_person_is_gone(house: House) -> None:
    house.agree()
    house.say(MALARIA)
    house.accept("Wani abu na biyu")
    house.work()
    assert house.say("goge")[-1] == house.words("erase-ask")
    house.accept("eh")
    house.work()
    house.app.keep_leases(house.now)
    assert house.rows("SELECT count(*) FROM people") == [(1,)]
    house.telegram.fail_next(SendLater(after=0.5))
    house.send()
    house.app.keep_leases(house.now)
    assert house.rows("SELECT count(*) FROM people") == [(1,)]
    house.now += 1
    house.send()
    assert house.telegram.texts()[-1] == house.words("erase-done")
    house.app.keep_leases(house.now)
    for table in ("people", "conversations", "messages", "jobs", "outbox", "consents"):
        assert house.rows(f"SELECT count(*) FROM {table}") == [(0,)]
    assert house.rows("SELECT action, actor FROM audit ORDER BY id DESC LIMIT 1") == [
        ("erase", "person")
    ]
    assert house.say(MALARIA) == [house.words("consent-ask")]


def test_erasure_refused_keeps_everything(house: House) -> None:
    house.agree()
    house.say("goge")
    assert house.say("a'a") == [house.words("erase-kept")]
    assert "amsa-ha" in house.say(MALARIA)[0]


# What the engine and the record see.


def test_the_engine_sees_the_last_turns(make_house: MakeHouse) -> None:
    engine = FakeEngine("Amsa ta farko.", "Amsa ta biyu.")
    house = make_house(tiny_mind(engine), memory_turns=2)
    house.agree()
    house.say("ina da ciwon kunne")
    house.say("ina da ciwon baya")
    past = [(past.role, past.text) for past in engine.requests[1].past]
    assert past == [("user", "ina da ciwon kunne"), ("assistant", "Amsa ta farko.")]


def test_every_answer_is_stamped(make_house: MakeHouse) -> None:
    house = make_house(tiny_mind(FakeEngine("Amsa.")))
    house.agree()
    house.say("ina da ciwon kunne")
    query = "SELECT source, engine, release, seconds >= 0 FROM messages WHERE direction = 'out'"
    assert house.rows(query)[-1] == ("model", "fake", "fake-1", 1)


# Parts.


def test_a_long_answer_goes_in_parts_in_order(make_house: MakeHouse) -> None:
    sentences = [f"Jimla ta {number} ta wannan amsa ce." for number in range(1, 30)]
    house = make_house(tiny_mind(FakeEngine(" ".join(sentences))))
    house.telegram.can = Capabilities(400, max_buttons=8, chat_burst=1000)
    house.agree()
    parts = house.say("ina da ciwon kunne")
    assert len(parts) > 2
    assert " ".join(parts).split() == " ".join(sentences).split()
    assert all(len(part) <= 400 for part in parts)


def test_buttons_go_with_the_last_part(house: House) -> None:
    house.telegram.can = Capabilities(340, max_buttons=8, chat_burst=1000)
    house.say("/start")
    *first, last = [sent.reply for sent in house.telegram.sent]
    assert first
    assert not any(reply.choices for reply in first)
    assert [choice.id for choice in last.choices] == ["service:yes", "service:no"]


def test_a_channel_that_was_switched_off_keeps_its_replies(house: House) -> None:
    channels = house.app.channels
    house.accept("taimako", channel="whatsapp")
    house.work()
    assert isinstance(channels, dict)
    off = channels.pop("whatsapp")
    assert house.send() == 0
    channels["whatsapp"] = off
    assert house.send() == 1


# The running service.


def test_threads_answer_and_stop(house: House) -> None:
    house.app.start_receiving()
    house.app.start_working()
    for number in range(20):
        house.telegram.deliver(_message(number))
    for _ in range(200):
        if len(house.telegram.sent) == 20:
            break
        house.app.runner._stop.wait(0.05)
    house.app.stop()
    assert sorted(sent.address for sent in house.telegram.sent) == sorted(map(str, range(20)))


def _message(number: int) -> Inbound:
    return Inbound("telegram", f"u{number}", str(number), str(number), text="taimako")


def test_readiness_names_what_is_wrong(house: House) -> None:
    ready = house.app.readiness()
    assert (ready["ready"], ready["reasons"], ready["engine"]) == (True, [], "library")
    assert ready["channels"] == ["telegram", "whatsapp"]
    with house.app.store.write() as connection:
        connection.exec_driver_sql("DELETE FROM alembic_version")
    ready = house.app.readiness()
    assert (ready["ready"], ready["reasons"]) == (False, ["database: run `lafiya migrate`"])


def test_a_channel_in_trouble_is_named_but_does_not_stop_the_page(house: House) -> None:
    house.whatsapp.in_trouble = "check TWILIO_AUTH_TOKEN"
    ready = house.app.readiness()
    assert (ready["ready"], ready["reasons"]) == (True, ["whatsapp: check TWILIO_AUTH_TOKEN"])


def test_a_message_that_nothing_can_answer_does_not_hold_up_the_next(house: House) -> None:
    house.agree()
    house.accept(MALARIA)
    with house.app.store.write() as connection:
        connection.execute(text("UPDATE messages SET kind = 'broken' WHERE direction = 'in'"))
        connection.execute(text("UPDATE jobs SET attempts = 18"))
    house.accept("taimako")
    for _ in range(5):
        house.work()
        house.now += 10
    house.send()
    assert house.telegram.texts()[-1] == house.words("help")
    assert house.rows("SELECT count(*) FROM jobs WHERE status <> 'done'") == [(0,)]
