"""`lafiya releases export`: a release as files, or on the hub. Exit codes as `lafiya releases`."""

import time
from pathlib import Path

import click

from cli import follow
from cli.releases import AS_JSON, BY, FORCE, REASON, Office, check_force, opened, say
from core.errors import ReleaseUnusable
from core.settings import Settings
from training import jobs as running
from training.export import ENTRY, FORMS, ExportConfig, Exports, check_leave
from training.folder import RunFolder, State
from training.gguf import BITS
from training.jobs import Jobs


@click.command()
@click.argument("name")
@click.option("--as", "form", type=click.Choice(FORMS), default="adapter", show_default=True)
@click.option("--to", metavar="PLACE", default="", help="A folder; for the hub OWNER/NAME.")
@click.option("--bits", type=click.Choice(BITS), default="q8_0", show_default=True, help="GGUF.")
@click.option("--merged", is_flag=True, help="Push the merged model to the hub, not the adapter.")
@click.option("--public", is_flag=True, help="Make the repository on the hub public; asks first.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@FORCE
@REASON
@BY
@click.option("--detach", is_flag=True, help="Do not wait for the end.")
@AS_JSON
@click.pass_context
def export(
    context: click.Context,
    /,
    name: str,
    form: str,
    to: str,
    bits: str,
    merged: bool,
    public: bool,
    yes: bool,
    force: bool,
    reason: str | None,
    by: str | None,
    detach: bool,
    as_json: bool,
) -> None:
    """Write a release out: adapter (a zip), merged (16 bits), gguf, or push it to the hub."""
    check_force(force, reason, by)
    _check_hub(form, merged, public)
    if public and not yes:
        click.confirm(f"Make {name} public on the hub, for everybody?", abort=True)
    wanted = ExportConfig.model_validate(
        {
            "release": name,
            "form": form,
            "to": to if form == "hub" or not to else str(Path(to).expanduser().resolve()),
            "bits": bits,
            "content": "merged" if merged else "adapter",
            "public": public,
            "forced": (reason or "").strip(),
        }
    )
    settings: Settings = context.obj
    with opened(settings, as_json) as office:
        _begin(office, exports(settings, context), wanted, by, detach, as_json)


def exports(settings: Settings, context: click.Context | None = None) -> Exports:
    """The exports of this installation; their processes read the same environment file."""
    env_file = context.find_root().params.get("env_file") if context else None
    return Exports(Jobs(Path(settings.exports), ENTRY, (str(env_file),) if env_file else ()))


def _check_hub(form: str, merged: bool, public: bool) -> None:
    if (merged or public) and form != "hub":
        raise click.UsageError("--merged and --public go with --as hub")


def _begin(
    office: Office, all_: Exports, wanted: ExportConfig, by: str | None, detach: bool, as_json: bool
) -> None:
    row = office.registry.find(wanted.release)
    wanted = wanted.model_copy(update={"release": row.name})
    check_leave(row, wanted)
    to = wanted.repository if wanted.form == "hub" else ""
    said = {"form": wanted.form, "to": to, "why": wanted.forced}
    office.registry.exported(row.name, actor=office.actor(by), now=time.time(), **said)
    run = all_.begin(wanted)
    if detach:
        say({"export": run.name}, [f"{run.name}: begun"], as_json)
        return
    last = _watched(all_, run, as_json)
    if last.phase != "done":
        raise ReleaseUnusable(f"{run.name}: {last.phase}. {last.detail}")
    result = run.result() or {}
    places = [str(Path(result["folder"], one["path"])) for one in result["files"]]
    say(result, [result["url"]] if result["url"] else places, as_json)


def _watched(all_: Exports, run: RunFolder, as_json: bool) -> State:
    """How it ended. Whoever interrupts it, stops it."""
    try:
        if not as_json:
            return follow.shown(run, running.wait(run, all_.jobs), False)
        return list(running.wait(run, all_.jobs))[-1]
    except KeyboardInterrupt:
        all_.jobs.stop(run)
        raise click.exceptions.Exit(130) from None
