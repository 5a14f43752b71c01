"""An answer that grows in sight: nothing is seen that the guard has not passed."""

import csv
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from bot.fakes import FakeGuard, tiny_mind
from bot.guard import Guard, Verdict
from bot.guard_text import begun, cut_off
from bot.parts import sampling
from bot.streaming import Growing
from bot.writing import written
from core.errors import EngineTimeout
from core.messages import Past, Turn
from core.settings import Settings
from inference.engine import (
    RANGES,
    EchoEngine,
    FakeEngine,
    Generation,
    OnText,
    Request,
    Sampling,
)
from knowledge.language import Detector
from knowledge.library import Match

ASKED = Turn("ina da ciwon kunne", service=True)
NOTHING = Match("nothing", (), off_topic=False)
TOPICS = sorted((Path(__file__).parents[2] / "knowledge" / "topics").glob("*.yaml"))
GUARD = Guard.load(Detector.load())

BEGINNINGS = [
    ("nothing", "", ""),
    ("half a sentence", "A sha ruwa", ""),
    ("a point that may go on", "Zafi ya kai 38.", ""),
    ("it went on", "Zafi ya kai 38.5", ""),
    ("a point and a blank", "A sha ruwa. ", "A sha ruwa."),
    ("one and a half", "A sha ruwa. Sannan a", "A sha ruwa."),
    ("a question", "Zazzabi ne? To", "Zazzabi ne?"),
    ("quoted", "Ya ce “a huta.” Sai", "Ya ce “a huta.”"),
    ("a line", "Alamu:\n• amai\n• zaf", "Alamu:\n• amai"),
    ("several points", "To... sai", "To..."),
]


@pytest.mark.parametrize(("label", "text", "expected"), BEGINNINGS, ids=lambda v: str(v)[:20])
def test_what_will_not_change_any_more(label: str, text: str, expected: str) -> None:
    assert begun(text).strip() == expected
    assert begun(begun(text)) == begun(text)


CUT = [
    ("in a sentence", "A sha ruwa. Sannan a", "A sha ruwa."),
    ("at its end", "A sha ruwa. A huta.", "A sha ruwa. A huta."),
    ("in a number", "A sha ruwa. Zafi ya kai 38.", "A sha ruwa."),
    ("after a number's sentence", "Kira 112. Sannan ku", "Kira 112."),
    ("in a list", "A sha:\n• ruwa\n• kun", "A sha:\n• ruwa"),
    ("before any end", "A sha ruwa sosai", ""),
]


@pytest.mark.parametrize(("label", "text", "expected"), CUT, ids=[row[0] for row in CUT])
def test_an_answer_cut_by_its_length_ends_at_a_sentence(
    label: str, text: str, expected: str
) -> None:
    assert cut_off(text).strip() == expected


class Cut(FakeEngine):
    """Stops at its greatest length."""

    def generate(self, request: Request, on_text: OnText | None = None) -> Generation:
        answer = super().generate(request, on_text)
        return Generation(answer.text, answer.release, "length", answer.tokens)


def test_the_reply_of_a_model_that_was_cut_off_is_whole() -> None:
    mind = tiny_mind(Cut("A sha ruwa sosai. A je asibiti yau. Zafi ya kai 38."), guard=GUARD)
    answer = written(ASKED, mind, NOTHING)
    assert isinstance(answer, Generation)
    assert answer.text == "A sha ruwa sosai. A je asibiti yau."


def test_the_guard_passes_each_sentence_as_soon_as_it_is_whole() -> None:
    shown, _ = told(FakeEngine("A sha ruwa sosai. A huta a gida. A je asibiti."), GUARD)
    assert shown == ["A sha ruwa sosai.", "A sha ruwa sosai. A huta a gida."]


def told(engine: FakeEngine, guard: object) -> tuple[list[str], Generation | str]:
    """What was shown in turn, and what came of it."""
    shown: list[str] = []
    return shown, written(ASKED, tiny_mind(engine, guard=guard), NOTHING, shown.append)


