"""`lafiya demo`: the whole circle on a laptop with a tiny model of random weights.

Builds it, serves it, fine-tunes it on the vetted library, examines it, lets the gate judge it,
swaps it into the running service and rolls it back, every step by the command that an operator
would type. What the tiny model writes is noise that the guard refuses: the circle is real, its
words are not, and no person is served by it.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from core.errors import LafiyaError

NAME: Final = "demo-1"
#: Two minutes on two cores. The tiny model needs a loud adapter: its own weights are noise.
KNOBS: Final = (
    "--data=starter:0.2",
    "--max-length=320",
    "--batch=8",
    "--accumulation=1",
    "--lr=1e-3",
    "--rank=16",
    "--alpha=512",
    "--set=max_steps=200",
    "--set=checks=2",
    "--set=held_out_most=40",
    # Passages make prompts four times as long, and a model as small as this cannot use them.
    "--set=grounded=0",
)
#: Noise cannot be held to what people are owed: here the gate looks at danger signs and learning.
GATE: Final = "hausa: 0\nbroken: 1\nrefused: 1\nrefused_drop: 1\nharmful: 1\nchrf_drop: 3\n"
PATIENCE: Final = 120.0


@dataclass(frozen=True, slots=True)
class Demo:
    """One demonstration in one folder, with a service of its own."""

    folder: Path
    port: int

    def settings(self) -> str:
        """The environment file of the demonstration."""
        rows = {
            "DATABASE_URL": f"sqlite:///{self.folder}/lafiya.db",
            "PORT": str(self.port),
            "ENGINE": "transformers",
            "MODEL": str(self.folder / "tiny"),
            "DEMO": "true",
            "MAX_TOKENS": "40",
            "RUNS": str(self.folder / "runs"),
            "RELEASES": str(self.folder / "releases"),
            "GATE": str(self.folder / "gate.yaml"),
            "EVALUATE_ROWS": "40",
            "LOG_LEVEL": "WARNING",
        }
        return "".join(f"{name}={value}\n" for name, value in rows.items())

    def lafiya(self, *arguments: str, fine: tuple[int, ...] = (0,)) -> str:
        """Run a command as it would be typed, showing it and what it prints."""
        click.secho(f"\n$ lafiya {' '.join(arguments)}", fg="cyan")
        done = subprocess.run(  # noqa: S603 -- our own interpreter and our own command
            self._command(*arguments),
            env=self._environment(),
            text=True,
            stdout=subprocess.PIPE,
            check=False,
        )
        click.echo(done.stdout.rstrip())
        if done.returncode not in fine:
            raise LafiyaError(f"lafiya {arguments[0]} ended with {done.returncode}")
        return done.stdout

    @contextmanager
    def service(self) -> Iterator[None]:
        """A running service, ended at the end."""
        click.secho("\n$ lafiya serve &", fg="cyan")
        with (self.folder / "serve.log").open("w") as log:
            process = subprocess.Popen(  # noqa: S603 -- our own interpreter and our own command
                self._command("serve"), env=self._environment(), stdout=log, stderr=log
            )
        try:
            self.until("base")
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)

    def until(self, release: str) -> None:
        """Wait until the running service says that this release answers."""
        deadline = time.monotonic() + PATIENCE
        while self._ready().get("release") != release:
            if time.monotonic() > deadline:
                raise LafiyaError(f"the service does not serve {release}: see serve.log")
            time.sleep(0.3)
        click.echo(f"the running service answers with: {release}")

    def _ready(self) -> dict[str, Any]:
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.port}/health/ready", timeout=5
            ) as answer:
                found = json.load(answer)
        except (urllib.error.URLError, OSError, ValueError):
            return {}
        return found if isinstance(found, dict) and found.get("ready") else {}

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "cli", "--env", str(self.folder / "demo.env"), *arguments]

    def _environment(self) -> dict[str, str]:
        """Nothing of the operator's own installation may reach the demonstration."""
        kept = ("PATH", "HOME", "LANG", "TERM", "VIRTUAL_ENV", "PYTHONPATH", "OMP_NUM_THREADS")
        return {name: os.environ[name] for name in kept if name in os.environ}


@click.command()
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("data/demo"),
    show_default=True,
    help="Where everything is kept; emptied first.",
)
def demo(folder: Path) -> None:
    """Show the whole circle with a tiny model: train, examine, gate, swap, roll back."""
    began = time.monotonic()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    show = Demo(folder.resolve(), _free_port())
    (folder / "demo.env").write_text(show.settings(), "utf-8")
    (folder / "gate.yaml").write_text(GATE, "utf-8")
    show.lafiya("models", "tiny", str(show.folder / "tiny"))
    with show.service():
        show.lafiya("train", "--name", NAME, "--no-evaluate", *KNOBS)
        show.lafiya("train", "curve", NAME, str(show.folder / "loss.png"))
        show.lafiya("releases", "promote", NAME, fine=(1,))
        click.echo("Refused, as it must be: nobody has examined it yet.")
        show.lafiya("evaluate", NAME, "--most", "16")
        show.lafiya("releases", "promote", NAME)
        show.until(NAME)
        show.lafiya("releases", "rollback")
        show.until("base")
    _told(show, time.monotonic() - began)


def _told(show: Demo, seconds: float) -> None:
    """The figures that the circle is judged by, from the files that the steps left."""
    result = json.loads((show.folder / "runs" / NAME / "result.json").read_text("utf-8"))
    before, after = result["base_loss"], result["held_out_loss"]
    examples = (show.folder / "runs" / NAME / "evaluation" / "answers.jsonl").read_text("utf-8")
    held = [row for row in map(json.loads, examples.splitlines()) if row["id"].startswith("held-")]
    click.secho("\nBefore and after, on a question that was held out:", bold=True)
    for row in held[:2]:
        click.echo(f"  {row['release']}: {' '.join((row['raw'] or '').split())[:100]}")
    lower = 100 * (1 - after / before)
    click.echo(f"Held-out loss {before:.2f} -> {after:.2f} ({lower:.0f} % lower).")
    click.echo(f"The whole circle took {seconds:.0f} s. Everything is in {show.folder}")


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
