"""How one message is answered: the order of safety, and every source of an answer."""

from dataclasses import replace

import pytest

from bot import conversation
from bot.conversation import answer
from bot.effects import Alert, Consented, Hold, Outcome, SetTopic, Unhold
from bot.fakes import TOPICS, FakeGuard, FakeLibrary, FakeTriage, tiny_mind
from bot.mind import Mind
from core.errors import EngineAbsent, EngineBusy, EngineError, EngineTimeout
from core.messages import Choice, Kind, Past, Source, Turn
from inference.engine import EchoEngine, FakeEngine, Passage

DANGER = "Yarona yana suma"
MALARIA = "Yaya ake hana malaria?"
MIND = tiny_mind()


def known(text: str, **changes: object) -> Turn:
    """A turn of somebody who has consented and is not new."""
    turn = Turn(text, service=True, training_asked=True)
    return replace(turn, **changes)  # type: ignore[arg-type]


def source(outcome: Outcome) -> tuple[Source, str | None]:
    return outcome.answer.source, outcome.answer.reason


# What goes before what.

STATES = [
    ("newcomer", {"service": None}),
    ("refused consent", {"service": False}),
    ("stopped", {"stopped": True}),
    ("over the rate limit", {"last_minute": 500}),
    ("with a menu open", {"menu": (Choice("erase:yes", "Eh"),)}),
    ("with a question waiting", {"service": None, "waiting_text": MALARIA}),
    ("on the page", {"service": None, "consent_on_page": True}),
    ("an edit", {"edited": True}),
    ("a caption", {"kind": Kind.PHOTO}),
    ("in a group", {"kind": Kind.GROUP}),
    ("English", {"language": "en"}),
]


@pytest.mark.parametrize(("label", "state"), STATES, ids=[state[0] for state in STATES])
def test_a_danger_sign_is_answered_before_anything_else(label: str, state: dict) -> None:
    outcome = answer(known(DANGER, **state), MIND)
    assert outcome.answer.source is Source.DANGER_SIGN
    assert (outcome.answer.danger_sign, outcome.answer.urgency) == ("unconscious", "now")
    assert "112" in outcome.answer.reply.text
    assert outcome.effects == (Alert("unconscious", "now"),)


def test_a_danger_sign_needs_no_model_and_no_library() -> None:
    engine = FakeEngine()
    mind = tiny_mind(engine, library=FakeLibrary(fault=RuntimeError("no index")))
    outcome = answer(known(DANGER), mind)
    assert outcome.answer.source is Source.DANGER_SIGN
    assert not engine.requests


def test_a_danger_sign_still_names_the_topic() -> None:
    outcome = answer(known(f"{DANGER} da gudawa"), MIND)
    assert outcome.answer.topic == "diarrhoea-child"
    assert [found.id for found in outcome.answer.passages] == ["diarrhoea-child"]


ORDER = [
    ("a command before the stop", "taimako", {"stopped": True}, "help"),
    ("a command before consent", "taimako", {"service": None}, "help"),
    ("a command before the rate limit", "tsaya", {"last_minute": 500}, "stop-done"),
    ("the stop before consent", MALARIA, {"stopped": True, "service": None}, "stopped"),
    ("the stop before the rate limit", MALARIA, {"stopped": True, "last_minute": 500}, "stopped"),
    ("a voice note before consent", "", {"kind": Kind.VOICE, "service": None}, "voice"),
    ("consent before the rate limit", MALARIA, {"service": None, "last_minute": 9}, "consent-ask"),
    ("the rate limit before the library", MALARIA, {"last_minute": 21}, "too-many"),
]


@pytest.mark.parametrize(
    ("label", "text", "state", "reason"), ORDER, ids=[case[0] for case in ORDER]
)
def test_the_order_of_the_rest(label: str, text: str, state: dict, reason: str) -> None:
    assert source(answer(known(text, **state), MIND)) == (Source.SERVICE, reason)


def test_the_limit_itself_is_still_answered() -> None:
    assert answer(known(MALARIA, last_minute=20), MIND).answer.source is Source.LIBRARY


