"""The mark of a model whose weights are random: `lafiya.json` beside them. Needs no torch."""

import json
from pathlib import Path

MARK = "lafiya.json"


def is_demo(folder: str | Path) -> bool:
    """Whether this is a folder with random weights. A hub id is none."""
    mark = Path(folder) / MARK
    return mark.is_file() and bool(json.loads(mark.read_text(encoding="utf-8")).get("demo"))
