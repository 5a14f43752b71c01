"""How much memory batching may take, and what that gives: blocks, batch size, longest request.

transformers' own default takes nearly all memory that is free (21 GB for a model of 2 MB on a
CPU). Knows no request and no release.
"""

from dataclasses import dataclass, replace
from math import ceil

import psutil
import torch
from transformers import ContinuousBatchingConfig, PreTrainedConfig
from transformers.generation.continuous_batching.cache import (
    PagedAttentionMemoryHandler,
    group_layers_by_attn_type,
)

from core.errors import SettingsError

GIB = 2**30
BLOCK = 32
#: Tokens that a request is expected to hold, at most: prompt with passages and memory, and answer.
USUAL = 1536
#: A model that cannot hold this many tokens for one request is of no use.
LEAST = 256
#: Tokens computed in one step. A longer prompt takes several, so that others go on meanwhile.
STEP = {"cpu": 256, "cuda": 1024}


@dataclass(frozen=True, slots=True)
class Plan:
    """What the batch loop is built with. `capacity` is the longest request, prompt and answer."""

    blocks: int
    step_tokens: int
    running: int
    capacity: int
    block: int = BLOCK

    def config(self) -> ContinuousBatchingConfig:
        """As transformers wants it.

        Blocks are never shared: shared ones are found by their tokens alone, so a release would
        read what another computed. Steps are neither prepared ahead nor recorded as CUDA graphs:
        the slots of a step's tokens are laid out just before it. (Not measured on a GPU.)
        """
        return ContinuousBatchingConfig(
            block_size=self.block,
            num_blocks=self.blocks,
            max_batch_tokens=self.step_tokens,
            max_requests_per_batch=self.running + 1,  # and one that is tried out
            max_blocks_per_request=0,
            max_memory_percent=0.95,
            allow_block_sharing=False,
            use_async_batching=False,
            use_cuda_graph=False,
        )


def plan(
    config: PreTrainedConfig,
    *,
    device: torch.device,
    dtype: torch.dtype,
    running: int,
    cache_gb: float = 0.0,
    free: int | None = None,
) -> Plan:
    """The plan for a text model. `cache_gb` 0 takes a part of the free memory, no more than needed.

    Raises SettingsError when the memory is too little for one request.
    """
    budget = int(cache_gb * GIB) or _share(free_memory(device) if free is None else free, device)
    return fit(config, dtype=dtype, running=running, step=STEP[_kind(device)], budget=budget)


def fit(
    config: PreTrainedConfig, *, dtype: torch.dtype, running: int, step: int, budget: int
) -> Plan:
    """The most blocks within `budget` bytes that `running` requests need. Raises SettingsError."""
    _, types = group_layers_by_attn_type(config)
    full, sliding = types.count("full_attention"), types.count("sliding_attention")
    longest = min(config.max_position_embeddings, 8192)
    most = _blocks(longest, full, sliding, config) + running * _blocks(USUAL, full, sliding, config)
    blocks = min(_affordable(config, dtype, step, budget), most)
    capacity = longest
    while capacity >= LEAST and _blocks(capacity, full, sliding, config) > blocks:
        capacity -= BLOCK
    if capacity < LEAST:
        raise SettingsError(
            f"CACHE_GB: {budget / GIB:.2f} GB hold no request of {LEAST} tokens; give more, or "
            "choose a smaller MODEL or QUANTIZE"
        )
    return Plan(blocks, step, running, capacity)


def halve(old: Plan, config: PreTrainedConfig) -> Plan | None:
    """A plan for half of the memory, after there was too little; None when it is the least."""
    _, types = group_layers_by_attn_type(config)
    full, sliding = types.count("full_attention"), types.count("sliding_attention")
    blocks, capacity = old.blocks // 2, old.capacity
    while capacity >= LEAST and _blocks(capacity, full, sliding, config) > blocks:
        capacity -= BLOCK
    if capacity < LEAST:
        return None
    return replace(
        old,
        blocks=blocks,
        capacity=capacity,
        running=max(1, old.running // 2),
        step_tokens=max(32, old.step_tokens // 2),
    )


def least(config: PreTrainedConfig, tokens: int) -> Plan:
    """A plan for one request of so many tokens."""
    _, types = group_layers_by_attn_type(config)
    full, sliding = types.count("full_attention"), types.count("sliding_attention")
    return Plan(_blocks(tokens, full, sliding, config), 64, 1, tokens)


def free_memory(device: torch.device) -> int:
    """Bytes that are free on the device."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return int(psutil.virtual_memory().available)


def _share(free: int, device: torch.device) -> int:
    """A GPU is ours but for what a step computes with; a computer's memory is not."""
    return int(free * (0.7 if device.type == "cuda" else 0.25))


def _kind(device: torch.device) -> str:
    return "cuda" if device.type == "cuda" else "cpu"


def _blocks(tokens: int, full: int, sliding: int, config: PreTrainedConfig) -> int:
    """Blocks of a request of so many tokens; the scheduler may take one more than it needs.

    A group of layers that sees everything holds all tokens, one with a window only the last.
    """
    each = ceil(tokens / BLOCK) + 1
    window = ceil((config.sliding_window or 0) / BLOCK) + 1
    return full * each + sliding * min(each, window)


def _affordable(config: PreTrainedConfig, dtype: torch.dtype, step: int, budget: int) -> int:
    """Blocks within a budget, by transformers' own account of what it allocates for them."""
    groups, types = group_layers_by_attn_type(config)
    handler = PagedAttentionMemoryHandler(
        config=config,
        continuous_batching_config=ContinuousBatchingConfig(
            block_size=BLOCK,
            max_blocks_per_request=0,
            max_batch_tokens=step,
            max_memory_percent=1.0,
        ),
        dtype=dtype,
        group_types=types,
        group_size=len(groups[0]),
    )
    handler.available_memory = budget
    blocks = handler._solve_for_peaks(step, None, cache_fill_per_batch=None)[1]
    return max(0, int(blocks))
