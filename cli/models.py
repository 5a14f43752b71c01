"""`lafiya models`: checkpoints on this machine's disk."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from knowledge.topic import Topic, load_topics


@click.group()
def models() -> None:
    """Make models to try things out with."""


@models.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--multimodal", is_flag=True, help="With a vision tower, as the published 4B has.")
@click.option("--seed", default=0, show_default=True, help="Another seed, other random weights.")
def tiny(folder: Path, multimodal: bool, seed: int) -> None:
    """Make a tiny Gemma-3 with random weights in FOLDER, to test and demonstrate with.

    It loads, answers and trains like a real one, but what it writes is noise.
    """
    if folder.exists() and any(folder.iterdir()):
        raise click.ClickException(f"{folder} is not empty: name a new folder")
    try:
        from transformers.utils import logging

        from inference.gemma import tiny as small
    except ImportError as error:
        raise click.ClickException(f"{error}: pip install 'lafiya[model]'") from None
    logging.disable_progress_bar()
    small.build(folder, _texts(load_topics().values()), seed=seed, multimodal=multimodal)
    weights = (folder / "model.safetensors").stat().st_size / 1e6
    click.echo(f"Made a tiny Gemma-3 in {folder} ({weights:.1f} MB of random weights).")
    click.echo("For tests and demonstrations only: what it writes is noise.")
    click.echo(f"Try it: ENGINE=transformers MODEL={folder} DEMO=true lafiya chat")


def _texts(topics: Iterable[Topic]) -> Iterator[str]:
    """What its tokenizer learns: everything that the library says."""
    for topic in topics:
        yield from topic.questions
        for field in (topic.title, topic.answer, topic.clinic_today, topic.more, topic.avoid):
            yield from field.values()
