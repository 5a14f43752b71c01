"""Fine-tuning by our trainer, by TRL as it comes, and by the origin's recipe: the same rows.

`python -m benchmarks.train [--shape 270m|1b|4b|tiny] [--device cpu|cuda] [--conversations N]
[--others N] [--quick]`. The weights are random and of a Gemma-3's real shape: the speed is real.
With a GPU the defaults are the 4B's shape and one epoch of 8,100 conversations. On one thread of a
CPU the rates are by CPU seconds, which other programs do not lengthen.

Rows have the lengths of the starter set's, scaled to the 250 tokens of the origin's data. Model
FLOP utilisation counts what the rows need and nothing that is computed for padding or twice,
against what this machine multiplies in a large matrix.
"""

import argparse
from collections.abc import Sequence
from typing import Any

import torch

from benchmarks import engine_floor
from benchmarks import train_ways as ways
from benchmarks.engine import random_loaded
from benchmarks.engine_ways import Run
from benchmarks.model import options, tell
from benchmarks.report import table
from inference.gemma.shapes import SHAPES, Shape
from training.gemma.tokens import Encoded

EPOCH = 8_100
COLUMNS = ("way", "conversations", "conv_s", "tok_s", "wall_s", "peak_mb", "mfu", "of_origin")


def main() -> None:
    """Measure, print the table and the JSON line."""
    given = _options()
    what = SHAPES[given.shape], given.device, given.conversations, given.others
    tell(given.threads, lambda: measure(*what), show)


def _options() -> argparse.Namespace:
    found = options(__doc__, "one step of each")
    found.add_argument("--conversations", type=int, help="that our trainer learns from")
    found.add_argument("--others", type=int, help="of them, that the other ways learn from")
    given = found.parse_args()
    usual = (EPOCH, 800) if torch.cuda.is_available() else (8, 8) if given.quick else (64, 32)
    given.conversations = given.conversations or usual[0]
    given.others = min(given.others or usual[1], given.conversations)
    return given


def measure(shape: Shape, device: str, conversations: int, others: int) -> dict[str, Any]:
    """Our trainer on all rows, the others on the first of them."""
    model = random_loaded(shape, device)
    speed = engine_floor.measure(model.device, model.model.dtype)[1]
    rows = ways.rows(conversations, shape.vocab)
    # A large batch fills a GPU; a processor's caches hold a small one, and our defaults are that.
    cut = {"batch": ways.STEP, "accumulation": 1} if device == "cuda" else {}
    ours, trl = ways.ours(**cut), ways.plain("TRL", ways.STEP, 1)
    origin = ways.plain("origin", 2, ways.STEP // 2)
    short = ways.rows(ways.STEP, shape.vocab, mean=16)
    found = []
    for way, mine in ((ours, rows), (trl, rows[:others]), (origin, rows[:others])):
        ways.go(way, model, short)  # kernels are chosen and memory is taken
        run = ways.go(way, model, mine)
        seconds = ways.spent(run, model, torch.get_num_threads())
        found.append(_row(way.name, shape, mine, run, seconds, speed))
    for row in found:
        row["of_origin"] = round(row["tok_s"] / found[-1]["tok_s"], 2)
        row["of_trl"] = round(row["tok_s"] / found[1]["tok_s"], 2)
    lengths = [len(row.input_ids) for row in rows]
    return {
        "shape": shape.name,
        "device": torch.cuda.get_device_name(model.device) if device == "cuda" else "cpu",
        "dtype": str(model.model.dtype).removeprefix("torch."),
        "parameters": model.parameters,
        "threads": torch.get_num_threads(),
        "gflop_s": round(speed / 1e9),
        "mean_tokens": round(sum(lengths) / len(lengths)),
        "epoch_s": round(EPOCH / found[0]["conv_s"], 1),
        "rows": found,
    }


def _row(
    name: str, shape: Shape, rows: Sequence[Encoded], run: Run, seconds: float, speed: float
) -> dict[str, Any]:
    needed = ways.operations(shape, rows, ways.wanted().rank)
    return {
        "way": name,
        "conversations": len(rows),
        "conv_s": round(len(rows) / seconds, 3),
        "tok_s": round(run.tokens / seconds, 1),
        "wall_s": round(run.seconds, 1),
        "peak_mb": round(run.peak_mb),
        "mfu": round(needed / seconds / speed, 3),
    }


def show(found: dict[str, Any]) -> str:
    """The table as Markdown."""
    return "\n\n".join(
        [
            f"Gemma-3 {found['shape']} with random weights ({found['parameters'] / 1e6:.0f} M, "
            f"{found['dtype']}) on {found['device']}, {found['threads']} threads, "
            f"{found['gflop_s']} GFLOP/s; conversations of {found['mean_tokens']} tokens, "
            f"{ways.STEP} a step.\n{found['machine']}; {found['seconds']} s.",
            table((*COLUMNS, "of_trl"), found["rows"]),
            f"One epoch of {EPOCH:,} conversations by our trainer: {found['epoch_s']:,} s.",
        ]
    )


if __name__ == "__main__":
    main()
