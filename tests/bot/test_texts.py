"""The sentences: both languages whole, every key used and every use a key, no English in Hausa."""

import ast
import functools
import re
from pathlib import Path
from typing import get_args

import pytest

from bot import admin_orders, commands, console_show, conversation, flow
from bot.admin_progress import RESUMED
from bot.admin_verdict import FIGURES, SHAPES
from bot.commands import Command
from bot.fakes import tiny_mind
from bot.smalltalk import Courtesy
from bot.texts import LANGUAGES, Texts
from core.errors import EngineAbsent
from core.messages import Choice, Kind, Turn
from inference.engine import FakeEngine
from tests.bot.talks import TALKS, TURNS
from training.folder import Phase

ROOT = Path(__file__).parents[2]
TEXTS = Texts()
ENGLISH = re.compile(r"\b(?:the|you|your|and|please|write|sorry)\b", re.IGNORECASE)
SPEAKERS = {"say", "service", "texts", "_ask", "sentence"}
#: The reasons of `storage.releases` that an admin can meet in a chat.
REFUSALS = (
    *("unknown", "not_passed", "failed", "already_live", "changed", "no_previous"),
    *("unfit", "private_data", "none", "labelled", "taken", "name"),
)
#: How what was begun may end without being done.
ENDS = ("cancelled", "failed", "interrupted")
#: Keys that code puts together.
MADE = {
    *(f"{key}{suffix}" for key in flow.SAMPLES for suffix in ("", "-short")),
    *(f"status-urgency-{urgency}" for urgency in ("now", "same-day")),
    *(f"training-{word}" for word in ("yes", "no")),
    *(said.value for said in Courtesy),
    *(f"page-engine-{engine}" for engine in ("library", "model", "resting", "echo")),
    *conversation.MEDIA.values(),
    *(f"menu-{word}" for word in commands.MENU),
    Command.HELP.value,
    Command.EMERGENCY.value,
    *(f"admin-state-{state}" for state in ("candidate", "passed", "failed", "live", "retired")),
    *(f"admin-usage-{order}" for order in ("load", "compare", "swap", "set", "evaluate")),
    *(f"admin-phase-{phase}" for phase in get_args(Phase)),
    *(f"console-phase-{phase}" for phase in RESUMED),
    *(f"console-knob-{knob['word']}" for knob in console_show.knobs()),
    *(f"console-column-{column}" for column in console_show.COLUMNS),
    *(f"console-figure-{name.replace('_', '-')}" for name, _ in console_show.FIGURES),
    *(f"console-{name.replace('_', '-')}" for name in admin_orders.KNOBS),
    *(f"admin-run-{code}" for code in ("busy", "done", "idle", "unknown", "taken")),
    *(f"admin-end{kind}-{end}" for kind in ("", "-alone") for end in ENDS),
    *(f"admin-figure-{name}" for name in FIGURES.values()),
    *(f"admin-reason-{shape}" for shape, _ in SHAPES),
    *(f"admin-curve-{why}" for why in ("channel", "library", "early")),
    *("admin-end-examined", "admin-end-done"),
    *(f"admin-role-{role}" for role in ("base", "live", "candidate")),
    *(f"admin-refused-{code.replace('_', '-')}" for code in REFUSALS),
}
#: What is the same in both languages: names, numbers, placeholders.
SHARED = {"label-english", "label-hausa"}
FILLED = re.compile(r"\{ \$(\w+) \}")
VALUES = dict.fromkeys(FILLED.findall((ROOT / "bot" / "texts" / "ha.ftl").read_text("utf-8")), "X")


def sources() -> list[ast.Module]:
    files = [
        path for room in ("bot", "web", "cli", "webhooks") for path in (ROOT / room).rglob("*.py")
    ]
    return [ast.parse(path.read_text("utf-8")) for path in files]


def constants(tree: ast.AST) -> set[str]:
    nodes = ast.walk(tree)
    return {n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)}


def spoken(tree: ast.AST) -> set[str]:
    """The keys that are written out in calls of those that speak."""
    found = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if name in SPEAKERS:
            texts = [a for a in node.args[:2] if isinstance(a, ast.Constant)]
            found |= {a.value for a in texts if isinstance(a.value, str)}
    return found - set(LANGUAGES)


def test_both_languages_have_the_same_keys() -> None:
    assert TEXTS.keys("ha") == TEXTS.keys("en")


def test_every_key_that_is_said_exists() -> None:
    said = set().union(*map(spoken, sources()))
    fragments = {word for word in said if not re.fullmatch(r"[a-z]+(-[a-z0-9]+)*", word)}
    assert said - fragments - TEXTS.keys("ha") == set()
    assert TEXTS.keys("ha") >= MADE


def test_every_key_is_said_somewhere() -> None:
    written = set().union(*map(constants, sources()))
    for page in (ROOT / "web" / "templates").glob("*.html"):
        written |= set(re.findall(r"""["']([a-z0-9-]+)["']""", page.read_text("utf-8")))
    assert TEXTS.keys("ha") - written - MADE == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_can_be_said(language: str) -> None:
    for key in TEXTS.keys(language):
        text = TEXTS(key, language, **VALUES)
        assert text.strip()
        assert "{" not in text


def test_another_language_is_spoken_to_in_hausa() -> None:
    assert TEXTS("help", "fr", emergency="112") == TEXTS("help", "ha", emergency="112")


@pytest.mark.parametrize(("key", "values"), [("nonsuch", {}), ("help", {}), ("sample", {})])
def test_an_unknown_key_or_a_value_left_open_is_an_error(key: str, values: dict[str, str]) -> None:
    with pytest.raises(KeyError):
        TEXTS(key, "ha", **values)


@functools.cache
def english_lines() -> set[str]:
    """What only English says, line by line, without what is filled in."""
    lines = set()
    for key in TEXTS.keys("en") - SHARED:
        hausa = TEXTS(key, "ha", **VALUES)
        lines |= {line for line in TEXTS(key, "en", **VALUES).splitlines() if line not in hausa}
    return {line.strip() for line in lines if len(line) > 8 and "X" not in line}


@pytest.mark.parametrize("state", TALKS)
def test_no_english_is_said_to_who_reads_hausa(state: str) -> None:
    for label, turn in TALKS[state]:
        mind = tiny_mind(FakeEngine(EngineAbsent()), ask_consent=turn.service is not False)
        reply = conversation.answer(turn, mind).answer.reply
        labels = [choice.label for choice in reply.choices if choice.label != "English"]
        said = "\n".join([reply.text, *labels])
        if turn.text != "/english":
            assert not [line for line in english_lines() if line in said], label
            assert not ENGLISH.search(said), label


def test_the_check_sees_english() -> None:
    turn = Turn("taimako", language="en")
    text = conversation.answer(turn, tiny_mind()).answer.reply.text
    assert any(line in text for line in english_lines())


def test_samples_and_labels_fit_their_buttons() -> None:
    for language in LANGUAGES:
        labels = [TEXTS(f"{key}-short", language) for key in flow.SAMPLES]
        labels += [TEXTS(key, language) for key in TEXTS.keys(language) if key.startswith("label-")]
        assert all(len(label) <= 24 for label in labels)


def test_the_talks_cover_every_kind() -> None:
    assert {turn.kind for _, turn in TURNS} == set(Kind)
    assert all(isinstance(choice, Choice) for _, turn in TURNS for choice in turn.menu)