# Triage.


def test_a_finding_in_a_harmless_context_adds_the_note() -> None:
    outcome = answer(known("Yaya ake hana suma saboda malaria?"), MIND)
    assert source(outcome) == (Source.LIBRARY, "context:unconscious")
    assert outcome.answer.danger_sign is None
    assert outcome.answer.reply.text.endswith(MIND.triage.safety_note("unconscious", "ha"))
    assert not any(isinstance(effect, Alert) for effect in outcome.effects)


@pytest.mark.parametrize(
    ("label", "text", "language", "lead"),
    [
        ("French", f"bonjour, {DANGER}", "ha", "urgent-french"),
        ("Hausa", DANGER, "ha", None),
        ("French to who chose English", f"bonjour, {DANGER}", "en", None),
    ],
)
def test_who_cries_for_help_in_another_language_is_told_in_it_to_go(
    label: str, text: str, language: str, lead: str | None
) -> None:
    turn = known(text, language=language)
    said = answer(turn, MIND).answer.reply.text
    vetted = MIND.fill(turn, MIND.triage.reply("unconscious", language))
    assert said == (f"{MIND.say(turn, lead)}\n\n{vetted}" if lead else vetted), label


def test_an_emergency_does_not_need_the_detector(caplog: pytest.LogCaptureFixture) -> None:
    mind = replace(MIND, detector=Broken())
    assert answer(known(DANGER), mind).answer.danger_sign == "unconscious"
    assert "language.failed" in caplog.messages


class Broken:
    """A detector that fails."""

    def detect(self, text: str) -> str:
        raise RuntimeError("no model")


def test_a_triage_that_fails_is_no_finding_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    mind = tiny_mind(triage=FakeTriage(fault=RuntimeError(DANGER)))
    assert answer(known(MALARIA), mind).answer.source is Source.LIBRARY
    assert [record.message for record in caplog.records] == ["triage.failed"]
    assert DANGER not in str([record.__dict__ for record in caplog.records])


# The library.


@pytest.mark.parametrize(("language", "part"), [("ha", "amsa-ha"), ("en", "amsa-en")])
def test_a_certain_match_is_answered_word_for_word(language: str, part: str) -> None:
    engine = FakeEngine()
    outcome = answer(known(MALARIA, language=language), tiny_mind(engine))
    text = TOPICS["malaria"].first(language)
    assert source(outcome) == (Source.LIBRARY, None)
    assert part in outcome.answer.reply.text
    assert outcome.answer.reply.text == MIND.fill(known("", language=language), text)
    assert [choice.id for choice in outcome.answer.reply.choices] == ["do:more"]
    assert outcome.effects == (SetTopic("malaria-prevention"),)
    assert not engine.requests


def test_the_country_chooses_the_number() -> None:
    texts = {
        country: answer(known(MALARIA, country=country), MIND).answer.reply.text
        for country in ("NG", "NE", None)
    }
    assert "112" in texts["NG"]
    assert "15" in texts["NE"]
    assert "112" not in texts["NE"]
    assert {"112", "15"} <= set(texts[None].replace("(", " ").split())


def test_an_unsure_match_offers_the_topics() -> None:
    outcome = answer(known("malaria ko zazzabi ko gudawa ko sukari"), MIND)
    assert source(outcome) == (Source.FALLBACK, "no_model")
    ids = [choice.id for choice in outcome.answer.reply.choices]
    assert ids == ["topic:malaria-prevention", "topic:diarrhoea-child", "topic:diabetes-diet"]
    assert outcome.effects == (SetTopic(None),)


def test_a_likely_topic_is_shown_under_its_title() -> None:
    outcome = answer(known("kusan malaria da zazzabi"), MIND)
    assert source(outcome) == (Source.LIBRARY, "likely:no_model")
    assert outcome.answer.reply.text.startswith("Amsa game da: Hana malaria")
    assert [choice.id for choice in outcome.answer.reply.choices] == ["topic:fever-adult"]
    assert outcome.effects == (SetTopic("malaria-prevention"),)


