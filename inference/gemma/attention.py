"""Attention of a batch step, request by request: nobody's tokens are multiplied with another's.

transformers' own paged attention without FlashAttention multiplies every token of a step with the
cache of everybody in it, and masks the product: its cost grows with the square of the people. Here
requests of about one length that write one token each share a product, and a prompt has its own.
Registered under a name that transformers calls; knows no request and no slot.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate, takewhile

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface
from transformers.generation.continuous_batching.cache import PagedAttentionCache

#: As the model's configuration names it; the prefix makes transformers hand the cache on.
NAME = "paged|lafiya"
#: Requests are padded to at most twice their length, shorter ones than this to it.
SHORT = 64


@dataclass(frozen=True, slots=True)
class Span:
    """A request's tokens in a step: `new` ones from place `start`, `past` ones in the cache."""

    start: int
    new: int
    past: int


@dataclass(slots=True)
class Layout:
    """How the tokens of a step lie: first one each of requests with a past, then prompts.

    `pasts` are the tokens in the cache of the former. `tables` by group of layers and `masks` are
    made when the first layer needs them.
    """

    pasts: tuple[int, ...]
    prompts: tuple[Span, ...]
    tables: dict[int, "Table"] = field(default_factory=dict, repr=False)
    masks: dict[tuple[int, int, int], Tensor] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Rows:
    """Requests of about one length: their places in the step, where their keys and values are
    (their new token's too), padded, and what of that is real.
    """

    places: Tensor
    where: Tensor
    real: Tensor


@dataclass(frozen=True, slots=True)
class Table:
    """Where a group of layers finds the past: of the single tokens, and of each prompt."""

    singles: tuple[Rows, ...]
    prompts: tuple[Tensor, ...]


def lay_out(spans: Sequence[tuple[int, int]]) -> Layout:
    """The layout of a step of requests, each with its new tokens and those it has in the cache."""
    single = list(takewhile(lambda span: span[0] == 1 and span[1] > 0, spans))
    start, prompts = len(single), []
    for new, past in spans[len(single) :]:
        prompts.append(Span(start, new, past))
        start += new
    return Layout(tuple(past for _, past in single), tuple(prompts))


def register() -> None:
    """Make the name known to transformers; again is no harm."""
    AttentionInterface.register(NAME, attend)


def attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float,
    cache: PagedAttentionCache,
    read_index: Sequence[Tensor],
    write_index: Sequence[Tensor],
    **_: object,
) -> tuple[Tensor, None]:
    """The attention of one layer: query [1, heads, tokens, size], out [1, tokens, heads, size].

    The cache carries the step's layout as `layout`. What is past of a prompt is read before its new
    tokens are written, which may take the places of those that have left the window.
    """
    group, place = cache.layer_index_to_group_indices[module.layer_idx]
    window = cache.sliding_windows[module.layer_idx]
    layout: Layout = cache.layout
    table = layout.tables.get(group)
    if table is None:
        table = _table(layout, cache, window, read_index[group], write_index[group])
        layout.tables[group] = table
    stored = cache.key_cache[place], cache.value_cache[place]
    fresh = key[0].transpose(0, 1), value[0].transpose(0, 1)
    pasts = [[part.index_select(0, where) for part in stored] for where in table.prompts]
    for part, new in zip(stored, fresh, strict=True):
        part.index_copy_(0, write_index[group], new)
    out = query.new_empty(1, query.shape[2], query.shape[1], query.shape[3])
    for rows in table.singles:
        out[0, rows.places] = _singles(query[0, :, rows.places], stored, rows, scaling)
    for span, past in zip(layout.prompts, pasts, strict=True):
        end = span.start + span.new
        both = [
            torch.cat((old, new[span.start : end])) for old, new in zip(past, fresh, strict=True)
        ]
        mask = _mask(layout, span.new, len(past[0]), window, query.device)
        out[:, span.start : end] = _prompt(query[:, :, span.start : end], both, mask, scaling)
    return out, None


def _singles(query: Tensor, stored: Sequence[Tensor], rows: Rows, scaling: float) -> Tensor:
    """One token of each request [heads, requests, size] with its own past, in one product."""
    heads, requests, size = query.shape
    keys, values = (
        part.index_select(0, rows.where.view(-1)).view(*rows.where.shape, -1, size).transpose(1, 2)
        for part in stored
    )
    shared = heads // keys.shape[1]
    # The heads that share a key stand as if they were tokens: no key is repeated.
    asked = query.transpose(0, 1).reshape(requests, -1, shared, size)
    found = scaled_dot_product_attention(
        asked, keys, values, attn_mask=rows.real[:, None, None], scale=scaling
    )
    return found.reshape(requests, heads, size)


def _prompt(query: Tensor, both: Sequence[Tensor], mask: Tensor | None, scaling: float) -> Tensor:
    keys, values = (part.transpose(0, 1).unsqueeze(0) for part in both)
    found = scaled_dot_product_attention(
        query, keys, values, attn_mask=mask, is_causal=mask is None, scale=scaling, enable_gqa=True
    )
    return found.transpose(1, 2)


def _mask(layout: Layout, new: int, past: int, window: int, device: torch.device) -> Tensor | None:
    """What `new` tokens after `past` ones may see; None when it is all that came before.

    A `window` of 1 is transformers' word for none.
    """
    within = window == 1 or past + new <= window
    if within and past == 0:
        return None
    known = layout.masks.get((new, past, 0 if within else window))
    if known is None:
        seen = torch.ones(new, past + new, dtype=torch.bool, device=device).tril(past)
        known = seen if within else seen.triu(past - window + 1)
        layout.masks[new, past, 0 if within else window] = known
    return known


def _table(
    layout: Layout, cache: PagedAttentionCache, window: int, read: Tensor, write: Tensor
) -> Table:
    """The places of a group of layers, from transformers' one list for all requests.

    That list is empty when nobody has a past. A layer with a window has its new tokens in it as a
    mark instead of a place, for theirs may still hold what leaves the window.
    """
    seen = [_kept(past, window) + 1 for past in layout.pasts]
    begins = [0, *accumulate(seen)]
    alike: dict[int, list[int]] = {}
    for place, length in enumerate(seen):
        alike.setdefault(max(length, SHORT).bit_length(), []).append(place)
    singles = [_rows(places, seen, begins, cache, read, write) for places in alike.values()]
    begin, prompts = begins[-1], []
    for span in layout.prompts:
        past = _kept(span.past, window)
        prompts.append(read[begin : begin + past])
        begin += past + span.new
    return Table(tuple(singles), tuple(prompts))


def _rows(
    places: Sequence[int],
    seen: Sequence[int],
    begins: Sequence[int],
    cache: PagedAttentionCache,
    read: Tensor,
    write: Tensor,
) -> Rows:
    """Some of the single tokens, padded to the longest of them with a place that holds zeros."""
    own = torch.tensor(places, device=read.device)
    first = torch.tensor([[begins[place]] for place in places], device=read.device)
    last = torch.tensor([[begins[place + 1]] for place in places], device=read.device)
    at = first + torch.arange(max(seen[place] for place in places), device=read.device)
    real = at < last
    where = read[at.clamp(max=len(read) - 1)]
    where = where.where(where != cache.sentinel_index, write[own, None])
    return Rows(own, where.where(real, cache.read_trash_index), real)


def _kept(past: int, window: int) -> int:
    """How many past tokens a layer still holds; a `window` of 1 is transformers' word for none."""
    return past if window == 1 else min(past, window - 1)
