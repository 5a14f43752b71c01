"""Several LoRA releases in one model at once: every token of a batch is computed with its own.

A linear layer holds the weights of a few releases in numbered slots, and a board says which slot
each token of the running step belongs to. So a new release needs no pause and no second model, and
an answer ends with the release that began it. Knows no request, no file and no batch scheduler.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional

from inference.gemma.residents import BASE_SLOT

#: A release's (A, B) by layer path.
Weights = Mapping[str, tuple[Tensor, Tensor]]


class Board(threading.local):
    """Which slot the tokens of the running step belong to; every thread has its own step.

    `whole` is the slot of all of them when `parts` is empty; else `parts` lists, for every slot
    that is not the base model, the places of its tokens. Another thread sees the base model.
    """

    whole: int = BASE_SLOT
    parts: tuple[tuple[int, Tensor], ...] = ()

    def deal(self, spans: Sequence[tuple[int, int]], device: torch.device | str) -> None:
        """Set the step: slots and lengths of its requests, in the order of their tokens."""
        slots = {slot for slot, _ in spans}
        self.whole, self.parts = BASE_SLOT, ()
        if len(slots) == 1:
            self.whole = slots.pop()
            return
        places: dict[int, list[int]] = {slot: [] for slot in slots - {BASE_SLOT}}
        start = 0
        for slot, length in spans:
            if slot != BASE_SLOT:
                places[slot].extend(range(start, start + length))
            start += length
        self.parts = tuple((s, torch.tensor(p, device=device)) for s, p in sorted(places.items()))


@dataclass(frozen=True, slots=True)
class Pair:
    """What a release adds to one layer: `scaling * B(A(x))`."""

    a: Tensor = field(repr=False)
    b: Tensor = field(repr=False)
    scaling: float = 1.0

    def __call__(self, x: Tensor) -> Tensor:
        """The same steps in the same order as PEFT, so that greedy answers are the same."""
        low = functional.linear(x.to(self.a.dtype), self.a)
        return functional.linear(low, self.b) * self.scaling


class Slotted(nn.Module):
    """A linear layer and what each slot adds to it."""

    def __init__(self, inner: nn.Linear, board: Board) -> None:
        super().__init__()
        self.inner = inner
        self.held: dict[int, Pair] = {}
        self._board = board

    def forward(self, x: Tensor) -> Tensor:
        """The layer's output; each token with the addition of its slot."""
        out: Tensor = self.inner(x)
        if not self._board.parts:
            pair = self.held.get(self._board.whole)
            return out if pair is None else (out + pair(x)).to(out.dtype)
        for slot, places in self._board.parts:
            pair = self.held.get(slot)
            if pair is not None:
                added = pair(x.index_select(-2, places)).to(out.dtype)
                out.index_add_(-2, places, added)
        return out


class Slots:
    """The slotted layers of a text model. `remove` gives the model back as it was.

    Weights are put into a slot while other slots are being computed with: a layer looks its slot
    up when it needs it, and the caller puts nothing into a slot that a request still uses.
    """

    def __init__(self, text_model: nn.Module) -> None:
        self.board = Board()
        self._model = text_model
        self._kind = next(p.dtype for p in text_model.parameters() if p.is_floating_point())
        self._layers: dict[str, Slotted] = {}
        for path, linear in _linears(text_model):
            self._layers[path] = Slotted(linear, self.board)
            _put(text_model, path, self._layers[path])

    def place(self, slot: int, weights: Weights, scaling: float) -> None:
        """Put a release's (A, B) by layer path into a slot, where and as the model computes.

        Raises KeyError for a path that is no linear layer.
        """
        self.clear(slot)
        for path, (a, b) in weights.items():
            layer = self._layers[path]
            weight = layer.inner.weight
            # Quantised weights are bytes: they compute as the rest of the model.
            kind = weight.dtype if weight.is_floating_point() else self._kind
            layer.held[slot] = Pair(a.to(weight.device, kind), b.to(weight.device, kind), scaling)

    def clear(self, slot: int) -> None:
        """Let go of a slot's weights."""
        for layer in self._layers.values():
            layer.held.pop(slot, None)

    def remove(self) -> None:
        """Take the slots out of the model."""
        for path, layer in self._layers.items():
            _put(self._model, path, layer.inner)
        self._layers.clear()


def _linears(model: nn.Module) -> Iterator[tuple[str, nn.Linear]]:
    found = [(path, part) for path, part in model.named_modules() if isinstance(part, nn.Linear)]
    yield from found


def _put(model: nn.Module, path: str, module: nn.Module) -> None:
    parent, _, name = path.rpartition(".")
    setattr(model.get_submodule(parent), name, module)