def test_a_chosen_topic_is_answered() -> None:
    menu = (Choice("topic:fever-adult", "Zazzaɓi"), Choice("topic:diabetes-diet", "Sukari"))
    for turn in (known("2", menu=menu), known("sukari", menu=menu)):
        assert answer(turn, MIND).answer.topic == "diabetes-diet"


@pytest.mark.parametrize(
    ("label", "turn"),
    [
        ("button", known("Ƙari", kind=Kind.CHOICE, choice="do:more", topic="fever-adult")),
        ("word", known("ƙari", topic="fever-adult")),
        ("number", known("1", menu=(Choice("do:more", "Ƙari"),), topic="fever-adult")),
        ("slash", known("/more", topic="fever-adult")),
    ],
)
def test_more_of_the_last_topic(label: str, turn: Turn) -> None:
    outcome = answer(turn, MIND)
    assert outcome.answer.source is Source.LIBRARY
    assert "kari-ha" in outcome.answer.reply.text
    assert "a guji-ha" in outcome.answer.reply.text
    assert "WHO, 2024" in outcome.answer.reply.text


@pytest.mark.parametrize("topic", [None, "withdrawn-topic"])
def test_more_of_nothing_says_so(topic: str | None) -> None:
    assert source(answer(known("ƙari", topic=topic), MIND)) == (Source.SERVICE, "more-none")


def test_a_withdrawn_topic_that_is_chosen_is_searched_by_its_label() -> None:
    turn = known("Hana malaria", kind=Kind.CHOICE, choice="topic:withdrawn")
    assert answer(turn, MIND).answer.topic == "malaria-prevention"


def test_a_library_that_fails_is_logged_and_the_engine_asked() -> None:
    mind = tiny_mind(FakeEngine("Amsa."), library=FakeLibrary(fault=RuntimeError("no index")))
    assert answer(known(MALARIA), mind).answer.source is Source.MODEL


DECLINED = [
    ("off topic", "wa ya ci kwallo jiya", (Source.FALLBACK, "off_topic")),
    ("other language", "bonjour mes amis", (Source.FALLBACK, "other_language")),
    ("other language about a known topic", "bonjour malaria", (Source.LIBRARY, None)),
    ("greeting", "sannu", (Source.SERVICE, "greeting")),
    ("salam", "assalamu alaikum", (Source.SERVICE, "greeting-salam")),
    ("salam and a question", "assalamu alaikum malaria", (Source.LIBRARY, None)),
    ("thanks", "na gode", (Source.SERVICE, "thanks")),
    ("unknown", "ina da ciwon kunne", (Source.FALLBACK, "no_model")),
    ("emoji", "🤒🤒", (Source.SERVICE, "unreadable:none")),
    ("digits", "12345", (Source.SERVICE, "unreadable:none")),
    ("Ajami", "ينا چيوون كاي", (Source.SERVICE, "unreadable:ajami")),
    ("empty", "", (Source.SERVICE, "empty")),
    ("blanks", " \n\t ", (Source.SERVICE, "empty")),
    ("5 KB with a topic", "malaria " * 700, (Source.LIBRARY, None)),
    ("5 KB of nothing known", "abc def " * 640, (Source.FALLBACK, "no_model")),
]


@pytest.mark.parametrize(
    ("label", "text", "expected"), DECLINED, ids=[case[0] for case in DECLINED]
)
def test_what_no_model_is_needed_for(
    label: str, text: str, expected: tuple[Source, str | None]
) -> None:
    assert source(answer(known(text), MIND)) == expected


def test_a_long_message_without_a_topic_is_asked_to_be_short() -> None:
    outcome = answer(known("abc def " * 640), MIND)
    assert outcome.answer.reply.text == MIND.say(known(""), "too-long")


# Media, edits, groups.

MEDIA = [
    (Kind.VOICE, "voice"),
    (Kind.PHOTO, "photo"),
    (Kind.VIDEO, "photo"),
    (Kind.DOCUMENT, "document"),
    (Kind.STICKER, "sticker"),
    (Kind.LOCATION, "location"),
    (Kind.CONTACT, "contact"),
    (Kind.OTHER, "other"),
    (Kind.GROUP, "group"),
]


