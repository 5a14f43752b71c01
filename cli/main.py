"""The `lafiya` command: reads the settings once and hands them to what was asked for."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from cli import (
    admin,
    content,
    demo,
    doctor,
    evaluate,
    export,
    models,
    releases,
    report,
    serve,
    talk,
    train,
)
from core import logs
from core.errors import LafiyaError, SettingsError
from core.settings import Settings, load_settings


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--env",
    "env_file",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path(".env"),
    show_default=True,
    help="File with settings; the environment goes before it.",
)
@click.pass_context
def cli(context: click.Context, env_file: Path) -> None:
    """A Hausa health assistant for Telegram, WhatsApp and a page."""
    context.obj = _settings(env_file)
    logs.configure(context.obj.log_level, context.obj.log_format)


def _settings(env_file: Path) -> Settings:
    try:
        return load_settings(os.environ, env_file if env_file.is_file() else None)
    except SettingsError as error:
        raise click.ClickException(f"wrong settings (see .env.example)\n{error}") from None


for part in (export.export, report.report):
    releases.releases.add_command(part)
for command in (
    serve.serve,
    serve.web,
    serve.worker,
    talk.chat,
    talk.ask,
    doctor.doctor,
    admin.migrate,
    admin.encrypt,
    admin.settings,
    admin.console,
    content.content,
    models.models,
    releases.releases,
    train.train,
    evaluate.evaluate,
    demo.demo,
):
    cli.add_command(command)


def main(words: Sequence[str] | None = None) -> None:
    """Run the command, by default the process's own; an error that we can name is one line, not a
    trace. Raises SystemExit unless all went well.
    """
    try:
        # Without its own ending click returns the code of an Exit instead of raising it.
        code = cli(words, standalone_mode=False)
        if isinstance(code, int) and code:
            sys.exit(code)
    except click.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except LafiyaError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)