def test_it_grows_sentence_by_sentence() -> None:
    shown, answer = told(FakeEngine("A sha ruwa. A huta.\n• A ci abinci\nShi ke nan."), FakeGuard())
    assert shown == ["A sha ruwa.", "A sha ruwa. A huta.", "A sha ruwa. A huta.\n• A ci abinci"]
    assert isinstance(answer, Generation)
    assert answer.text.startswith(shown[-1])


def test_nothing_is_seen_of_a_sentence_that_is_refused_nor_of_what_follows() -> None:
    text = "A sha ruwa. A sha guba. A huta. A ci abinci. A yi barci."
    engine = FakeEngine(text)
    shown, answer = told(engine, FakeGuard("dose", bad="guba"))
    assert shown == ["A sha ruwa."]
    assert answer == "guard:dose"


class Counting(FakeEngine):
    """Counts how often it was asked to go on."""

    went_on = 0

    def generate(self, request: Request, on_text: OnText | None = None) -> Generation:
        def counted(text: str) -> bool:
            self.went_on += 1
            return on_text is None or on_text(text)

        return super().generate(request, counted)


def test_a_refused_answer_is_not_written_to_its_end() -> None:
    engine = Counting("A sha guba. " + "kalma " * 300)
    _, answer = told(engine, FakeGuard("dose", bad="guba"))
    assert answer == "guard:dose"
    assert engine.went_on < 10


def test_the_guard_judges_even_where_nobody_looks_on() -> None:
    engine = Counting("A sha guba. " + "kalma " * 300)
    assert written(ASKED, tiny_mind(engine, guard=FakeGuard("x", bad="guba")), NOTHING) == "guard:x"
    assert engine.went_on < 10


def test_the_end_is_judged_too() -> None:
    shown, answer = told(FakeEngine("A sha ruwa. A sha guba."), FakeGuard("dose", bad="guba"))
    assert (shown, answer) == (["A sha ruwa."], "guard:dose")


def test_a_guard_that_fails_stops_everything_and_shows_nothing() -> None:
    engine = Counting("A sha ruwa. " + "kalma " * 300)
    shown, answer = told(engine, FakeGuard(fault=RuntimeError("A sha ruwa")))
    assert (shown, answer) == ([], "engine_failed")
    assert engine.went_on < 10


def test_a_draft_that_cannot_be_shown_costs_nothing_but_itself() -> None:
    def fails(text: str) -> None:
        raise RuntimeError(text)

    answer = written(ASKED, tiny_mind(FakeEngine("A sha ruwa. A huta. To.")), NOTHING, fails)
    assert isinstance(answer, Generation)
    assert answer.text == "A sha ruwa. A huta. To."


def test_an_engine_that_gives_up_after_a_while_leaves_a_reason() -> None:
    class Slow(FakeEngine):
        def generate(self, request: Request, on_text: OnText | None = None) -> Generation:
            assert on_text is not None
            assert on_text("A sha ruwa. Sannan")
            raise EngineTimeout

    assert told(Slow(), FakeGuard()) == (["A sha ruwa."], "engine_timeout")


GOOD = "A sha ruwa sosai, a huta a gida."
SEEK = GUARD.check(GOOD).text.removeprefix(GOOD)
LATE = [
    ("whole sentences and half a one", f"{GOOD} Sannan a ci", f"{GOOD}{SEEK}"),
    ("a point that may go on", f"{GOOD} Zafi ya kai 38. 5", f"{GOOD}{SEEK}"),
    ("a list that broke off", f"{GOOD} Ku koma idan:\n• amai\n• zafi\n• ja", f"{GOOD}{SEEK}"),
    ("it sends them itself", "A je asibiti yau nan da nan. A sha", "A je asibiti yau nan da nan."),
    ("too little", "A sha ruwa. A ci abinci", "engine_timeout"),
    ("no sentence", "A sha ruwa sosai a huta a gida a ci", "engine_timeout"),
    ("nothing", "", "engine_timeout"),
    ("only a list", "Ku koma asibiti idan akwai:\n• amai\n• zafi\n• jini", "engine_timeout"),
    ("a dose before the good", f"A sha paracetamol 500 mg. {GOOD} A ci", "guard:dose"),
    ("a dose after the good", f"{GOOD} A sha paracetamol 500 mg. A ci", "guard:dose"),
    ("a dose begun", f"{GOOD} A sha paracetamol 500", f"{GOOD}{SEEK}"),
]


