"""What README.md and docs/deploy.md print can be typed: commands, options, targets, settings."""

import importlib.util
import json
import logging
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from cli.admin import env_example
from cli.main import cli
from core.settings import Settings
from tests.acceptance.service import Service
from tests.waiting import came

ROOT = Path(__file__).parents[1]
PAGES = {name: (ROOT / name).read_text("utf-8") for name in ("README.md", "docs/deploy.md")}
TEXT = "\n".join(PAGES.values())
BLOCKS = re.findall(r"^```sh\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
LINES = [re.sub(r"\s+#.*", "", line) for block in BLOCKS for line in block.splitlines()]
SPANS = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", TEXT, flags=re.M | re.S))
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
TARGETS = re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)[1].split()
#: Read by others: compose's own, and what providers and people say.
NO_SETTINGS = {"POSTGRES_PASSWORD"}


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """The command line sets up logging for a process of its own: put the tests' back."""
    root, ours = logging.getLogger(), logging.getLogger("lafiya")
    kept, level, our_level = root.handlers[:], root.level, ours.level
    yield
    root.handlers[:] = kept
    root.setLevel(level)
    ours.setLevel(our_level)


def words_of(texts: list[str], program: str) -> list[list[str]]:
    """What follows a program's name wherever it is called."""
    found = []
    for text in texts:
        for part in re.split(r"\||&&", text):
            words = shlex.split(part)
            if words and Path(words[0]).name == program:
                found.append(words[1:])
    return found


CALLS = [words for words in words_of([*LINES, *SPANS], "lafiya") if words]


def test_the_documents_are_read() -> None:
    assert len(BLOCKS) >= 4
    assert ["make", "run"] in [shlex.split(line) for line in LINES]
    assert ["ask", "--json"] in CALLS
    assert ["doctor"] in CALLS


@pytest.mark.parametrize("words", CALLS, ids=" ".join)
def test_every_command_parses(words: list[str]) -> None:
    command: click.Command = cli
    context = click.Context(cli)
    rest = list(words)
    while isinstance(command, click.Group) and rest and re.fullmatch(r"[a-z]+", rest[0]):
        known = command.get_command(context, rest.pop(0))
        assert known is not None, f"lafiya {' '.join(words)}"
        command = known
    options = {name for parameter in command.params for name in parameter.opts}
    assert {word for word in rest if word.startswith("--")} <= options


def test_every_target_is_one_of_the_makefile() -> None:
    named = [words[0] for words in words_of([*LINES, *SPANS], "make") if words]
    assert {"run", "test"} <= set(named)
    assert set(named) <= set(TARGETS)


@pytest.fixture(scope="module")
def recipes() -> dict[str, str]:
    """What make would do for each target, in an environment that is set up."""
    done = [(name, _dry(name)) for name in TARGETS]
    assert [name for name, run in done if run.returncode] == []
    return {name: run.stdout for name, run in done}


def _dry(target: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True)


def test_what_the_targets_call_exists(recipes: dict[str, str]) -> None:
    assert "lafiya serve" in recipes["run"]
    for part in ("ruff check", "ruff format --check", "mypy", "tests.parts"):
        assert part in recipes["test"]
    for recipe in recipes.values():
        for module, rest in re.findall(r"python -m ([a-z_.]+)(.*)", recipe):
            spec = importlib.util.find_spec(module)
            assert spec is not None, module
            if module in ("pip", "pytest"):
                continue
            source = Path(str(spec.origin)).read_text("utf-8")
            for option in re.findall(r"--[a-z-]+", rest):
                assert f'"{option}"' in source, f"{module} {option}"
        for words in words_of(recipe.splitlines(), "lafiya"):
            test_every_command_parses(words)


