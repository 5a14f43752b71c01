"""A process of `training.jobs` on the terminal: one bar that moves, or a line of JSON a state."""

import json
from collections.abc import Iterable
from importlib.util import find_spec

import click

from core.errors import LafiyaError
from training import jobs as running
from training.folder import RunFolder, State
from training.jobs import Jobs


def follow(run: RunFolder, jobs: Jobs, as_json: bool, detach: bool) -> None:
    """Watch a run until it ends. Raises LafiyaError when it ends badly."""
    if detach:
        say(run, run.state(), as_json)
        return
    try:
        last = shown(run, running.wait(run, jobs), as_json)
    except KeyboardInterrupt:
        click.echo(f"\nThe run goes on. To stop it: lafiya train cancel {run.name}", err=True)
        raise click.exceptions.Exit(130) from None
    if last.phase != "done":
        raise LafiyaError(f"{run.name}: {last.phase}. {last.detail}")


def shown(run: RunFolder, states: Iterable[State], as_json: bool) -> State:
    """Every state as a line (of JSON), or all as one bar that moves, where rich is installed."""
    last = State()
    if as_json or find_spec("rich") is None:
        for last in states:
            say(run, last, as_json)
        return last
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[say]}"))
    with Progress(*columns, TimeElapsedColumn()) as progress:
        bar = progress.add_task(run.name, total=1.0, say="")
        for last in states:
            words = told(last)
            progress.update(bar, completed=last.share, description=last.phase, say=words)
    return last


def told(state: State) -> str:
    """A run's figures in one line."""
    eta = f"{state.eta / 60:.0f} min left" if state.eta and state.phase == "training" else ""
    parts = (
        f"{state.step}/{state.steps}" if state.steps else "",
        f"loss {state.loss:.3f}" if state.loss is not None else "",
        f"held out {state.held_out_loss:.3f}" if state.held_out_loss is not None else "",
        f"{state.speed:,.0f} tok/s" if state.speed else "",
        eta,
        state.detail,
    )
    return "  ".join(part for part in parts if part)


def say(run: RunFolder, state: State, as_json: bool) -> None:
    """Where a run stands, in one line."""
    if as_json:
        fields = {name: getattr(state, name) for name in State.__dataclass_fields__}
        click.echo(json.dumps({"run": run.name, **fields}, ensure_ascii=False))
    else:
        click.echo(f"{run.name}  {state.phase}  {told(state)}")
