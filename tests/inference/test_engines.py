"""Which engine is chosen, and the engines that need no model."""

import time

import pytest

from core.errors import EngineAbsent, EngineTimeout, SettingsError
from core.settings import Settings
from inference.choose import choose
from inference.engine import EchoEngine, FakeEngine, LibraryEngine, Passage, Request

SERVER = "http://127.0.0.1:9/v1"
CHOICES = [
    ("by itself, nothing set", {}, "library"),
    ("by itself, a server set", {"openai_base_url": SERVER}, "openai"),
    ("library, a server set", {"engine": "library", "openai_base_url": SERVER}, "library"),
    ("library", {"engine": "library"}, "library"),
    ("echo", {"engine": "echo"}, "echo"),
    ("openai", {"engine": "openai", "openai_base_url": SERVER}, "openai"),
]
WRONG = [
    ("openai without a server", {"engine": "openai"}, "OPENAI_BASE_URL"),
    ("no address", {"engine": "openai", "openai_base_url": "http://a\x7fb"}, "OPENAI_BASE_URL"),
]


@pytest.mark.parametrize(("label", "given", "name"), CHOICES, ids=[case[0] for case in CHOICES])
def test_the_engine_that_is_asked_for(label: str, given: dict[str, str], name: str) -> None:
    engine = choose(Settings.model_validate(given))
    # Nobody listens at SERVER: the engine is there, and says that it cannot answer.
    assert (engine.status().name, engine.status().ready) == (name, name != "openai")
    engine.close()


@pytest.mark.parametrize(("label", "given", "setting"), WRONG, ids=[case[0] for case in WRONG])
def test_what_cannot_be_had_names_the_setting(
    label: str, given: dict[str, str], setting: str
) -> None:
    with pytest.raises(SettingsError, match=setting):
        choose(Settings.model_validate(given))


def test_the_status_says_why() -> None:
    assert "OPENAI_BASE_URL" in choose(Settings()).status().detail
    assert choose(Settings(engine="library")).status().detail == "ENGINE=library"


def test_the_library_engine_has_no_model() -> None:
    with pytest.raises(EngineAbsent):
        LibraryEngine().generate(Request("a"))


def test_the_echo_repeats_after_its_delay() -> None:
    started = time.monotonic()
    assert EchoEngine(0.05).generate(Request("a\nb")).text == "a\nb"
    assert time.monotonic() - started >= 0.05


def test_the_echo_keeps_the_deadline() -> None:
    started = time.monotonic()
    with pytest.raises(EngineTimeout):
        EchoEngine(60).generate(Request("a", deadline=0.05))
    assert time.monotonic() - started < 5


def test_the_fake_answers_and_fails_in_turn() -> None:
    fake = FakeEngine("a", EngineTimeout())
    assert fake.generate(Request("x")).text == "a"
    with pytest.raises(EngineTimeout):
        fake.generate(Request("y"))
    assert [request.question for request in fake.requests] == ["x", "y"]


def test_a_request_shows_nothing_in_its_repr() -> None:
    assert "siri" not in repr(Request("siri", passages=(Passage("a", "siri"),), person="siri"))
