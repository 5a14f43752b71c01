"""What the benchmarks of a model share: which shape, where, on how many threads; how it is told."""

import argparse
import json
import logging
import time
from collections.abc import Callable
from typing import Any

import torch
from transformers.utils import logging as quiet

from benchmarks.run import machine
from inference.gemma.shapes import SHAPES


def options(about: str | None, quick: str) -> argparse.ArgumentParser:
    """The options of all of them; on a GPU a 4B without any. `quick` says what --quick leaves."""
    found = argparse.ArgumentParser(description=(about or "").partition("\n")[0])
    gpu = torch.cuda.is_available()
    found.add_argument("--shape", choices=SHAPES, default="4b" if gpu else "270m")
    found.add_argument("--device", choices=("cpu", "cuda"), default="cuda" if gpu else "cpu")
    found.add_argument("--threads", type=int, default=1, help="of the CPU; 0: one a core")
    found.add_argument("--quick", action="store_true", help=quick)
    return found


def tell(
    threads: int, measure: Callable[[], dict[str, Any]], show: Callable[[dict[str, Any]], str]
) -> None:
    """Measure on so many threads, without others' chatter; print the tables and the JSON line."""
    quiet.set_verbosity_error()
    quiet.disable_progress_bar()
    logging.getLogger("lafiya").setLevel(logging.ERROR)
    if threads:
        torch.set_num_threads(threads)
    begun = time.monotonic()
    found = measure()
    found |= {"machine": machine(), "seconds": round(time.monotonic() - begun)}
    print(show(found))
    print(json.dumps(found))
