"""An operator's commands on the database and the settings."""

import getpass
import time

import click
from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from bot.access import LINK, OPERATOR, Access
from bot.texts import LANGUAGES
from core.settings import Settings
from storage import privacy, store


@click.command()
@click.pass_obj
def migrate(settings: Settings) -> None:
    """Bring the database to this version's schema (`serve` does it by itself)."""
    database = store.open_store(settings.database_url, settings.data_key.get_secret_value())
    store.migrate(database)
    click.echo("The database is up to date.")


@click.command()
@click.pass_obj
def encrypt(settings: Settings) -> None:
    """Encrypt a database that was begun without DATA_KEY. Stop the service first."""
    key = settings.data_key.get_secret_value()
    if not key:
        raise click.ClickException("set DATA_KEY to a long secret first, and keep a copy of it")
    store.migrate(store.open_store(settings.database_url))
    people = privacy.encrypt_all(store.open_store(settings.database_url, key))
    click.echo(f"Encrypted the records of {people} people. Keep DATA_KEY: it cannot be recovered.")


@click.command()
@click.option("--lang", type=click.Choice(LANGUAGES), default=LANGUAGES[0], show_default=True)
@click.pass_obj
def console(settings: Settings, lang: str) -> None:
    """Print an address that opens the console once (health workers write /console in chat)."""
    database = store.open_store(settings.database_url, settings.data_key.get_secret_value())
    try:
        store.migrate(database)
        access = Access(database, settings.address(), ())
        click.echo(access.link(operator(), lang, now=time.time()))
    finally:
        database.close()
    click.echo(f"It opens once, within {LINK / 60:.0f} minutes.", err=True)


def operator() -> str:
    """How the audit names whoever holds a shell here: by the account."""
    return f"{OPERATOR}{getpass.getuser()}"[:64]


@click.command()
def settings() -> None:
    """Print every setting with its meaning and default, as .env.example has them."""
    click.echo(env_example(), nl=False)


def env_example() -> str:
    """The text of .env.example."""
    lines = [
        "# Settings of the Hausa Health Assistant. Copy to .env and fill in what you use.",
        "# The environment goes before this file. Written by `lafiya settings`.",
    ]
    for name, field in Settings.model_fields.items():
        default = "" if field.default is PydanticUndefined else field.default
        if isinstance(default, SecretStr):
            default = default.get_secret_value()
        shown = str(default).lower() if isinstance(default, bool) else str(default)
        lines += ["", f"# {field.description}", f"{name.upper()}={shown}"]
    return "\n".join(lines) + "\n"
