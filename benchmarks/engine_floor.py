"""The floor under a step: what this machine's memory and multipliers allow, whatever the program.

Every step reads all weights and every request's cache once, and multiplies each token by each
weight. Both speeds are measured here, on the machine and in the precision that is benchmarked.
"""

import time
from collections.abc import Callable

import torch

from inference.gemma.shapes import Shape


def floor(
    shape: Shape, weights: int, width: int, speeds: tuple[float, float], count: int, context: int
) -> float:
    """The most tokens a second for `count` answers of `context` tokens, prompt and all.

    `weights` numbers of `width` bytes; `speeds` in bytes and in operations a second.
    """
    copying, computing = speeds
    cache = 2 * shape.layers * shape.kv_heads * shape.head * width * context
    reading = (weights * width + count * cache) / copying
    return count / max(reading, 2 * weights * count / computing)


def measure(device: torch.device, dtype: torch.dtype) -> tuple[float, float]:
    """Bytes a second in copying, and operations a second in a product of large matrices."""
    gpu = device.type == "cuda"
    source = torch.ones(2**30 if gpu else 2**26, device=device)
    target = torch.empty_like(source)
    side = 8192 if gpu else 1024
    square = torch.ones(side, side, device=device, dtype=dtype)
    copying = 2 * source.nbytes / _least(lambda: target.copy_(source), device)
    return copying, 2 * side**3 / _least(lambda: square @ square, device)


def _least(action: Callable[[], object], device: torch.device) -> float:
    times = []
    for _ in range(4):
        begun = time.perf_counter()
        action()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        times.append(time.perf_counter() - begun)
    return min(times)
