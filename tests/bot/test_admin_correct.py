"""Answers are put right from a chat: what is shown, what is kept, taught and erased."""

import pytest

from bot import conversation
from bot.fakes import FakeGuard, tiny_mind
from cli.trainer import VETTED, from_store
from core.messages import Turn
from inference.engine import FakeEngine
from storage import consented
from tests.bot.clinic import open_clinic

QUESTION, ANSWER = "ina da ciwon kunne", "A je asibiti yau, kada a sa komai a kunne."


@pytest.fixture
def clinic(sqlite_url, tmp_path):
    """2 agreed to training and was answered by the model, 4 to the service only."""
    engine = FakeEngine()
    engine.answers += ["Amsar samfuri."] * 9
    clinic = open_clinic(tiny_mind(engine), sqlite_url, tmp_path / "shelf")
    clinic.english()
    for who, word in (("2", "yes"), ("4", "no")):
        clinic.agree(who)
        clinic.press(f"training:{word}", who)
        clinic.say(f"{QUESTION} {who}", who)
    yield clinic
    clinic.app.stop()


def number(clinic):
    """The number of the only question that /answers shows."""
    clinic.order("/answers")
    [shown] = [s.reply.text for s in clinic.telegram.sent if s.reply.text.startswith("#")]
    return shown.split("\n")[0].removeprefix("#")


def taught(clinic):
    return [(e.question, e.answer) for e in consented.exchanges(clinic.app.store, VETTED)]


def test_an_answer_is_shown_put_right_and_taught(clinic):
    told = clinic.order("/answers")
    assert told.startswith("Above are 1 answers")
    shown = (
        clinic.telegram.sent[-2].reply.text if "#" in clinic.telegram.sent[-2].reply.text else ""
    )
    shown = shown or clinic.telegram.sent[-1].reply.text
    assert shown.split("\n")[1:] == [
        f"They asked: {QUESTION} 2",
        "We answered: Amsar samfuri.",
    ]
    one = shown.split("\n")[0].removeprefix("#")
    assert taught(clinic) == []
    assert f"#{one} is noted" in clinic.order(f"/correct {one} {ANSWER}")
    assert taught(clinic) == [(f"{QUESTION} 2", ANSWER)]
    assert clinic.order("/answers").startswith("There is no answer now")
    clinic.order(f"/gyara #{one} {ANSWER} A huta.")
    assert taught(clinic) == [(f"{QUESTION} 2", f"{ANSWER} A huta.")]
    [row] = from_store(clinic.app.store)
    assert row.turns[1].text == f"{ANSWER} A huta."
    assert ("correct", clinic.audit()[-1][1]) in clinic.audit()


def test_what_the_service_asks_beside_an_answer_is_neither_shown_nor_taught(clinic):
    ask = clinic.words("training-ask")
    [said] = clinic.say("zazzabi", "2")
    assert said.endswith(ask), "their second answer"
    [row] = from_store(clinic.app.store)
    assert (row.turns[0].text, row.turns[1].text) == ("zazzabi", said.removesuffix(f"\n\n{ask}"))
    clinic.agree("5")
    clinic.press("training:yes", "5")
    clinic.say("zazzabi", "5")
    [said] = clinic.say(f"{QUESTION} 5", "5")
    assert ask in said
    clinic.order("/answers")
    shown = [s.reply.text for s in clinic.telegram.sent if "We answered" in s.reply.text]
    assert len(shown) == 2
    assert not any(ask in text for text in shown)


def test_nobody_is_sent_a_correction_and_no_page_or_figure_has_it(clinic):
    one, before = number(clinic), len(clinic.telegram.sent)
    clinic.order(f"/correct {one} {ANSWER}")
    assert [s.address for s in clinic.telegram.sent[before:]] == ["1"]
    from storage import reports, threads

    shown = threads.shown(clinic.app.store, "telegram", "2", after=0)
    assert ANSWER not in [message.text for message in shown]
    assert "corrected" not in reports.load(clinic.app.store, now=clinic.now).sources


def test_whoever_withdraws_or_erases_is_taught_no_more_and_forgotten(clinic):
    one = number(clinic)
    clinic.order(f"/correct {one} {ANSWER}")
    clinic.press("training:no", "2")
    assert taught(clinic) == []
    clinic.press("training:yes", "2")
    assert len(taught(clinic)) == 1
    assert f"{QUESTION} 2" in everything(clinic)
    clinic.say("goge", "2")
    clinic.press("erase:yes", "2")
    assert taught(clinic) == []
    assert f"{QUESTION} 2" not in everything(clinic), "nor in what the admin was shown"
    said = clinic.order(f"/correct {one} {ANSWER}")
    assert "No question" in said


def everything(clinic):
    """Every message and every part that the store holds."""
    rows = clinic.rows("SELECT body FROM messages") + clinic.rows("SELECT body FROM outbox")
    return "\n".join(body for (body,) in rows)


def test_what_was_shown_is_forgotten_by_the_housekeeping(clinic):
    number(clinic)
    assert everything(clinic).count("They asked:") == 2
    clinic.app.keep_house(clinic.now)
    assert "They asked:" not in everything(clinic)


@pytest.mark.parametrize("rest", ["", "x y", "12", "9 A huta. " + "a" * 1500])
def test_what_is_no_correction_is_explained(clinic, rest):
    assert clinic.order(f"/correct {rest}").startswith("Write the number from /answers")


@pytest.mark.parametrize("number", ["0", "99999", "9" * 30])
def test_what_may_not_be_taught_is_not(clinic, number):
    assert f"No question #{number} may be taught" in clinic.order(f"/correct {number} {ANSWER}")


def test_a_question_without_consent_is_not_corrected(clinic):
    [[theirs]] = clinic.rows("SELECT id FROM messages WHERE body = :body", body=f"{QUESTION} 4")
    assert "No question" in clinic.order(f"/correct {theirs} {ANSWER}")
    assert taught(clinic) == []


def test_what_the_guard_would_hold_back_is_not_taught(sqlite_url, tmp_path):
    engine = FakeEngine()
    engine.answers += ["Amsar samfuri."]
    mind = tiny_mind(engine, guard=FakeGuard(reason="dose", bad="500 mg"))
    clinic = open_clinic(mind, sqlite_url, tmp_path / "shelf")
    clinic.english()
    clinic.agree("2")
    clinic.press("training:yes", "2")
    clinic.say(QUESTION, "2")
    one = number(clinic)
    assert "(rule: dose)" in clinic.order(f"/correct {one} A sha 500 mg.")
    assert taught(clinic) == []
    clinic.app.stop()


def test_a_danger_that_a_correction_names_is_no_alarm(clinic):
    one = number(clinic)
    clinic.order(f"/correct {one} Idan yana suma, a je asibiti yanzu.")
    assert taught(clinic)[0][1].startswith("Idan yana suma")
    emergencies = "SELECT count(*) FROM messages WHERE source = 'danger_sign'"
    assert clinic.rows(emergencies) == [(0,)]
    others = Turn("/correct 1 yana suma", service=True)
    assert conversation.answer(others, tiny_mind()).answer.danger_sign == "unconscious"
