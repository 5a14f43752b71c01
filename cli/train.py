"""`lafiya train`: begin a run, watch it, stop it, take it up again; `--dry-run` looks first."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from cli.follow import follow, say
from core.settings import Settings
from storage import store
from training.config import TrainConfig, config
from training.jobs import Jobs
from training.needs import check

#: Knobs in the order in which the help shows them; the rest of `TrainConfig` is named with --set.
KNOBS = ("epochs", "batch", "accumulation", "learning_rate", "rank", "alpha", "max_length")


@click.group(invoke_without_command=True)
@click.option("--data", "sources", multiple=True, help="starter, store, a file, a hub id; name:2")
@click.option("--model", help="Base model; default: the setting MODEL.")
@click.option("--name", help="Name of the run and its release; default: the date and time.")
@click.option("--epochs", type=float)
@click.option("--batch", type=int)
@click.option("--accumulation", type=int)
@click.option("--lr", "learning_rate", type=float)
@click.option("--rank", type=int)
@click.option("--alpha", type=int)
@click.option("--max-length", type=int)
@click.option("--evaluate/--no-evaluate", default=None, help="Examine the release at the end.")
@click.option("--set", "further", multiple=True, metavar="NAME=VALUE", help="Any other knob.")
@click.option("--dry-run", is_flag=True, help="Look at data, masks and memory; train nothing.")
@click.option("--detach", is_flag=True, help="Do not wait for the end.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_context
def train(
    context: click.Context,
    /,
    sources: tuple[str, ...],
    model: str | None,
    name: str | None,
    further: tuple[str, ...],
    dry_run: bool,
    detach: bool,
    as_json: bool,
    **knobs: float | None,
) -> None:
    """Fine-tune the model on conversations; the adapter becomes a candidate release."""
    if context.invoked_subcommand:
        return
    settings: Settings = context.obj
    values: dict[str, Any] = {key: value for key, value in knobs.items() if value is not None}
    wanted = config(
        {"model": model or settings.model}
        | ({"data": sources} if sources else {})
        | values
        | dict(map(_knob, further))
    )
    if dry_run:
        _look(settings, wanted, as_json)
        return
    check(wanted)
    migrated(settings)
    jobs = runs(settings, context)
    run = jobs.start(wanted, name=name or f"r{datetime.now(UTC):%Y%m%d-%H%M%S}")
    follow(run, jobs, as_json, detach)


@train.command("list")
@click.option("--json", "as_json", is_flag=True)
@click.pass_context
def list_runs(context: click.Context, as_json: bool) -> None:
    """Every run and where it stands."""
    jobs = runs(context.obj, context)
    for run in jobs.all():
        say(run, jobs.state(run), as_json)


@train.command()
@click.argument("name")
@click.option("--detach", is_flag=True, help="Do not wait for the end.")
@click.option("--json", "as_json", is_flag=True)
@click.pass_context
def resume(context: click.Context, name: str, detach: bool, as_json: bool) -> None:
    """Go on with a run that was stopped or killed, from its last checkpoint."""
    jobs = runs(context.obj, context)
    follow(jobs.resume(name), jobs, as_json, detach)


@train.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True)
@click.pass_context
def cancel(context: click.Context, name: str, as_json: bool) -> None:
    """Stop a run within a step; its checkpoint is kept."""
    runs(context.obj, context).cancel(name)
    told = json.dumps({"run": name, "stopping": True}) if as_json else f"{name}: stopping"
    click.echo(told)


@train.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True)
@click.pass_context
def watch(context: click.Context, name: str, as_json: bool) -> None:
    """Follow a run that is going on."""
    jobs = runs(context.obj, context)
    follow(jobs.find(name), jobs, as_json, False)


@train.command()
@click.argument("name")
@click.argument("picture", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True)
@click.pass_context
def curve(context: click.Context, name: str, picture: Path, as_json: bool) -> None:
    """Draw a run's losses into PICTURE (.png or .svg)."""
    from training.curve import draw

    draw(runs(context.obj, context).find(name), picture)
    told = {"run": name, "picture": str(picture)}
    click.echo(json.dumps(told, ensure_ascii=False) if as_json else str(picture))


def runs(settings: Settings, context: click.Context | None = None) -> Jobs:
    """The runs of this installation; their processes read the same environment file."""
    env_file = context.find_root().params.get("env_file") if context else None
    return Jobs(Path(settings.runs), "cli.trainer", (str(env_file),) if env_file else ())


def migrated(settings: Settings) -> None:
    """Refuse to train for hours beside a database that could not take the release."""
    database = store.open_store(settings.database_url, settings.data_key.get_secret_value())
    try:
        store.migrate(database)
    finally:
        database.close()


def _knob(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise click.UsageError(f"--set {text}: write NAME=VALUE")
    yes_no = {"yes": True, "true": True, "no": False, "false": False}
    return name.strip(), yes_no.get(value.strip().lower(), value.strip())


def _look(settings: Settings, wanted: TrainConfig, as_json: bool) -> None:
    from cli.trainer import tools
    from training.gemma.dry import look

    database = store.open_store(settings.database_url, settings.data_key.get_secret_value())
    report = look(wanted, tools(settings, database))
    if as_json:
        click.echo(json.dumps(report.record(), ensure_ascii=False))
    else:
        click.echo(report.text())
