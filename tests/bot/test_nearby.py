"""Facilities by name: asked for, under answers, in an emergency; and never without a file."""

from dataclasses import replace

import pytest

from bot import nearby
from bot.conversation import answer
from bot.effects import Alert
from bot.fakes import tiny_mind
from bot.mind import Mind
from core.messages import Past, Source, Turn
from inference.engine import FakeEngine
from knowledge.facilities import Facilities

# Invented for the tests, and so named.
TABLE = """state,lga,name,kind,address,phone
Katsina,Funtua,Gwaji PHC,phc,,
Katsina,Funtua,Gwaji General,general,Titin Gwaji,0800 000 0001
Kano,Gaya,Gwaji Gaya,phc,,
"""
DANGER = "Yarona yana suma"


@pytest.fixture(scope="module")
def facilities(tmp_path_factory: pytest.TempPathFactory) -> Facilities:
    path = tmp_path_factory.mktemp("operator") / "facilities.csv"
    path.write_text(TABLE, encoding="utf-8")
    return Facilities.load(path)


@pytest.fixture
def mind(facilities: Facilities) -> Mind:
    return tiny_mind(facilities=facilities)


def known(text: str, *past: str, **changes: object) -> Turn:
    said = tuple(Past("user", line) for line in past)
    turn = Turn(text, service=True, training_asked=True, past=said)
    return replace(turn, **changes)  # type: ignore[arg-type]


ASKS = [
    "ina asibiti mafi kusa?",
    "Asibitin da ya fi kusa da ni",
    "a ina zan samu asibiti",
    "ina akwai klinik a nan",
    "wane asibiti zan je",
    "nearest hospital please",
    "where is the nearest clinic",
    "where can I find a health centre",
    "asibiti a Funtua",
    "lambar asibitin Funtua",
    "ina cibiyar lafiya mafi kusa",
    "ina CSI mafi kusa a Zinder",
]
ASKS_NOT = [
    "ina asibiti yanzu tare da yarona",
    "ciwon kai nake ji",
    "an ce in je asibiti, me zan tafi da shi",
    "a ina ake gwajin HIV kyauta",
    "likita ya ce in dawo asibiti gobe",
    "yaushe zan kai yaro asibiti allura",
    "ko haihuwa a asibiti ta fi ta gida",
]


@pytest.mark.parametrize("text", ASKS)
def test_who_asks_is_answered(mind: Mind, text: str) -> None:
    outcome = nearby.asked(known(text), mind)
    assert outcome is not None
    assert outcome.answer.source is Source.SERVICE


@pytest.mark.parametrize("text", ASKS_NOT)
def test_who_asks_something_else_is_not(mind: Mind, text: str) -> None:
    assert nearby.asked(known(text), mind) is None


def test_a_place_not_said_is_asked_for_and_its_answer_understood(mind: Mind) -> None:
    first = answer(known("ina asibiti mafi kusa"), mind).answer
    assert (first.reason, first.reply.text) == ("nearby-ask", mind.say(known(""), "nearby-ask"))
    second = answer(known("Funtuwa, jihar Katsina", "ina asibiti mafi kusa"), mind).answer
    assert second.reply.text.splitlines() == [
        "Asibiti ko cibiyar lafiya a Funtua, Katsina:",
        "• Gwaji PHC (Funtua, Katsina)",
        "• Gwaji General (Titin Gwaji, Funtua, Katsina): 0800 000 0001",
    ]


def test_a_place_said_before_is_remembered_and_the_latest_counts(mind: Mind) -> None:
    turn = known("ina asibiti mafi kusa", "ina zaune a Funtua", "yanzu muna karamar hukumar Gaya")
    assert "Gwaji Gaya" in answer(turn, mind).answer.reply.text
    assert "Gwaji PHC" not in answer(turn, mind).answer.reply.text


def test_a_place_without_a_facility_is_said_honestly(mind: Mind) -> None:
    said = answer(known("ina asibiti mafi kusa a Sokoto"), mind).answer.reply.text
    assert said.startswith("Babu sunan asibiti a Sokoto")
    assert "112" in said
    assert "Gwaji" not in said


def test_an_emergency_comes_first_whole_and_with_the_hospital(mind: Mind) -> None:
    plain = answer(known(DANGER), tiny_mind()).answer.reply.text
    outcome = answer(known(f"{DANGER} muna a Funtua"), mind)
    first, _, rest = outcome.answer.reply.text.partition("\n\n")
    assert first == plain
    assert rest.splitlines()[1].startswith("• Gwaji General")
    assert outcome.effects == (Alert("unconscious", "now"),)


def test_an_emergency_without_a_place_asks_for_it_last(mind: Mind) -> None:
    plain = answer(known(DANGER), tiny_mind()).answer.reply.text
    assert answer(known(DANGER), mind).answer.reply.text == (
        f"{plain}\n\n{mind.say(known(''), 'nearby-tell')}"
    )


def test_an_emergency_where_the_list_has_nothing_is_left_alone(mind: Mind) -> None:
    turn = known(f"{DANGER} a Sokoto")
    assert answer(turn, mind).answer.reply.text == answer(turn, tiny_mind()).answer.reply.text


def test_answers_name_facilities_once(mind: Mind) -> None:
    turn = known("malaria ta dame ni a Funtua")
    first = answer(turn, mind).answer
    assert first.source is Source.LIBRARY
    assert "Gwaji PHC" in first.reply.text
    past = (Past("user", turn.text), Past("assistant", first.reply.text))
    again = answer(known("sukari", past=past), mind).answer
    assert again.source is Source.LIBRARY
    assert "Gwaji" not in again.reply.text


def test_a_models_answer_names_them_too(facilities: Facilities) -> None:
    mind = tiny_mind(FakeEngine("Ku je asibiti."), facilities=facilities)
    written = answer(known("wani abu ya dame ni a Gaya jihar Kano"), mind).answer
    assert written.source is Source.MODEL
    assert written.reply.text.endswith("• Gwaji Gaya (Gaya, Kano)")


@pytest.mark.parametrize("text", [*ASKS, "Funtua", f"{DANGER} a Funtua", "malaria a Funtua"])
def test_without_a_file_nothing_is_named_or_asked(text: str) -> None:
    outcome = answer(known(text), tiny_mind())
    assert "nearby" not in (outcome.answer.reason or "")
    assert "Gwaji" not in outcome.answer.reply.text


def test_consent_comes_before(mind: Mind) -> None:
    outcome = answer(known("ina asibiti mafi kusa", service=None), mind)
    assert outcome.answer.reason == "consent-ask"


def test_english(mind: Mind) -> None:
    turn = known("where is the nearest hospital in Funtua", language="en")
    assert answer(turn, mind).answer.reply.text.startswith("Hospital or health centre in Funtua")