@pytest.mark.parametrize(("label", "text", "expected"), LATE, ids=[row[0] for row in LATE])
def test_what_is_kept_of_an_answer_whose_time_is_up(label: str, text: str, expected: str) -> None:
    shown, answer = told(FakeEngine(text, late=True), GUARD)
    if isinstance(answer, Generation):
        assert answer == Generation(expected, "fake-1", "late")
        assert answer.text.startswith(shown[-1][:20])
    else:
        assert answer == expected


def test_the_whole_guard_has_the_last_word_on_a_late_answer() -> None:
    class Strict(FakeGuard):
        """Passes every beginning, and nothing whole."""

        def check(self, text: str, **_: object) -> Verdict:
            return Verdict(False, "", "dose")

        def begin(self, text: str, **_: object) -> Verdict:
            return Verdict(True, text.strip(), None)

    assert told(FakeEngine(f"{GOOD} A ci", late=True), Strict()) == ([GOOD], "engine_timeout")


def test_a_late_answer_that_nobody_vouches_for_is_none() -> None:
    class Unnamed(FakeEngine):
        def generate(self, request: Request, on_text: OnText | None = None) -> Generation:
            super().generate(request, on_text)
            raise EngineTimeout

    assert told(Unnamed(f"{GOOD} A ci"), GUARD) == ([GOOD], "engine_timeout")


def test_a_guard_that_fails_on_a_late_answer_shows_nothing() -> None:
    guard = FakeGuard(fault=RuntimeError("A sha ruwa"))
    assert told(FakeEngine(f"{GOOD} A ci", late=True), guard) == ([], "engine_failed")


def test_a_sentence_is_judged_once_however_often_the_engine_calls() -> None:
    judged: list[str] = []

    def judge(text: str) -> Verdict:
        judged.append(text)
        return Verdict(False, "", None)

    growing = Growing(judge, None)
    assert all(growing(f"A sha ruwa. {'a' * size}") for size in range(50))
    assert judged == ["A sha ruwa. "]


def test_an_echo_is_shown_word_by_word_and_whole_in_the_end() -> None:
    shown: list[str] = []
    mind = tiny_mind(EchoEngine(0.05), guard=FakeGuard("never"))
    answer = written(Turn("a  b\nc"), mind, NOTHING, shown.append)
    assert isinstance(answer, Generation)
    assert (shown, answer.text) == (["a", "a  b"], "a  b\nc")


def test_an_echo_without_delay_does_not_grow() -> None:
    shown: list[str] = []
    written(Turn("a b c"), tiny_mind(EchoEngine()), NOTHING, shown.append)
    assert shown == []


def test_an_echo_can_be_stopped() -> None:
    answer = EchoEngine(0.05).generate(Request("a b c"), lambda text: False)
    assert (answer.text, answer.end) == ("a", "stopped")


def test_the_model_is_told_of_the_person_and_how_to_draw_words() -> None:
    engine = FakeEngine("Amsa.")
    drawn = Sampling(temperature=0.7, max_tokens=90)
    past = (Past("user", "yarona dan shekara 2 yana tari"),)
    mind = tiny_mind(engine, sampling=lambda: drawn)
    written(Turn("me zan ba shi?", past=past), mind, NOTHING)
    [request] = engine.requests
    assert request.person == "Ana tambaya a kan: yaro, shekara 2"
    assert request.sampling == drawn


# The guard's word on a beginning.

WAITS = [
    ("nothing yet", "", {}),
    ("no sentence yet", "A sha paracetamol", {}),
    ("two words", "To. Sannan", {}),
    ("only the head of a list", "Ku je asibiti idan:\n", {}),
    ("English so far", "Drink a lot of clean water every day. Sannan", {}),
    (
        "the first months may be meant, or not",
        "A ba jariri ruwa da kunu kullum. Sannan",
        {},
    ),
]
STOPS = [
    ("a dose", "A sha paracetamol 500 mg. Sannan", {}, "dose"),
    ("a link", "Ku duba www.magani.com yanzu. Sannan ku", {}, "link"),
    ("a number", "Ku kira 0803 123 4567 yanzu. Sannan", {}, "phone"),
    ("a turn", "A sha ruwa. <start_of_turn>user\n", {}, "leak"),
    ("a loop", "A sha ruwa sosai. A sha ruwa sosai. A sha ruwa sosai. A", {}, "repetition"),
    ("English for long", "Drink a lot of clean water every day and rest. " * 5, {}, "language"),
]


