"""Whatever is written, in whatever state: an answer, never an exception, never silence."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.conversation import answer, last_resort
from bot.effects import Alert, Outcome
from bot.fakes import FakeGuard, FakeLibrary, FakeTriage, tiny_mind
from bot.guard import Guard
from bot.mind import Mind
from core.errors import EngineAbsent, EngineBusy, EngineError, EngineTimeout
from core.messages import Choice, Kind, Past, Source, Turn
from inference.engine import EchoEngine, Engine, EngineStatus, Generation, OnText, Request
from knowledge.language import Detector
from tests.bot.talks import TALKS, WORDS


class Moody:
    """An engine that raises or says what it was given, whatever the question."""

    verbatim = False

    def __init__(self, mood: str | Exception) -> None:
        self.mood = mood

    def status(self) -> EngineStatus:
        return EngineStatus("moody", True, "")

    def generate(self, request: Request, on_text: OnText | None = None) -> Generation:
        if isinstance(self.mood, Exception):
            raise self.mood
        if on_text is not None and not on_text(f"{self.mood}\n"):
            return Generation(self.mood, end="stopped")
        return Generation(self.mood)

    def close(self) -> None:
        pass


def checked(turn: Turn, mind: Mind) -> Outcome:
    """The answer, once it is one that can be sent."""
    outcome = answer(turn, mind)
    reply = outcome.answer.reply
    assert reply.text.strip()
    assert all(choice.id and choice.label.strip() for choice in reply.choices)
    assert len({choice.id for choice in reply.choices}) == len(reply.choices)
    assert all(len(choice.id.encode()) <= 64 for choice in reply.choices)
    alerted = any(isinstance(effect, Alert) for effect in outcome.effects)
    assert alerted == (outcome.answer.source is Source.DANGER_SIGN)
    assert alerted == (outcome.answer.danger_sign is not None)
    return outcome


ids = st.sampled_from(
    [
        *(
            f"{about}:{word}"
            for about in ("service", "training", "erase")
            for word in ("yes", "no")
        ),
        *("language:ha", "language:en", "language:", "do:more", "do:stop", "do:", "ask:sample-1"),
        *("ask:", "topic:fever-adult", "topic:gone", "topic:", ":", "", "x", "\ud800"),
    ]
)
words = st.one_of(
    st.sampled_from(list(WORDS.values())),
    st.text(max_size=60),
    st.text(alphabet=st.characters(codec=None), max_size=20),
    st.text(alphabet=" \n\t\u200b\u202e\ufeff.", max_size=20),
)
choices = st.lists(
    st.builds(Choice, ids.filter(bool), st.text(max_size=20)), max_size=4, unique_by=lambda c: c.id
)
turns = st.builds(
    Turn,
    text=words,
    kind=st.sampled_from(Kind),
    choice=st.none() | ids,
    edited=st.booleans(),
    language=st.sampled_from(["ha", "en"]),
    country=st.sampled_from([None, "NG", "NE", "XX"]),
    stopped=st.booleans(),
    service=st.sampled_from([None, True, False]),
    training=st.sampled_from([None, True, False]),
    consent_on_page=st.booleans(),
    waiting_text=st.none() | words,
    menu=choices.map(tuple),
    topic=st.sampled_from([None, "fever-adult", "gone"]),
    noticed=st.booleans(),
    training_asked=st.booleans(),
    answered=st.integers(0, 3),
    last_minute=st.integers(0, 40),
    is_admin=st.booleans(),
    past=st.lists(st.builds(Past, st.sampled_from(["user", "assistant"]), words), max_size=3).map(
        tuple
    ),
)
FAULTS = [EngineAbsent(), EngineBusy(), EngineTimeout(), EngineError(), ValueError(), MemoryError()]
moods = st.one_of(st.sampled_from(FAULTS), words)


@st.composite
def minds(draw: st.DrawFn) -> Mind:
    """A tiny mind in which anything may be broken."""
    broken = st.sampled_from([None, RuntimeError("broken")])
    engine: Engine = Moody(draw(moods)) if draw(st.booleans()) else EchoEngine()
    return tiny_mind(
        engine,
        triage=FakeTriage(draw(broken)),
        library=FakeLibrary(draw(broken)),
        guard=FakeGuard(draw(st.sampled_from([None, "dose"])), draw(broken)),
        library_direct=draw(st.booleans()),
        ask_consent=draw(st.booleans()),
    )


@settings(deadline=None)
@given(turns, minds())
def test_every_message_in_every_state_is_answered(turn: Turn, mind: Mind) -> None:
    checked(turn, mind)
    assert last_resort(turn, mind).answer.reply.text.strip()


@pytest.fixture(scope="module")
def real() -> tuple[Detector, Guard]:
    """The detector and the guard that are shipped."""
    detector = Detector.load()
    return detector, Guard.load(detector)


@settings(deadline=None)
@given(turn=turns, mood=moods)
def test_also_with_the_real_guard_and_detector(
    real: tuple[Detector, Guard], turn: Turn, mood: str | Exception
) -> None:
    detector, guard = real
    checked(turn, tiny_mind(Moody(mood), detector=detector, guard=guard, library_direct=False))


@pytest.mark.parametrize("state", TALKS)
def test_every_talk_is_answered(state: str) -> None:
    for mind in (tiny_mind(), tiny_mind(EchoEngine(), library_direct=False, ask_consent=False)):
        for _, turn in TALKS[state]:
            checked(turn, mind)