def test_every_setting_named_is_one() -> None:
    named = {found for span in SPANS for found in re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", span)}
    named |= {found for span in SPANS for found in re.findall(r"^([A-Z]{4,})(?:=|$)", span)}
    assert "DATA_KEY" in named
    assert "ADMINS" in named
    known = {name.upper() for name in Settings.model_fields} | NO_SETTINGS
    assert {name for name in named if not name.startswith("_")} <= known


def test_every_file_named_is_there() -> None:
    for name, text in PAGES.items():
        for link in re.findall(r"\]\(([^)#]+)\)", text):
            if "://" not in link:
                assert ((ROOT / name).parent / link).exists(), f"{name}: {link}"
    assert words_of(LINES, "cp") == [[".env.example", ".env"]]
    assert (ROOT / ".env.example").exists()


# the plain commands, as they are printed


def typed(line: str, folder: Path, given: str = "") -> Result:
    """Run a printed line; `echo` gives what it says to the command behind the bar."""
    before, _, after = line.rpartition("|")
    if before:
        given = shlex.split(before)[1] + "\n"
    words = shlex.split(after)
    assert Path(words[0]).name == "lafiya"
    settings = {"DATABASE_URL": f"sqlite:///{folder}/lafiya.db", "LOG_LEVEL": "ERROR"}
    return CliRunner().invoke(cli, ["--env", "none.env", *words[1:]], input=given, env=settings)


PRINTED = [line for line in LINES if "lafiya" in line]


def test_printed_lines_are_the_known_ones() -> None:
    kinds = [words_of([line], "lafiya")[0][0] for line in PRINTED]
    assert kinds == ["chat", "ask", "ask", "models"]


@pytest.mark.parametrize("line", PRINTED)
def test_a_printed_line_answers(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = typed(line, tmp_path, given="Yaya ake hana malaria lokacin damina?\n")
    assert done.exit_code == 0, done.output
    if "--json" in line:
        row = json.loads(done.stdout)
        assert (row["source"], row["urgency"]) == ("danger_sign", "now")
    elif "sukari" in line:
        assert "sukari" in done.stdout
    elif "models" in line:
        assert (tmp_path / "data" / "tiny" / "model.safetensors").exists()
    else:
        assert "sauro" in done.stdout


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("lafiya doctor", "ok    library: "),
        ("lafiya migrate", "The database is up to date."),
        ("lafiya settings", env_example()),
        ("lafiya content check", ""),
    ],
)
def test_an_operators_command_does_what_it_says(line: str, said: str, tmp_path: Path) -> None:
    done = typed(line, tmp_path)
    assert done.exit_code == 0, done.output
    assert said in done.output


DEFAULTS = (
    *("ENGINE", "LIBRARY_DIRECT", "LIBRARY_REVIEWED_ONLY", "CONSENT", "PUBLIC_URL"),
    *("TELEGRAM_BOT_TOKEN", "TELEGRAM_WEBHOOK_SECRET", "TWILIO_ACCOUNT_SID"),
    *("TWILIO_AUTH_TOKEN", "TWILIO_WHATSAPP_FROM"),
)
SESSION = {"X-Session": "s" * 32, "Content-Type": "application/json"}


@pytest.mark.slow
def test_run_answers_the_printed_question_on_the_page(tmp_path: Path) -> None:
    """`lafiya serve` with nothing set, as `make run` starts it."""
    asked = re.search(r"ask, for example, \*(.+?)\*", TEXT)[1]
    url = f"sqlite:///{tmp_path}/lafiya.db"
    with Service(tmp_path, "", url, settings=dict.fromkeys(DEFAULTS, "")) as service:
        assert b"<html" in service.call("GET", "/")[1]
        body = json.dumps({"id": "i" * 32, "text": asked}).encode()
        assert service.call("POST", "/api/messages", body, SESSION)[0] == 202

        def answers() -> list[str]:
            found = json.loads(service.call("GET", "/api/messages", b"", SESSION)[1])
            return [m["source"] for m in found["messages"] if m["direction"] == "out"]

        assert came(lambda: answers() == ["library"], 20), service.log.read_text()
        assert json.loads(service.call("GET", "/health/ready")[1])["engine"] == "library"
