"""A step's attention against the plain formula: every token sees its own request's past only."""

from random import Random
from types import SimpleNamespace

import pytest
import torch
from transformers import Gemma3TextConfig
from transformers.generation.continuous_batching.cache import PagedAttentionCache
from transformers.generation.continuous_batching.distributed import DistributedHelper

from inference.gemma import attention
from inference.gemma.plan import Plan
from inference.gemma.shapes import TINY, text_config

HEADS, KEYS, SIZE, SCALING = TINY.heads, TINY.kv_heads, TINY.head, 0.25
#: A layer with a window and one that sees everything.
LAYERS = (0, TINY.layers - 1)


def paged(config: Gemma3TextConfig) -> PagedAttentionCache:
    plan = Plan(blocks=400, step_tokens=256, running=12, capacity=512)
    return PagedAttentionCache(
        config, plan.config(), torch.device("cpu"), DistributedHelper(None, None), {}, torch.float32
    )


def plain(query, keys, values, window):
    """The attention of the last tokens of one request over all its tokens."""
    new, total = query.shape[1], keys.shape[1]
    keys, values = (part.repeat_interleave(HEADS // KEYS, 0) for part in (keys, values))
    seen = torch.ones(new, total, dtype=torch.bool).tril(total - new)
    if window > 1:
        seen = seen.triu(total - new - window + 1)
    scores = (query @ keys.transpose(1, 2) * SCALING).masked_fill(~seen, -torch.inf)
    return (scores.softmax(-1) @ values).transpose(0, 1)


class Steps:
    """Requests that go through the cache step by step, and all they ever put into it."""

    def __init__(self, config: Gemma3TextConfig) -> None:
        self.cache = paged(config)
        self.random = torch.Generator().manual_seed(3)
        self.past: dict[tuple[str, int], tuple[torch.Tensor, torch.Tensor]] = {}
        self.lengths: dict[str, int] = {}
        self.compared: set[str] = set()

    def step(self, batch: list[tuple[str, int]]) -> None:
        """One step of (request, new tokens), compared with the formula in both kinds of layer."""
        spans = [(new, self.lengths.get(name, 0)) for name, new in batch]
        self.cache.layout = attention.lay_out(spans)
        read, write = self._places(batch, any(past for _, past in spans))
        for layer in LAYERS:
            query, key, value = (
                self._draw(n, sum(n for n, _ in spans)) for n in (HEADS, KEYS, KEYS)
            )
            out, _ = attention.attend(
                SimpleNamespace(layer_idx=layer),
                query,
                key,
                value,
                None,
                scaling=SCALING,
                cache=self.cache,
                read_index=read,
                write_index=write,
            )
            self._compare(batch, layer, query[0], key[0], value[0], out[0])
        for name, new in batch:
            self.lengths[name] = self.lengths.get(name, 0) + new

    def _draw(self, heads: int, tokens: int) -> torch.Tensor:
        return torch.randn(1, heads, tokens, SIZE, generator=self.random)

    def _places(self, batch, reading):
        groups = range(self.cache.num_groups)
        read, write = [[] for _ in groups], [[] for _ in groups]
        for name, new in batch:
            past = self.lengths.get(name, 0)
            have, need = -(-past // 32), -(-(past + new) // 32)
            if need > have:
                assert self.cache.allocate_blocks(need - have, name, have) is not None
            self.cache.extend_read_and_write_indices(
                name, past, new, read if reading else None, write
            )
        return [[torch.tensor(g, dtype=torch.int64) for g in part] for part in (read, write)]

    def _compare(self, batch, layer, query, key, value, out):
        start = 0
        for name, new in batch:
            end = start + new
            old = self.past.get((name, layer), (key[:, :0], value[:, :0]))
            both = (
                torch.cat((old[0], key[:, start:end]), 1),
                torch.cat((old[1], value[:, start:end]), 1),
            )
            self.past[name, layer] = both
            expected = plain(query[:, start:end], *both, self.cache.sliding_windows[layer])
            if not self.compared or name in self.compared:
                assert torch.allclose(out[start:end], expected, atol=1e-5), (name, layer)
            start = end


@pytest.fixture
def steps() -> Steps:
    return Steps(text_config(TINY))


def test_prompts_in_pieces_beside_answers_of_all_lengths(steps):
    """Prompts longer than the window (32), cut anywhere, while others write token by token."""
    draw = Random(4)
    left = {f"r{n}": length for n, length in enumerate((1, 3, 31, 32, 33, 64, 65, 97, 150))}
    writing: list[str] = []
    while left:
        batch, budget = [(name, 1) for name in writing], 48
        for name in list(left):
            new = min(left[name], draw.randint(1, 40), budget)
            if not new:
                continue
            batch.append((name, new))
            budget, left[name] = budget - new, left[name] - new
            if not left[name]:
                writing.append(name)
                del left[name]
        steps.step(batch)
    for _ in range(40):
        steps.step([(name, 1) for name in writing])


def test_what_is_no_number_stays_with_its_request(steps):
    """A dense product with a mask spreads it: nothing times zero is nothing, but this."""
    steps.step([("well", 20), ("sick", 40)])
    for manager in steps.cache.group_cache_managers:
        for block in manager.block_table["sick"]:
            for part in (*steps.cache.key_cache, *steps.cache.value_cache):
                part[32 * block : 32 * (block + 1)] = torch.nan
    steps.compared = {"well"}
    steps.step([("well", 1), ("sick", 1)])
    steps.step([("well", 5), ("sick", 5)])


@pytest.mark.parametrize(
    ("spans", "pasts", "prompts"),
    [
        ([], (), []),
        ([(5, 0)], (), [(0, 5, 0)]),
        ([(1, 7), (1, 9), (4, 0)], (7, 9), [(2, 4, 0)]),
        ([(1, 7), (4, 8), (1, 9)], (7,), [(1, 4, 8), (5, 1, 9)]),
        ([(1, 0), (1, 9)], (), [(0, 1, 0), (1, 1, 9)]),
    ],
)
def test_only_leading_single_tokens_with_a_past_are_computed_together(spans, pasts, prompts):
    layout = attention.lay_out(spans)
    assert layout.pasts == pasts
    assert [(p.start, p.new, p.past) for p in layout.prompts] == prompts
