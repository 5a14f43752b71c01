"""What an embedding model does to the library: `python -m benchmarks.rerank FOLDER [--what NAME]`.

Asks the held-out questions by the words alone and with RERANK_MODEL in FOLDER beside them, prints
the table and writes it into docs/safety.md. Needs the extra `model`. Chooses nothing.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from inference.gemma.embed import Embedder
from knowledge.library import Library, Match
from knowledge.library_eval import NONE, Question, held_out, tally
from knowledge.rerank import SHARE, Reranked

PAGE: Final = Path(__file__).parents[1] / "docs" / "safety.md"
BEGIN, END = "<!-- rerank:begin -->", "<!-- rerank:end -->"
#: Long enough that nothing is left to the words because the machine is busy.
PATIENCE: Final = 60.0


def main() -> None:
    """Measure, print, and write the table into docs/safety.md."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folder", help="a folder or hub id, as RERANK_MODEL takes it")
    options.add_argument("--what", help="what the table calls the model (default: the folder)")
    given = options.parse_args()
    asked = [one for rows in held_out().values() for one in rows if one[0] != NONE]
    table = measure(given.folder, given.what or given.folder, asked)
    write(table)
    sys.stdout.write(table + "\n")


def measure(folder: str, name: str, asked: Sequence[Question]) -> str:
    """Return the table for `asked`. Raises SettingsError when the model cannot be loaded."""
    embedder, library = Embedder.load(folder), Library.load()
    beside = Reranked(library, lambda: embedder, deadline=PATIENCE)
    unsure = [one for one in asked if library.search(one[1]).outcome == "context"]
    try:
        rows = [
            _row("the words alone", unsure, library.search),
            _row(f"with {name} ({SHARE} of its cosine)", unsure, beside.search),
            _row(
                f"{name} alone",
                unsure,
                lambda text: _by_model(library.search(text), embedder, text),
            ),
        ]
    finally:
        beside.close()
    return "\n".join(
        [
            "Written by `python -m benchmarks.rerank FOLDER`. Held-out questions of which the "
            f"library is unsure: {len(unsure)} of {len(asked)}.\n",
            "| order | right topic first | right in top 3 | median time a question |",
            "|---|---|---|---|",
            *rows,
        ]
    )


def write(table: str, page: Path = PAGE) -> None:
    """Put `table` between the marks of `page`."""
    head, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    tail = rest.partition(END)[2]
    page.write_text(f"{head}{BEGIN}\n{table}\n{END}{tail}", encoding="utf-8")


def _row(name: str, asked: Sequence[Question], search: Callable[[str], Match]) -> str:
    spent = []

    def timed(text: str) -> Match:
        begun = time.perf_counter()
        match = search(text)
        spent.append(time.perf_counter() - begun)
        return match

    counts = tally(asked, timed)
    shares = [f"{100 * n / max(1, counts.asked):.1f} %" for n in (counts.first, counts.third)]
    return f"| {name} | {' | '.join(shares)} | {1000 * statistics.median(spent):.1f} ms |"


def _by_model(match: Match, embedder: Embedder, text: str) -> Match:
    scores = embedder.scores(text, [passage.text for passage in match.passages])
    order = sorted(range(len(scores)), key=lambda place: -scores[place])
    return Match(match.outcome, tuple(match.passages[place] for place in order), off_topic=False)


if __name__ == "__main__":
    main()
