"""A run's losses as a picture in a chat, or the sentence that says why there is none."""

import tempfile
from pathlib import Path

from core.messages import Document
from training.curve import NoPlotter, draw
from training.folder import RunFolder
from training.rows import DataError


def picture(run: RunFolder, *, shown: bool) -> Document | str:
    """The picture, or the key of why not. `shown`: the channel can send pictures.

    Takes a second where nothing was drawn before: what draws is read from disk then.
    """
    if not shown:
        return "admin-curve-channel"
    with tempfile.TemporaryDirectory(prefix="lafiya-") as folder:
        file = Path(folder) / f"{run.name}.png"
        try:
            draw(run, file)
        except NoPlotter:
            return "admin-curve-library"
        except DataError:
            return "admin-curve-early"
        return Document(file.name, file.read_bytes())
