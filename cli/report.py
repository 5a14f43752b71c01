"""`lafiya releases report`: what an examination found, on any machine of the installation."""

from pathlib import Path

import click

from cli.releases import AS_JSON, opened, say
from core.errors import ReleaseRefused, SettingsError
from core.settings import Settings
from training.registry import Registry
from training.report_files import PAGE, PICTURE


@click.command()
@click.argument("name")
@click.option(
    "--to",
    type=click.Path(file_okay=False, path_type=Path),
    help="A folder for the page and the picture, instead of the screen.",
)
@AS_JSON
@click.pass_obj
def report(settings: Settings, name: str, to: Path | None, as_json: bool) -> None:
    """Print the report of a release's examination, or write it and its picture to a folder."""
    with opened(settings, as_json) as office:
        name = office.registry.find(name).name
        files = _found(office.registry, name, Path(settings.runs))
        page = files[PAGE].decode("utf-8", "replace")
        written = _written(files, to) if to else []
        found = {"release": name, "report": page, "written": written}
        say(found, written or [page.rstrip()], as_json)


def _found(registry: Registry, name: str, runs: Path) -> dict[str, bytes]:
    """The files that there are. Raises ReleaseRefused (no_report), ReleaseUnusable."""
    files = {file: registry.report_file(name, file, runs) for file in (PAGE, PICTURE)}
    if files[PAGE] is None:
        judged = registry.find(name).verdict is not None
        why = "its report lies on the machine that examined it" if judged else "not examined yet"
        raise ReleaseRefused("no_report", f"{name}: {why}", name)
    return {file: content for file, content in files.items() if content is not None}


def _written(files: dict[str, bytes], to: Path) -> list[str]:
    try:
        to.mkdir(parents=True, exist_ok=True)
        for file, content in files.items():
            (to / file).write_bytes(content)
    except OSError as error:
        raise SettingsError(f"{to} cannot be written: {error.strerror or error}") from None
    return [str(to / file) for file in files]
