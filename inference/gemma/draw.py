"""The choice of the next tokens: every row of a step by its own request's sampling.

Greedy, temperature, top-k and top-p as `generate()` has them, in the same order. A repetition
penalty does not exist here (batching gives no row its history); the guard catches repetition. A
row that is no number (a broken adapter) is reported and spoils no other row.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import LogitsProcessor

from inference.engine import Sampling


class Draw(LogitsProcessor):
    """The last step before a token: leaves exactly one token possible in every row.

    Continuous batching's own samplers sort the whole vocabulary for every row, take their values
    unchecked (a temperature of 0 ends the loop for everybody) and know one `do_sample` for all.
    """

    supports_continuous_batching = True

    def __init__(self, device: torch.device | str, seed: int | None = None) -> None:
        self._generator = torch.Generator(device)
        if seed is None:
            self._generator.seed()
        else:
            self._generator.manual_seed(seed)
        self.rows: Sequence[Sampling] = ()
        #: The rows of the last step that were no numbers.
        self.broken: Tensor | None = None

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Scores in which only the token drawn is above minus infinity."""
        self.broken = ~torch.isfinite(scores.sum(-1))
        scores = scores.masked_fill(self.broken.unsqueeze(-1), 0.0)
        chosen = choose(scores, self.rows, self._generator).unsqueeze(-1)
        return torch.full_like(scores, -torch.inf).scatter_(-1, chosen, 0.0)


def choose(scores: Tensor, rows: Sequence[Sampling], generator: torch.Generator) -> Tensor:
    """The next token of every row of scores [rows, vocabulary]."""
    chosen = scores.argmax(-1)
    warm = [n for n, row in enumerate(rows) if row.temperature > 0 and row.top_k > 1]
    if warm:
        places = torch.tensor(warm, device=scores.device)
        drawn = _sample(scores[places], [rows[n] for n in warm], generator)
        chosen[places] = drawn
    return chosen


def _sample(scores: Tensor, rows: Sequence[Sampling], generator: torch.Generator) -> Tensor:
    """One token of each row: the `top_k` best, of these as many as make up `top_p`."""
    most = min(max(row.top_k for row in rows), scores.shape[-1])
    best, tokens = scores.topk(most, dim=-1)
    temperature, top_p, top_k = (
        _column(scores, [float(getattr(row, name)) for row in rows])
        for name in ("temperature", "top_p", "top_k")
    )
    ranks = torch.arange(most, device=scores.device)
    best = (best / temperature).masked_fill(ranks >= top_k, -torch.inf)
    chances = best.softmax(-1)
    before = chances.cumsum(-1) - chances
    chances = chances.masked_fill((before >= top_p) & (ranks > 0), 0.0)
    picked = torch.multinomial(chances, 1, generator=generator)
    return tokens.gather(-1, picked).squeeze(-1)


def _column(like: Tensor, values: list[float]) -> Tensor:
    return torch.tensor(values, device=like.device, dtype=like.dtype).unsqueeze(-1)
