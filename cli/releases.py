"""`lafiya releases`: the registry for an operator. Exit codes: 0 done, 1 refused, 2 wrong usage."""

import json
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from bot.admin_show import figures
from bot.announce import Announcer, actor_of, identity_of
from bot.effects import Forced, WantsYes
from bot.releases import ALIVE, shown
from bot.texts import Texts
from cli.admin import operator
from core.errors import EngineError, LafiyaError, ReleaseRefused, StoreError
from core.settings import Settings
from inference.engine import BASE
from storage import instances, store
from storage.releases import Listed, Step
from storage.store import Store
from training import report_files
from training.jobs import RunRefused
from training.registry import Registry, open_registry

LOOK_AGAIN = 0.5
AS_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object, for scripts.")
BY = click.option("--by", metavar="CHANNEL:ADDRESS", help="Who decides, as in ADMINS.")
FORCE = click.option(
    "--force", is_flag=True, help="Without a passed gate; needs --reason and --by."
)
REASON = click.option("--reason", help="Why, for the audit.")
WAIT = click.option(
    "--wait",
    type=click.FloatRange(0, 600),
    default=15.0,
    show_default=True,
    help="Seconds to wait until every running process serves it.",
)


@dataclass(frozen=True, slots=True)
class Office:
    """What the commands need: the settings, the store and the registry."""

    settings: Settings
    store: Store
    registry: Registry

    def actor(self, by: str | None) -> str:
        """How the audit names who decides: an admin as in a chat, else whoever is logged in."""
        if by is None:
            return operator()
        channel, _, address = by.partition(":")
        if (channel, address) not in self.settings.admin_list():
            raise click.UsageError(f"--by {by}: nobody in ADMINS is called that")
        return actor_of(channel, self.store.cipher.blind(channel, identity_of(address)))

    def tell(self, name: str, step: Step, actor: str, reason: str | None, now: float) -> None:
        """Tell admins in chat what they would not learn here. Raises StoreError.

        Like a `/swap` in a chat: that their yes is wanted. And, to all of them, an override.
        """
        settings, needed = self.settings, self.registry.approvals
        hours = settings.reply_hours
        announcer = Announcer(self.store, Texts(), settings.admin_list(), hours)
        if reason and not self.registry.find(name).verdict:
            there, counter = step.approvals, step.pointer.counter
            announcer.announce(Forced(name, reason, there, needed, counter), now)
        elif not step.live:
            announcer.announce(WantsYes(name, step.approvals, needed, actor), now)


@click.group()
def releases() -> None:
    """List, add, promote and roll back the releases of the model."""


@releases.command("list")
@AS_JSON
@click.pass_obj
def list_(settings: Settings, as_json: bool) -> None:
    """Every release with its state and figures, and what each running process serves."""
    with opened(settings, as_json) as office:
        rows, pointer = office.registry.listed(), office.registry.pointer()
        strays, serving = office.registry.strays(), _serving(office.store)
        found = {
            "live": pointer.release or BASE,
            "counter": pointer.counter,
            "releases": [_summary(row) for row in rows],
            "not_added": strays,
            "instances": serving,
        }
        lines = [f"live: {found['live']}", *map(_line, rows)]
        lines += [f"{name}: lies in RELEASES, not added (lafiya releases add)" for name in strays]
        say(found, [*lines, *map(_instance, serving)], as_json)


@releases.command()
@click.argument("name")
@AS_JSON
@click.pass_obj
def show(settings: Settings, name: str, as_json: bool) -> None:
    """Everything known of one release, whether its files are whole, and where its report lies."""
    with opened(settings, as_json) as office:
        row = office.registry.find(name)
        try:
            files = office.registry.fetch(name).folder
        except EngineError as error:
            files = f"unusable: {error}"
        kept = report_files.named(row.report)
        # Within RELEASES: its address may hold a key.
        lies = {file: f"{report_files.folder(row.name, kept)}/{file}" for file in kept}
        found = {**asdict(row), "files": files, "report_at": lies}
        say(found, [json.dumps(found, indent=2, ensure_ascii=False)], as_json)


@releases.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@BY
@AS_JSON
@click.pass_obj
def add(settings: Settings, folder: Path, by: str | None, as_json: bool) -> None:
    """Take a finished release in as a candidate: a folder with its release.json."""
    with opened(settings, as_json) as office:
        name = office.registry.add(folder, actor=office.actor(by), now=time.time())
        state = office.registry.find(name).state
        say({"name": name, "state": state}, [f"{name}: {state}"], as_json)


@releases.command()
@click.argument("name")
@FORCE
@REASON
@BY
@WAIT
@AS_JSON
@click.pass_obj
def promote(
    settings: Settings,
    name: str,
    force: bool,
    reason: str | None,
    by: str | None,
    wait: float,
    as_json: bool,
) -> None:
    """Put a release live, everywhere. Refused unless it has passed the gate."""
    check_force(force, reason, by)
    with opened(settings, as_json) as office:
        actor, now = office.actor(by), time.time()
        name = office.registry.find(name).name
        step = office.registry.promote(name, actor=actor, now=now, force_reason=reason)
        office.tell(name, step, actor, reason, now)
        if step.live:
            _say_live(office, name, wait, as_json)
            return
        needed = office.registry.approvals
        found = {"live": False, "approvals": step.approvals, "needed": needed}
        agreed = f"{name}: {step.approvals} of {needed} have agreed"
        say(found, [f"{agreed}; the other admins are told in their chats"], as_json)


