"""`lafiya doctor`: looks at everything an operator can get wrong and says what to do about each."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from bot import parts
from bot.texts import Texts
from core.errors import LafiyaError
from core.settings import Settings
from inference.choose import choose
from inference.engine import LibraryEngine
from knowledge.facilities import Facilities
from storage import store

LEAST_FREE = 500 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: whether it is fine, and what it is or what to do."""

    what: str
    fine: bool
    say: str


@click.command()
@click.pass_obj
def doctor(settings: Settings) -> None:
    """Check settings, database, disk, tokens, webhooks and engine."""
    bad = 0
    for check in checks(settings):
        mark = click.style("ok  ", fg="green") if check.fine else click.style("LOOK", fg="red")
        click.echo(f"{mark}  {check.what}: {check.say}")
        bad += not check.fine
    if bad:
        raise click.exceptions.Exit(1)


def checks(settings: Settings) -> Iterator[Check]:
    """Every check, in the order in which a mistake should be mended."""
    yield _public(settings)
    yield _disk(settings)
    yield _database(settings)
    yield _key(settings)
    yield _engine(settings)
    yield _facilities(settings)
    yield _knowledge(settings)
    yield from _reranker(settings)
    yield from _channels(settings)
    yield _admins(settings)


def _public(settings: Settings) -> Check:
    if not settings.public_url:
        return Check("PUBLIC_URL", True, "empty: Telegram is polled; WhatsApp cannot reach us")
    if not settings.public_url.startswith("https://"):
        return Check("PUBLIC_URL", False, "must be https:// for Telegram and Twilio to call it")
    return Check("PUBLIC_URL", True, settings.public_url)


def _disk(settings: Settings) -> Check:
    folder = parts.data_folder(settings)
    if folder is None:
        return Check("disk", True, "the database is on its own server")
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder or Path()).free
    text = f"{free // (1024 * 1024)} MiB free"
    return Check("disk", free > LEAST_FREE, text if free > LEAST_FREE else f"{text}: make room")


def _database(settings: Settings) -> Check:
    """Only looks: `lafiya migrate` and `lafiya serve` are what changes a database."""
    folder = parts.data_folder(settings)
    if folder is not None and not (folder / Path(settings.database_url).name).exists():
        return _no_database_yet(folder)
    try:
        database = store.open_store(settings.database_url, settings.data_key.get_secret_value())
        if not store.is_current(database):
            return Check("database", False, "not at this version: run `lafiya migrate`")
        store.check_key(database)
    except LafiyaError as error:
        return Check("database", False, f"{error} Check DATABASE_URL and that it can be reached.")
    database.close()
    return Check("database", True, f"{database.engine.dialect.name}, schema up to date")


def _no_database_yet(folder: Path) -> Check:
    while not folder.exists():
        folder = folder.parent
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        return Check("database", False, f"cannot be made in {folder}. Check DATABASE_URL.")
    return Check("database", True, "not there yet: `lafiya serve` or `lafiya migrate` makes it")


def _key(settings: Settings) -> Check:
    if settings.data_key.get_secret_value():
        return Check("DATA_KEY", True, "texts, names and addresses are encrypted")
    say = "empty: people's messages are stored readable. Set it, then run `lafiya encrypt`"
    return Check("DATA_KEY", not _messengers(settings), say)


def _engine(settings: Settings) -> Check:
    try:
        engine = choose(settings)
    except LafiyaError as error:
        return Check("engine", False, str(error))
    status = engine.status()
    engine.close()
    # A model that begins to load is as well as a moment can tell.
    fine = status.ready or status.progress is not None
    return Check("engine", fine, f"{status.name}: {status.detail}")


def _knowledge(settings: Settings) -> Check:
    try:
        mind = parts.make_mind(settings, LibraryEngine(), Texts())
    except (LafiyaError, ValueError) as error:
        return Check("library", False, str(error))
    topics = len(mind.library.topics)
    say = f"{topics} topics" if topics else "no topic is signed: LIBRARY_REVIEWED_ONLY is on"
    return Check("library", bool(topics), say)


def _facilities(settings: Settings) -> Check:
    if not settings.facilities:
        return Check("FACILITIES", True, "empty: no hospital is named (docs/facilities.md)")
    try:
        known = Facilities.load(Path(settings.facilities)).known
    except LafiyaError as error:
        return Check("FACILITIES", False, str(error))
    states = len({row.state for row in known})
    say = f"{len(known)} facilities in {states} states or regions"
    return Check("FACILITIES", bool(known), say if known else "the file has no row")


def _reranker(settings: Settings) -> Iterator[Check]:
    if not settings.rerank_model:
        return
    try:
        from inference.gemma.embed import Embedder

        Embedder.load(settings.rerank_model).scores("gwaji", ["gwaji"])
    except (LafiyaError, ImportError) as error:
        yield Check("RERANK_MODEL", False, f"{error}; the order of words is used instead")
    else:
        yield Check("RERANK_MODEL", True, settings.rerank_model)


def _channels(settings: Settings) -> Iterator[Check]:
    for channel in parts.make_channels(settings, Texts()).values():
        for what, fine, say in channel.check():
            yield Check(what, fine, say or "fine")
        channel.stop()
    if not settings.telegram_bot_token.get_secret_value():
        yield Check("telegram", True, "off: set TELEGRAM_BOT_TOKEN from @BotFather to turn it on")
    if not settings.twilio_account_sid:
        yield Check("whatsapp", True, "off: set TWILIO_ACCOUNT_SID, _AUTH_TOKEN, _WHATSAPP_FROM")


def _admins(settings: Settings) -> Check:
    if settings.admin_list() or not _messengers(settings):
        return Check("ADMINS", True, f"{len(settings.admin_list())} health workers")
    return Check("ADMINS", False, "empty: nobody is told of a danger sign. Set ADMINS")


def _messengers(settings: Settings) -> bool:
    return bool(settings.telegram_bot_token.get_secret_value() or settings.twilio_account_sid)