@pytest.mark.parametrize(("label", "text", "given"), WAITS, ids=[row[0] for row in WAITS])
def test_nothing_is_said_too_soon(label: str, text: str, given: dict[str, str]) -> None:
    assert GUARD.begin(text, **given) == Verdict(False, "", None)


@pytest.mark.parametrize(("label", "text", "given", "reason"), STOPS, ids=[r[0] for r in STOPS])
def test_what_nothing_can_save_is_stopped(
    label: str, text: str, given: dict[str, str], reason: str
) -> None:
    assert GUARD.begin(text, **given) == Verdict(False, "", reason)


def test_a_beginning_is_shown_without_the_line_that_comes_at_the_end() -> None:
    text = "A sha ruwa sosai, a huta a gida. Sannan a"
    assert GUARD.begin(text) == Verdict(True, "A sha ruwa sosai, a huta a gida.", None)
    assert "asibiti" in GUARD.check("A sha ruwa sosai, a huta a gida.").text


def test_the_question_tells_what_an_answer_will_be_about() -> None:
    """Sucking at a wound is refused in an answer about a snake bite: also before it says so."""
    begun_ = "A tsotse wurin da baki nan take. Sannan"
    assert GUARD.begin(begun_).ok
    assert not GUARD.begin(begun_, question="maciji ya sari yarona").ok
    assert not GUARD.check("A tsotse wurin da baki nan take. Cizon maciji yana da hadari.").ok


CASES = [
    case
    for case in csv.DictReader(
        (Path(__file__).parent / "guard_cases.tsv").read_text(encoding="utf-8").splitlines(),
        delimiter="\t",
        quoting=csv.QUOTE_NONE,
    )
    if not case["passages"]
]
REFUSED = [case["text"] for case in CASES if case["expect"] != "passed"]
PASSED = [case["text"] for case in CASES if case["expect"] == "passed"]


@pytest.mark.parametrize("text", REFUSED[::6], ids=lambda text: text[:30])
def test_nothing_refused_is_seen_between_good_sentences(text: str) -> None:
    said = text.replace("\\n", "\n")
    shown, answer = told(FakeEngine(f"A je asibiti yau.\n{said}\nA huta a gida. A ci."), GUARD)
    assert isinstance(answer, str)
    assert not any(said in seen for seen in shown)


@pytest.mark.parametrize("text", PASSED[::6], ids=lambda text: text[:30])
def test_what_is_good_is_not_stopped_on_its_way(text: str) -> None:
    growing = Growing(GUARD.begin, None)
    whole = f"{text} ".replace("\\n", "\n")
    assert all(growing(whole[:place]) for place in range(1, len(whole) + 1)), growing.reason


def beginnings(text: str) -> list[str]:
    """A text as it stands whenever a sentence or line has just ended."""
    return list(dict.fromkeys(begun(text[:place]) for place in range(1, len(text))))


@pytest.mark.parametrize("path", TOPICS[::13], ids=lambda path: path.stem)
def test_vetted_words_grow_without_being_stopped(path: Path) -> None:
    topic = yaml.safe_load(path.read_text(encoding="utf-8"))
    text = "\n\n".join(topic[part]["ha"].strip() for part in ("answer", "clinic_today"))
    growing = [GUARD.begin(part, passages=[text]) for part in beginnings(text)]
    assert {verdict.reason for verdict in growing} == {None}
    assert growing[-1].ok


@pytest.mark.parametrize("name", sorted(RANGES))
def test_the_settings_of_drawing_words_are_those_of_the_port(name: str) -> None:
    least, most = RANGES[name]
    for value in (least, most):
        drawn = sampling(Settings.model_validate({name: value}))()
        assert getattr(drawn, name) == value
    for value in (least - 0.04 if name == "top_p" else least - 1, most + 1):
        with pytest.raises(ValidationError):
            Settings.model_validate({name: value})
    assert sampling(Settings())() == Sampling()