@pytest.mark.parametrize(("kind", "reason"), MEDIA)
@pytest.mark.parametrize("service", [True, None])
def test_media_without_words(kind: Kind, reason: str, service: bool | None) -> None:
    outcome = answer(known("", kind=kind, service=service), MIND)
    assert source(outcome) == (Source.SERVICE, reason)
    assert outcome.effects == ()


def test_every_kind_has_its_row() -> None:
    assert {kind for kind, _ in MEDIA} == set(conversation.MEDIA)
    assert set(conversation.MEDIA) == set(Kind) - {Kind.TEXT, Kind.CHOICE}


@pytest.mark.parametrize("kind", [kind for kind, _ in MEDIA if kind is not Kind.GROUP])
def test_a_caption_is_answered_and_what_was_not_seen_is_said(kind: Kind) -> None:
    outcome = answer(known(MALARIA, kind=kind), MIND)
    assert outcome.answer.source is Source.LIBRARY
    assert outcome.answer.reply.text.startswith(MIND.say(known(""), "attachment-note"))


@pytest.mark.parametrize("text", [MALARIA, "goge", "tsaya", "eh", "1"])
def test_a_group_gets_one_sentence_and_changes_nothing(text: str) -> None:
    menu = (Choice("erase:yes", "Eh"), Choice("erase:no", "A'a"))
    outcome = answer(known(text, kind=Kind.GROUP, service=None, menu=menu), MIND)
    assert source(outcome) == (Source.SERVICE, "group")
    assert outcome.effects == ()


def test_an_edit_is_answered_and_said_to_be_seen() -> None:
    outcome = answer(known(MALARIA, edited=True), MIND)
    assert outcome.answer.reply.text.startswith(MIND.say(known(""), "edited-note"))
    assert outcome.answer.topic == "malaria-prevention"


def test_a_pressed_sample_is_asked_in_full() -> None:
    outcome = answer(known("Hana malaria", kind=Kind.CHOICE, choice="ask:sample-3"), MIND)
    assert outcome.answer.topic == "malaria-prevention"


@pytest.mark.parametrize("choice", ["ask:sample-9", "topic:", "do:", "do:dance", "", ":", "x:yes"])
def test_an_unknown_choice_is_read_by_its_label(choice: str) -> None:
    turn = known("malaria", kind=Kind.CHOICE, choice=choice)
    assert answer(turn, MIND).answer.topic == "malaria-prevention"


def test_an_unknown_choice_without_a_label_is_said_not_to_be_understood() -> None:
    turn = known("", kind=Kind.CHOICE, choice="x:y")
    assert source(answer(turn, MIND)) == (Source.SERVICE, "other")


# The engine.

ASKED = "ina da ciwon kunne"
FAULTS = [
    (EngineAbsent(), "no_model"),
    (EngineBusy(), "engine_busy"),
    (EngineTimeout(), "engine_timeout"),
    (EngineError("HTTP 500"), "engine_error"),
    (RuntimeError(ASKED), "engine_failed"),
    (MemoryError(), "engine_failed"),
    (KeyError(ASKED), "engine_failed"),
]


