"""In which order rows are learnt from: at random, but rows of like length share a batch.

A batch is as long as its longest row, and what the others lack is computed for nothing. Pure, and
the same for the same seed: a resumed run finds its place again.
"""

import random
from collections.abc import Sequence
from typing import Final

#: Rows are sorted within so many batches: a batch is even, and yet what is in it is chance.
POOL: Final = 50


def order(lengths: Sequence[int], batch: int, seed: int) -> list[int]:
    """Row numbers in batches of `batch`, which come in random order.

    The batch with the longest row is the first: memory that does not suffice shows at once.
    """
    draw = random.Random(seed)  # noqa: S311 -- no secret
    rows = list(range(len(lengths)))
    draw.shuffle(rows)
    batches: list[list[int]] = []
    for start in range(0, len(rows), POOL * batch):
        pool = sorted(rows[start : start + POOL * batch], key=lambda row: -lengths[row])
        batches += [pool[at : at + batch] for at in range(0, len(pool), batch)]
    draw.shuffle(batches)
    # A batch that is not full must stay the last: those after it would be cut at other places.
    batches.sort(key=lambda rows: len(rows) < batch)
    full = [rows for rows in batches if len(rows) == batch]
    if full:
        longest = max(full, key=lambda rows: max(lengths[row] for row in rows))
        batches.insert(0, batches.pop(batches.index(longest)))
    return [row for rows in batches for row in rows]


def padded(lengths: Sequence[int], batch: int) -> int:
    """How many tokens rows in this order take when each batch is as long as its longest row."""
    cuts = (lengths[at : at + batch] for at in range(0, len(lengths), batch))
    return sum(max(cut) * len(cut) for cut in cuts)
