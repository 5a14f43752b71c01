"""Rights and the short dialogues: consent, stop, erase, data, language, samples, status."""

from dataclasses import replace

import pytest

from bot.conversation import answer
from bot.effects import (
    AskedTraining,
    Consented,
    Effect,
    Erase,
    HandOver,
    Hold,
    Noticed,
    Outcome,
    SetLanguage,
    SetStopped,
    SetTopic,
    Unhold,
)
from bot.fakes import tiny_mind
from core.errors import EngineAbsent
from core.messages import Choice, Kind, Source, Turn
from inference.engine import FakeEngine

MIND = tiny_mind()
NOTICE = tiny_mind(ask_consent=False)
MALARIA = "Yaya ake hana malaria?"


def known(text: str, **changes: object) -> Turn:
    return replace(Turn(text, service=True, training_asked=True), **changes)  # type: ignore[arg-type]


def pressed(choice: str, **changes: object) -> Turn:
    return known("", kind=Kind.CHOICE, choice=choice, **changes)


def ids(outcome: Outcome) -> list[str]:
    return [choice.id for choice in outcome.answer.reply.choices]


# (label, turn, reason, effects, choices)
RIGHTS: list[tuple[str, Turn, str, tuple[Effect, ...], list[str]]] = [
    ("help", known("taimako"), "help", (), []),
    ("emergency numbers", known("gaggawa"), "emergency", (), []),
    ("stop", known("tsaya"), "stop-done", (SetStopped(True), Unhold()), []),
    (
        "stop again",
        known("tsaya", stopped=True),
        "stop-done",
        (SetStopped(True), Unhold()),
        [],
    ),
    ("start again", known("fara", stopped=True), "resumed", (SetStopped(False),), []),
    (
        "start again without consent",
        known("fara", stopped=True, service=None),
        "consent-ask",
        (SetStopped(False),),
        ["service:yes", "service:no"],
    ),
    ("erase asks first", known("goge"), "erase-ask", (), ["erase:yes", "erase:no"]),
    ("erase when stopped", known("goge", stopped=True), "erase-ask", (), ["erase:yes", "erase:no"]),
    ("erase without consent", Turn("goge"), "erase-ask", (), ["erase:yes", "erase:no"]),
    ("erase, yes", pressed("erase:yes"), "erase-done", (Erase(),), []),
    ("erase, no", pressed("erase:no"), "erase-kept", (), []),
    ("data", known("bayanaina"), "data-file", (HandOver(),), []),
    ("data when stopped", known("bayanaina", stopped=True), "data-file", (HandOver(),), []),
    ("language", known("harshe"), "language-ask", (), ["language:ha", "language:en"]),
    ("English by word", known("turanci"), "language-set", (SetLanguage("en"),), []),
    ("Hausa by word", known("hausa", language="en"), "language-set", (SetLanguage("ha"),), []),
    ("English by button", pressed("language:en"), "language-set", (SetLanguage("en"),), []),
    (
        "training",
        known("gudummawa"),
        "training-ask",
        (AskedTraining(),),
        ["training:yes", "training:no"],
    ),
    ("training, yes", pressed("training:yes"), "training-yes", (Consented("training", True),), []),
    ("training, no", pressed("training:no"), "training-no", (Consented("training", False),), []),
    (
        "service, no",
        pressed("service:no", service=None),
        "consent-no",
        (Consented("service", False), Unhold()),
        [],
    ),
]


@pytest.mark.parametrize(
    ("label", "turn", "reason", "effects", "choices"), RIGHTS, ids=[row[0] for row in RIGHTS]
)
def test_rights(
    label: str, turn: Turn, reason: str, effects: tuple[Effect, ...], choices: list[str]
) -> None:
    outcome = answer(turn, MIND)
    assert (outcome.answer.source, outcome.answer.reason) == (Source.SERVICE, reason)
    assert outcome.effects == effects
    assert ids(outcome) == choices


def test_a_new_language_is_spoken_at_once() -> None:
    assert answer(known("turanci"), MIND).answer.reply.text == MIND.texts("language-set", "en")
    back = answer(known("hausa", language="en"), MIND)
    assert back.answer.reply.text == MIND.texts("language-set", "ha")


# Consent for the service.


def test_start_welcomes_who_has_agreed() -> None:
    outcome = answer(known("/start"), MIND)
    assert outcome.answer.reason == "welcome"
    assert ids(outcome) == ["ask:sample-1", "ask:sample-2", "ask:sample-3", "ask:sample-4"]


def test_a_yes_without_a_question_welcomes() -> None:
    outcome = answer(pressed("service:yes", service=None), MIND)
    assert (outcome.answer.reason, outcome.effects) == ("welcome", (Consented("service", True),))


def test_a_yes_of_somebody_who_stopped_starts_again() -> None:
    outcome = answer(pressed("service:yes", service=None, stopped=True), MIND)
    assert outcome.effects == (Consented("service", True), SetStopped(False))


