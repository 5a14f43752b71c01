"""The floor under a step: what this machine's memory and multipliers allow, whatever the program.

Every step reads all weights and every request's cache once, and multiplies each token by each
weight. Both speeds are measured here, on the machine and in the precision that is benchmarked.
"""

import time
from collections.abc import Callable

import torch

from inference.gemma.load import Loaded
from inference.gemma.shapes import Shape


def floor(
    loaded: Loaded, shape: Shape, measured: tuple[float, float], count: int, context: int
) -> float:
    """The most tokens a second that reading weights and cache, and multiplying, allow."""
    copying, computing = measured
    size = loaded.model.dtype.itemsize
    cache = 2 * shape.layers * shape.kv_heads * shape.head * size * context
    reading = (loaded.parameters * size + count * cache) / copying
    return count / max(reading, 2 * loaded.parameters * count / computing)


def speeds(device: torch.device, dtype: torch.dtype) -> tuple[float, float]:
    """Bytes a second in copying, and operations a second in a product of large matrices."""
    gpu = device.type == "cuda"
    source = torch.ones(2**30 if gpu else 2**26, device=device)
    target = torch.empty_like(source)
    square = torch.ones(8192 if gpu else 2048, 8192 if gpu else 2048, device=device, dtype=dtype)
    copying = 2 * source.nbytes / _least(lambda: target.copy_(source), device)
    return copying, 2 * square.shape[0] ** 3 / _least(lambda: square @ square, device)


def _least(action: Callable[[], object], device: torch.device) -> float:
    times = []
    for _ in range(6):
        begun = time.perf_counter()
        action()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        times.append(time.perf_counter() - begun)
    return min(times)
