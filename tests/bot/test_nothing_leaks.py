"""Invariant 9: nothing that a person wrote, nor who they are, in a log line or a metric."""

import logging

import pytest

from bot.fakes import FakeLibrary, FakeTriage, tiny_mind
from core import logs
from core.errors import SendDoubtful, SendLater, SendRefused
from core.messages import DeliveryReport, Inbound, Kind
from inference.engine import FakeEngine
from tests.bot.conftest import House, MakeHouse

NAME = "Garba Danladi"
NUMBER = "48123459876"
SECRETS = ("kunnena", "mijina", "Garba", "Danladi", NUMBER, "yarona", "xyzzy")


def a_whole_life(house: House) -> None:
    """Everything that can happen to one person's messages."""
    person = {"name": NAME, "who": NUMBER}
    house.say("kunnena yana ciwo mijina", **person)
    house.say("eh", **person)
    house.say("kunnena kuma", **person)
    house.say("yarona yana suma", **person)
    house.say("yarona", **person, kind=Kind.PHOTO)
    house.say("yarona malaria", **person, edited=True)
    for fault in (SendLater(code="429"), SendDoubtful("xyzzy"), SendRefused("xyzzy", code="403")):
        house.telegram.fail_next(fault)
        house.say("taimako", **person)
        house.now += 30
    house.telegram.fail_next(RuntimeError(f"xyzzy {NUMBER}"))  # type: ignore[arg-type]
    house.say("bayanaina", **person)
    house.accept("kunnena", external_id="u99", **person)
    house.accept("kunnena", external_id="u99", **person)
    house.app.report(DeliveryReport("telegram", "fake-1", "failed", "30008"))
    house.say("goge", **person)
    house.say("eh", **person)
    house.app.keep_leases(house.now + 60)
    house.app.keep_house(house.now + 60)


def seen(records: list[logging.LogRecord]) -> str:
    """All that any handler could print of the records."""
    lines = [str(record.__dict__) for record in records]
    for form in (logs._JsonLines(), logs._PlainLines(), logging.Formatter()):
        lines += [form.format(record) for record in records]
    return "\n".join(lines)


@pytest.mark.parametrize("broken", [False, True])
def test_a_whole_life_leaves_no_word_in_log_or_metrics(
    make_house: MakeHouse, caplog: pytest.LogCaptureFixture, broken: bool
) -> None:
    caplog.set_level(logging.DEBUG)
    fault = RuntimeError("kunnena mijina xyzzy") if broken else None
    engine = FakeEngine(*[RuntimeError("kunnena xyzzy")] * 9)
    mind = tiny_mind(engine, triage=FakeTriage(fault), library=FakeLibrary(fault))
    house = make_house(mind, admins="telegram:900", log_level="DEBUG")
    a_whole_life(house)
    assert len(caplog.records) > 20
    printed = seen(caplog.records)
    metrics = house.app.metrics_page().decode()
    for secret in SECRETS:
        assert secret.lower() not in printed.lower()
        assert secret.lower() not in metrics.lower()


def test_a_repr_shows_nothing_either(house: House) -> None:
    person = Inbound("telegram", "u1", NUMBER, NUMBER, text="kunnena", name=NAME)
    assert not [secret for secret in SECRETS if secret in repr(person)]


def test_metrics_count_what_happened(house: House) -> None:
    house.agree()
    house.say("malaria")
    house.say("yarona yana suma")
    page = house.app.metrics_page().decode()
    for line in (
        'lafiya_messages_received_total{channel="telegram"} 3.0',
        'lafiya_messages_answered_total{channel="telegram",source="library"} 1.0',
        'lafiya_danger_signs_total{sign="unconscious"} 1.0',
        'lafiya_sends_total{channel="telegram",outcome="sent"} 3.0',
        'lafiya_jobs{status="queued"} 0.0',
    ):
        assert line in page
