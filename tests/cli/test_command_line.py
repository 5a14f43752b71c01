"""The command line: questions in, rows out; a doctor that says what to do; settings as a file."""

import json
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic.command import upgrade
from click.testing import CliRunner, Result
from dotenv import dotenv_values

from bot.fakes import TOPICS, tiny_mind
from cli.admin import env_example
from cli.doctor import checks
from cli.main import cli
from cli.talk import answer_row
from core.settings import Settings
from inference.engine import EchoEngine, FakeEngine
from storage.store import _alembic, open_store

ROOT = Path(__file__).parents[2]
FIELDS = {
    *("question", "reply", "source", "danger_sign", "urgency", "topic", "passages", "engine"),
    *("release", "seconds"),
}
MALARIA = "Yaya ake hana malaria lokacin damina?"


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """The command line sets up logging for a process of its own: put the tests' back."""
    root, ours = logging.getLogger(), logging.getLogger("lafiya")
    handlers, level, our_level = root.handlers[:], root.level, ours.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    ours.setLevel(our_level)


def lafiya(*words: str, given: str = "", **environ: str) -> Result:
    """Run the command away from anybody's .env."""
    settings = {"LOG_LEVEL": "ERROR", **environ}
    return CliRunner().invoke(cli, ["--env", "none.env", *words], input=given, env=settings)


# ask


def test_ask_prints_one_object_a_line() -> None:
    lines = f"{MALARIA}\n\nYarona ya suma, ba ya numfashi\n"
    done = lafiya("ask", "--json", given=lines)
    assert done.exit_code == 0, done.output
    library, danger = (json.loads(line) for line in done.stdout.splitlines())
    assert set(library) >= FIELDS
    assert set(danger) >= FIELDS
    assert (library["question"], library["engine"]) == (MALARIA, "library")
    assert (library["source"], library["topic"]) == ("library", "malaria-prevention")
    assert library["passages"][0]["id"] == "malaria-prevention"
    assert 0 < library["passages"][0]["score"] <= 1
    assert (danger["source"], danger["urgency"]) == ("danger_sign", "now")


# (label, question, engine, expected)
ROWS = [
    (
        "library",
        "malaria",
        None,
        {"source": "library", "topic": "malaria-prevention", "reason": None, "release": None},
    ),
    (
        "danger sign with a topic",
        "yana suma da gudawa",
        None,
        {
            "source": "danger_sign",
            "danger_sign": "unconscious",
            "urgency": "now",
            "topic": "diarrhoea-child",
        },
    ),
    (
        "danger sign the same day",
        "ciwon zuciya",
        None,
        {"source": "danger_sign", "urgency": "same-day", "topic": None, "passages": []},
    ),
    (
        "model",
        "malaria ko gudawa",
        FakeEngine("Amsa."),
        {"source": "model", "reply": "Amsa.", "release": "fake-1", "topic": "malaria-prevention"},
    ),
    ("fallback", "ciwon kunne", None, {"source": "fallback", "topic": None, "danger_sign": None}),
    ("echo", "ciwon kunne", EchoEngine(), {"source": "model", "reply": "ciwon kunne"}),
]


@pytest.mark.parametrize(
    ("label", "question", "engine", "expected"), ROWS, ids=[row[0] for row in ROWS]
)
def test_a_row_has_every_field(
    label: str, question: str, engine: FakeEngine | None, expected: dict[str, object]
) -> None:
    row = answer_row(tiny_mind(engine), question)
    assert set(row) >= FIELDS
    assert expected.items() <= row.items()
    assert row["seconds"] >= 0
    assert json.loads(json.dumps(row)) == row


def test_no_consent_is_asked_and_nothing_added() -> None:
    mind = tiny_mind()
    row = answer_row(mind, "malaria")
    text = TOPICS["malaria"].first("ha")
    assert row["reply"] == mind.referral.fill(text)


def test_a_row_in_english() -> None:
    assert "amsa-en" in answer_row(tiny_mind(), "malaria", "en")["reply"]


# doctor


def found(**given: str) -> dict[str, tuple[bool, str]]:
    return {c.what: (c.fine, c.say) for c in checks(Settings.model_validate(given))}


def test_the_doctor_finds_nothing_wrong_with_the_defaults(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new/lafiya.db"
    done = lafiya("doctor", DATABASE_URL=url)
    assert done.exit_code == 0, done.output
    assert "LOOK" not in done.output
    assert "not there yet: `lafiya serve` or `lafiya migrate` makes it" in done.output
    assert list(tmp_path.iterdir()) == [], "it only looks"


def test_the_doctor_changes_no_database(tmp_path: Path) -> None:
    path = tmp_path / "lafiya.db"
    url = f"sqlite:///{path}"
    old = open_store(url)
    upgrade(_alembic(old), "0001")
    old.close()
    for _ in range(2):
        assert found(database_url=url)["database"] == (
            False,
            "not at this version: run `lafiya migrate`",
        )
    lafiya("migrate", DATABASE_URL=url)
    before = dump(path)
    assert found(database_url=url)["database"] == (True, "sqlite, schema up to date")
    fine, say = found(database_url=url, data_key="a long secret")["database"]
    assert not fine
    assert "lafiya encrypt" in say
    assert dump(path) == before


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as database:
        return list(database.iterdump())


def test_the_doctor_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    seen = found(
        database_url=f"sqlite:///{tmp_path}/file/lafiya.db",
        public_url="http://lafiya.example",
        engine="openai",
        twilio_account_sid="AC1",
        twilio_auth_token="t",
        twilio_whatsapp_from="+14155238886",
        twilio_api_base="http://127.0.0.1:9",
        send_timeout="1",
    )
    for what, advice in {
        "PUBLIC_URL": "https://",
        "database": "DATABASE_URL",
        "DATA_KEY": "lafiya encrypt",
        "engine": "OPENAI_BASE_URL",
        "ADMINS": "Set ADMINS",
        "Twilio account": "TWILIO_API_BASE",
    }.items():
        fine, say = seen[what]
        assert not fine
        assert advice in say


@pytest.mark.parametrize("command", ["doctor", "ask", "serve", "migrate", "chat"])
def test_wrong_settings_are_one_named_line_not_a_trace(command: str) -> None:
    done = lafiya(command, ENGINE="gpt", PORT="x")
    assert done.exit_code == 1
    assert "ENGINE:" in done.output
    assert "PORT:" in done.output
    assert "Traceback" not in done.output


# settings


def test_the_example_file_is_the_printed_one() -> None:
    assert lafiya("settings").stdout == env_example()
    assert (ROOT / ".env.example").read_text("utf-8") == env_example()


def test_the_example_names_every_setting_with_its_default(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text(env_example(), "utf-8")
    values = dotenv_values(path)
    assert set(values) == {name.upper() for name in Settings.model_fields}
    given = {name.lower(): value for name, value in values.items() if value}
    assert Settings.model_validate(given) == Settings()


def test_every_command_has_its_help() -> None:
    for name, command in cli.commands.items():
        assert command.help, name
        assert lafiya(name, "--help").exit_code == 0


# migrate, encrypt


def test_migrate_and_encrypt(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/lafiya.db"
    assert lafiya("migrate", DATABASE_URL=url).output == "The database is up to date.\n"
    refused = lafiya("encrypt", DATABASE_URL=url)
    assert refused.exit_code == 1
    assert "DATA_KEY" in refused.output
    done = lafiya("encrypt", DATABASE_URL=url, DATA_KEY="a long secret")
    assert done.output.startswith("Encrypted the records of 0 people")
