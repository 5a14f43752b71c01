"""Settings: where they come from, what is refused, and that secrets stay secret."""

from pathlib import Path

import pytest

from core.errors import SettingsError
from core.settings import Settings, load_settings

GOOD = [
    ("empty environment", {}, "port", 8080),
    ("by name", {"PORT": "9000"}, "port", 9000),
    ("blanks around", {"PORT": " 9000 "}, "port", 9000),
    ("empty means open", {"PORT": ""}, "port", 8080),
    ("blank means open", {"PORT": "  "}, "port", 8080),
    ("unknown names are others' business", {"PATH": "/bin", "PORTS": "x"}, "port", 8080),
    ("yes and no", {"LIBRARY_DIRECT": "false"}, "library_direct", False),
    ("a last slash goes", {"PUBLIC_URL": "https://a.b/"}, "public_url", "https://a.b"),
    (
        "driver of PostgreSQL",
        {"DATABASE_URL": "postgresql://u:p@h:5432/d"},
        "database_url",
        "postgresql+psycopg://u:p@h:5432/d",
    ),
    (
        "Heroku's name of it",
        {"DATABASE_URL": "postgres://u:p/x:y@h/d"},
        "database_url",
        "postgresql+psycopg://u:p/x:y@h/d",
    ),
    (
        "a socket",
        {"DATABASE_URL": "postgresql://u@/d?host=/tmp"},
        "database_url",
        "postgresql+psycopg://u@/d?host=/tmp",
    ),
    (
        "a path with a sign",
        {"DATABASE_URL": "sqlite:////srv/a@b:c/l.db"},
        "database_url",
        "sqlite:////srv/a@b:c/l.db",
    ),
    (
        "admins",
        {"ADMINS": "telegram:12345, whatsapp:+2348012345678,"},
        "admins",
        "telegram:12345, whatsapp:+2348012345678,",
    ),
]
BAD = [
    ("engine", {"ENGINE": "gpt"}, "ENGINE"),
    ("port", {"PORT": "http"}, "PORT"),
    ("port out of range", {"PORT": "70000"}, "PORT"),
    ("public address", {"PUBLIC_URL": "lafiya.example"}, "PUBLIC_URL"),
    ("public address's port", {"PUBLIC_URL": "https://a:b"}, "PUBLIC_URL"),
    ("database", {"DATABASE_URL": "mysql://h/d"}, "DATABASE_URL"),
    ("database, one slash", {"DATABASE_URL": "sqlite:/x.db"}, "DATABASE_URL"),
    ("database port", {"DATABASE_URL": "postgresql://u:p@h:port/d"}, "DATABASE_URL"),
    ("admin of no channel", {"ADMINS": "12345"}, "ADMINS"),
    ("admin of another channel", {"ADMINS": "web:1"}, "ADMINS"),
    ("admin by name", {"ADMINS": "telegram:@garba"}, "ADMINS"),
    ("admin's number at home", {"ADMINS": "whatsapp:08012345678"}, "ADMINS"),
    ("admin without number", {"ADMINS": "telegram:"}, "ADMINS"),
    ("Twilio without token", {"TWILIO_ACCOUNT_SID": "AC1"}, "TWILIO_AUTH_TOKEN"),
    (
        "Twilio without sender",
        {"TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": "t"},
        "TWILIO_WHATSAPP_FROM",
    ),
    ("webhook secret", {"TELEGRAM_WEBHOOK_SECRET": "a b"}, "TELEGRAM_WEBHOOK_SECRET"),
    ("no workers", {"WORKERS": "0"}, "WORKERS"),
    ("negative deadline", {"ENGINE_DEADLINE": "-1"}, "ENGINE_DEADLINE"),
    ("no number", {"ECHO_DELAY": "nan"}, "ECHO_DELAY"),
]


@pytest.mark.parametrize(("label", "environ", "name", "value"), GOOD, ids=[g[0] for g in GOOD])
def test_what_is_understood(label: str, environ: dict[str, str], name: str, value: object) -> None:
    assert getattr(load_settings(environ), name) == value


@pytest.mark.parametrize(("label", "environ", "name"), BAD, ids=[b[0] for b in BAD])
def test_what_is_refused_by_name(label: str, environ: dict[str, str], name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        load_settings(environ)


def test_every_mistake_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as raised:
        load_settings({"PORT": "x", "ENGINE": "y", "WORKERS": "0"})
    assert [line.split(":")[0] for line in str(raised.value).splitlines()] == [
        "PORT",
        "ENGINE",
        "WORKERS",
    ]


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("PORT=1111\nWORKERS=2\nSENDERS=3\nOTHER=x\n", "utf-8")
    settings = load_settings({"PORT": "2222", "SENDERS": ""}, dotenv)
    assert (settings.port, settings.workers, settings.senders) == (2222, 2, 3)


SECRETS = ("telegram_bot_token", "twilio_auth_token", "openai_api_key", "data_key")


def test_secrets_show_nowhere() -> None:
    environ = {name.upper(): "hush-hush" for name in SECRETS}
    settings = load_settings({**environ, "TWILIO_WHATSAPP_FROM": "+1"})
    assert "hush" not in repr(settings) + str(settings) + settings.model_dump_json()
    with pytest.raises(SettingsError) as raised:
        load_settings({**environ, "TELEGRAM_WEBHOOK_SECRET": "hush hush"})
    assert "hush" not in str(raised.value)


def test_admins_are_pairs() -> None:
    settings = Settings(admins=" telegram:12345 ,whatsapp:+2348012345678,")
    assert settings.admin_list() == (("telegram", "12345"), ("whatsapp", "+2348012345678"))
    assert Settings().admin_list() == ()


def test_the_webhook_secret_is_derived_and_header_safe() -> None:
    one, other = (load_settings({"TELEGRAM_BOT_TOKEN": t}).webhook_secret() for t in ("1:a", "1:b"))
    assert one != other
    assert one.isalnum()
    chosen = load_settings({"TELEGRAM_BOT_TOKEN": "1:a", "TELEGRAM_WEBHOOK_SECRET": "mine_1-2"})
    assert chosen.webhook_secret() == "mine_1-2"


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().port = 1