@releases.command()
@BY
@WAIT
@AS_JSON
@click.pass_obj
def rollback(settings: Settings, by: str | None, wait: float, as_json: bool) -> None:
    """Return to what was live before, everywhere."""
    with opened(settings, as_json) as office:
        pointer = office.registry.rollback(actor=office.actor(by), now=time.time())
        _say_live(office, pointer.release or BASE, wait, as_json)


@releases.command()
@click.argument("name")
@BY
@AS_JSON
@click.pass_obj
def retire(settings: Settings, name: str, by: str | None, as_json: bool) -> None:
    """Take a release out of the candidates."""
    with opened(settings, as_json) as office:
        name = office.registry.find(name).name
        office.registry.retire(name, actor=office.actor(by), now=time.time())
        say({"name": name, "state": "retired"}, [f"{name}: retired"], as_json)


@releases.command("name")
@click.argument("name")
@click.argument("label")
@BY
@AS_JSON
@click.pass_obj
def name_(settings: Settings, name: str, label: str, by: str | None, as_json: bool) -> None:
    """Call release NAME also LABEL; every command and order knows it by both."""
    with opened(settings, as_json) as office:
        actor, now = office.actor(by), time.time()
        office.registry.label(name, label, actor=actor, now=now, again=True)
        row = office.registry.find(label)
        say({"name": row.name, "label": row.label}, [f"{row.name} = {row.label}"], as_json)


def check_force(force: bool, reason: str | None, by: str | None) -> None:
    """An override has a reason and an admin's name. Raises UsageError."""
    if force and not ((reason or "").strip() and by):
        raise click.UsageError("--force needs --reason and --by")
    if reason and not force:
        raise click.UsageError("--reason goes with --force")


@contextmanager
def opened(settings: Settings, as_json: bool) -> Iterator[Office]:
    """The registry; a refusal ends the command with its reason and exit code 1."""
    database = store.open_store(settings.database_url, settings.data_key.get_secret_value())
    with closing(database):
        if not store.is_current(database):
            raise StoreError("the database is not of this version: run `lafiya migrate`")
        store.check_key(database)
        try:
            yield Office(settings, database, open_registry(settings, database))
        except (ReleaseRefused, EngineError, RunRefused) as error:
            code = "unusable" if isinstance(error, EngineError) else error.code
            if as_json:
                click.echo(json.dumps({"refused": code, "why": str(error)}, ensure_ascii=False))
            else:
                click.echo(f"Refused: {error}", err=True)
            raise click.exceptions.Exit(1) from None
        except LafiyaError as error:
            if not as_json:
                raise
            click.echo(json.dumps({"refused": "error", "why": str(error)}, ensure_ascii=False))
            raise click.exceptions.Exit(1) from None


def say(found: dict[str, Any], lines: list[str], as_json: bool) -> None:
    """What was found, as one JSON object or as lines."""
    click.echo(json.dumps(found, ensure_ascii=False) if as_json else "\n".join(lines))


def _say_live(office: Office, name: str, wait: float, as_json: bool) -> None:
    """Wait a moment for the running processes, then say how far they are."""
    until = time.monotonic() + wait
    serving = _serving(office.store)
    while time.monotonic() < until and any(one["release"] != name for one in serving):
        time.sleep(LOOK_AGAIN)
        serving = _serving(office.store)
    there = sum(one["release"] == name for one in serving)
    lines = [f"{name} is live: {there} of {len(serving)} running processes serve it"]
    found = {"live": True, "release": name, "instances": serving}
    say(found, [*lines, *map(_instance, serving)], as_json)


def _serving(database: Store) -> list[dict[str, Any]]:
    return [shown(one) for one in instances.seen(database, since=time.time() - ALIVE)]


def _summary(row: Listed) -> dict[str, Any]:
    return {
        "name": row.name,
        "label": row.label,
        "state": row.state,
        "passed": row.verdict,
        "forced": row.forced,
        "metrics": row.report.get("metrics") or row.manifest.get("metrics") or {},
        "added": _date(row.added_at),
    }


def _line(row: Listed) -> str:
    state = f"{row.state} (forced)" if row.forced else row.state
    called = f"{row.name} = {row.label}" if row.label else row.name
    return f"{called:24} {state:16} {_date(row.added_at)}  {figures(row)}".rstrip()


def _instance(serving: dict[str, Any]) -> str:
    reason = f" ({serving['reason']})" if serving["reason"] else ""
    return f"process {serving['instance']} ({serving['engine']}): {serving['release']}{reason}"


def _date(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")