@pytest.mark.parametrize("service", [None, False])
def test_required_consent_is_asked_and_the_question_kept(service: bool | None) -> None:
    outcome = answer(known(MALARIA, service=service), MIND)
    assert (outcome.answer.reason, outcome.effects) == ("consent-ask", (Hold(),))
    assert ids(outcome) == ["service:yes", "service:no"]


def test_with_notice_a_question_is_answered_and_the_notice_shown_once() -> None:
    first = answer(Turn(MALARIA, training_asked=True), NOTICE)
    assert first.answer.reply.text.endswith(NOTICE.texts("notice", "ha"))
    assert first.effects == (SetTopic("malaria-prevention"), Noticed())
    again = answer(Turn(MALARIA, training_asked=True, noticed=True), NOTICE)
    assert NOTICE.texts("notice", "ha") not in again.answer.reply.text
    assert again.effects == (SetTopic("malaria-prevention"),)


def test_on_the_page_sending_is_the_consent() -> None:
    outcome = answer(Turn(MALARIA, consent_on_page=True), MIND)
    assert outcome.answer.source is Source.LIBRARY
    assert Consented("service", True) in outcome.effects
    again = answer(Turn(MALARIA, consent_on_page=True, service=True), MIND)
    assert Consented("service", True) not in again.effects


# Consent for training: asked apart, once, after the second answer.


def test_training_is_asked_for_beside_the_second_answer() -> None:
    first = answer(known(MALARIA, training_asked=False, answered=0), MIND)
    assert ids(first) == ["do:more"]
    second = answer(known(MALARIA, training_asked=False, answered=1), MIND)
    assert ids(second) == ["training:yes", "training:no"]
    assert second.effects == (SetTopic("malaria-prevention"), AskedTraining())
    assert second.answer.reply.text.endswith(MIND.texts("training-ask", "ha"))
    assert second.answer.topic == "malaria-prevention"


def test_training_is_not_asked_for_again() -> None:
    assert ids(answer(known(MALARIA, answered=5), MIND)) == ["do:more"]


@pytest.mark.parametrize("text", ["sannu", "wa ya ci kwallo", "ina da ciwon kunne", "🤒"])
def test_training_is_asked_for_beside_real_answers_only(text: str) -> None:
    outcome = answer(known(text, training_asked=False, answered=3), MIND)
    assert AskedTraining() not in outcome.effects


def test_training_is_not_asked_for_beside_a_fallback() -> None:
    mind = tiny_mind(FakeEngine(EngineAbsent()))
    outcome = answer(known("ina da ciwon kunne", training_asked=False, answered=3), mind)
    assert AskedTraining() not in outcome.effects


@pytest.mark.parametrize(
    ("label", "text", "word"),
    [
        ("yes", "eh", True),
        ("no", "a'a", False),
        ("number", "2", False),
        ("label", "Na yarda", True),
    ],
)
def test_training_is_answered_in_words(label: str, text: str, word: bool) -> None:
    menu = (Choice("training:yes", "Na yarda"), Choice("training:no", "A'a"))
    assert answer(known(text, menu=menu), MIND).effects == (Consented("training", word),)


def test_a_consent_of_one_kind_is_none_of_the_other() -> None:
    menu = (Choice("training:yes", "Na yarda"), Choice("training:no", "A'a"))
    outcome = answer(known("eh", service=False, menu=menu, waiting_text=MALARIA), MIND)
    assert outcome.effects == (Consented("training", True),)


# Menus.


def test_a_question_beside_an_open_menu_is_a_question() -> None:
    menu = (Choice("erase:yes", "Eh"), Choice("erase:no", "A'a"))
    for text in (MALARIA, "3", "12", "eh malaria"):
        assert Erase() not in answer(known(text, menu=menu), MIND).effects


@pytest.mark.parametrize("text", ["1", "1.", " 1 ", "eh", "Eh!", "EE"])
def test_a_menu_is_answered_by_number_or_word(text: str) -> None:
    menu = (Choice("erase:yes", "Eh"), Choice("erase:no", "A'a"))
    assert answer(known(text, menu=menu), MIND).effects == (Erase(),)


def test_a_yes_means_nothing_where_nothing_was_asked() -> None:
    menu = (Choice("topic:fever-adult", "Zazzaɓi"), Choice("topic:diabetes-diet", "Sukari"))
    assert answer(known("eh", menu=menu), MIND).answer.source is Source.FALLBACK


# Status.


@pytest.mark.parametrize("text", ["/status", "status", "yanayi"])
def test_status_is_for_admins_only(text: str) -> None:
    report = answer(known(text, is_admin=True), MIND)
    assert (report.answer.reason, report.answer.reply.text) == ("status", "status ha")
    assert answer(known(text), MIND).answer.reason != "status"