@pytest.mark.parametrize(("fault", "reason"), FAULTS, ids=[type(f[0]).__name__ for f in FAULTS])
def test_whatever_the_engine_raises_is_a_fallback(
    fault: Exception, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    outcome = answer(known(ASKED), tiny_mind(FakeEngine(fault)))
    assert source(outcome) == (Source.FALLBACK, reason)
    assert outcome.answer.reply.text == MIND.say(known(""), "fallback")
    assert ASKED not in str([record.__dict__ for record in caplog.records])


@pytest.mark.parametrize("language", ["ha", "en"])
def test_a_late_answer_is_what_was_seen_and_says_that_it_is_not_all(language: str) -> None:
    seen: list[str] = []
    mind = tiny_mind(FakeEngine("A je asibiti yau nan da nan. Sannan a sha", late=True))
    turn = known(ASKED, language=language)
    outcome = answer(turn, mind, seen.append)
    assert source(outcome) == (Source.MODEL, "engine_timeout")
    assert outcome.answer.release == "fake-1"
    note = mind.say(turn, "late-note")
    assert outcome.answer.reply.text == f"{seen[-1]}\n\n{note}"


def test_the_model_remembers_answers_and_not_what_was_asked_beside_them() -> None:
    engine = FakeEngine("Wata amsa mai kyau.")
    turn = known("malaria ko zazzabi a yara")
    consent, late = MIND.say(turn, "training-ask"), MIND.say(turn, "late-note")
    past = (
        *(Past("user", "na da"), Past("assistant", f"amsa\n\n{consent}")),
        *(Past("user", consent), Past("assistant", f"{late}\n\n{consent}")),
    )
    answer(replace(turn, past=past), tiny_mind(engine))
    [request] = engine.requests
    assert request.past == (past[0], Past("assistant", "amsa"), past[2])


def test_the_model_is_asked_with_memory_and_passages() -> None:
    engine = FakeEngine("Wata amsa mai kyau.")
    past = (Past("user", "na da"), Past("assistant", "amsa"))
    question = "malaria ko zazzabi a yara"
    outcome = answer(known(question, past=past), tiny_mind(engine, deadline=7.0))
    assert source(outcome) == (Source.MODEL, None)
    assert outcome.answer.release == "fake-1"
    assert outcome.answer.topic == "malaria-prevention"
    assert outcome.effects == (SetTopic(None),)
    [request] = engine.requests
    assert (request.question, request.past, request.deadline) == (question, past, 7.0)
    topics = [TOPICS["malaria"], TOPICS["zazzabi"]]
    filled = [Passage(topic.id, MIND.fill(known(""), topic.first("ha"))) for topic in topics]
    assert list(request.passages) == filled


def test_a_model_that_is_refused_is_a_fallback_with_the_reason() -> None:
    outcome = answer(known(ASKED), tiny_mind(FakeEngine("mg 500"), guard=FakeGuard("dose")))
    assert source(outcome) == (Source.FALLBACK, "guard:dose")
    assert "mg 500" not in outcome.answer.reply.text


def test_a_guard_that_fails_lets_nothing_through() -> None:
    mind = tiny_mind(FakeEngine("mg 500"), guard=FakeGuard(fault=RuntimeError()))
    outcome = answer(known(ASKED), mind)
    assert source(outcome) == (Source.FALLBACK, "engine_failed")
    assert "mg 500" not in outcome.answer.reply.text


def test_the_guarded_text_goes_out_not_the_written_one() -> None:
    outcome = answer(known(ASKED), tiny_mind(FakeEngine("  Amsa.  ")))
    assert outcome.answer.reply.text == "Amsa."


@pytest.mark.parametrize("text", ["sannu", "na gode", MALARIA, "wa ya ci kwallo", "bonjour a tous"])
def test_without_direct_answers_all_goes_to_the_engine(text: str) -> None:
    engine = FakeEngine("Amsa daga samfuri.")
    outcome = answer(known(text), tiny_mind(engine, library_direct=False))
    assert outcome.answer.source is Source.MODEL
    assert engine.requests[0].question == text


def test_without_direct_answers_a_silent_engine_still_suggests() -> None:
    outcome = answer(known("kusan malaria da zazzabi"), tiny_mind(library_direct=False))
    assert source(outcome) == (Source.FALLBACK, "no_model")
    assert outcome.answer.reply.choices


def test_a_certain_passage_under_a_model_answer_can_be_read_on() -> None:
    mind = tiny_mind(FakeEngine("Amsa."), library_direct=False)
    assert answer(known(MALARIA), mind).effects == (SetTopic("malaria-prevention"),)


@pytest.mark.parametrize("text", ["sannu", "mg 500 http://x.y 0803", "As an AI <b>", "a\n\nb  c"])
def test_the_echo_is_verbatim(text: str) -> None:
    mind = tiny_mind(EchoEngine(), library_direct=False, guard=FakeGuard("never"))
    outcome = answer(known(text), mind)
    assert (outcome.answer.reply.text, outcome.answer.release) == (text, "echo")


def test_an_empty_echo_is_a_fallback() -> None:
    mind = tiny_mind(EchoEngine(), library_direct=False)
    outcome = answer(known(" " * 3_000 + "malaria"), mind)
    assert source(outcome) == (Source.FALLBACK, "engine_empty")


# The last resort.


def test_the_last_resort_is_vetted_text() -> None:
    outcome = conversation.last_resort(known(MALARIA), tiny_mind(FakeEngine(RuntimeError())))
    assert source(outcome) == (Source.FALLBACK, "poison")
    assert outcome.answer.reply.text == MIND.say(known(""), "fallback")


def test_the_last_resort_for_a_danger_sign_is_its_text() -> None:
    outcome = conversation.last_resort(known(DANGER, service=None), MIND)
    assert outcome.answer.danger_sign == "unconscious"
    assert outcome.effects == (Alert("unconscious", "now"),)


# A question that waited for consent.


def waiting(text: str, **changes: object) -> Turn:
    menu = (Choice("service:yes", "Na yarda"), Choice("service:no", "A'a"))
    return known(text, service=None, waiting_text=MALARIA, menu=menu, **changes)


@pytest.mark.parametrize(
    ("label", "turn"),
    [
        ("button", waiting("Na yarda", kind=Kind.CHOICE, choice="service:yes")),
        ("words", waiting("na yarda")),
        ("short yes", waiting("Eh.")),
        ("number", waiting("1")),
        ("after the menu was lost", replace(waiting("eh"), menu=())),
    ],
)
def test_the_yes_answers_the_waiting_question(label: str, turn: Turn) -> None:
    outcome = answer(turn, MIND)
    assert outcome.answer.topic == "malaria-prevention"
    assert outcome.answer.reply.text.startswith(MIND.say(turn, "consent-thanks"))
    assert outcome.effects == (
        SetTopic("malaria-prevention"),
        Consented("service", True),
        Unhold(),
    )


def test_the_engine_is_not_shown_the_waiting_question_twice() -> None:
    engine = FakeEngine("Amsa.")
    turn = replace(waiting("eh", past=(Past("user", ASKED),)), waiting_text=ASKED)
    answer(turn, tiny_mind(engine))
    assert (engine.requests[0].question, engine.requests[0].past) == (ASKED, ())


def test_a_danger_sign_that_waited_is_an_emergency() -> None:
    turn = replace(waiting("eh"), waiting_text=DANGER)
    outcome = answer(turn, MIND)
    assert outcome.answer.danger_sign == "unconscious"
    assert Consented("service", True) in outcome.effects
    assert Unhold() in outcome.effects


def test_a_no_drops_the_waiting_question() -> None:
    outcome = answer(waiting("a'a"), MIND)
    assert source(outcome) == (Source.SERVICE, "consent-no")
    assert outcome.effects == (Consented("service", False), Unhold())


@pytest.mark.parametrize(
    ("label", "turn", "held"),
    [
        ("a question", Turn(MALARIA), True),
        ("a caption", Turn(MALARIA, Kind.PHOTO), True),
        ("a chosen topic's label", Turn("Malaria", Kind.CHOICE, "topic:x"), True),
        ("an empty message", Turn("  "), False),
        ("a yes to nothing", Turn("na yarda"), False),
        ("/start", Turn("/start"), False),
    ],
)
def test_what_waits_for_consent(label: str, turn: Turn, held: bool) -> None:
    outcome = answer(turn, MIND)
    assert outcome.answer.reason == "consent-ask"
    assert outcome.effects == ((Hold(),) if held else ())


def test_the_mind_can_be_shared() -> None:
    assert isinstance(MIND, Mind)
    assert answer(known(MALARIA), MIND) == answer(known(MALARIA), MIND)
