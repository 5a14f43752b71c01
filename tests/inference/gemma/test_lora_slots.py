"""Several releases in one model: each token gets its own, as PEFT computes it."""

import json
import threading
from pathlib import Path

import pytest
import torch
from given_engine import model, prompts, released
from safetensors.torch import load_file

from inference.engine import Release
from inference.gemma import adapter
from inference.gemma.lora import Board, Slots, Slotted
from inference.gemma.residents import BASE_SLOT

SPANS = [
    ("nothing", [], BASE_SLOT, {}),
    ("all base", [(0, 3), (0, 1)], BASE_SLOT, {}),
    ("all one", [(2, 3), (2, 1)], 2, {}),
    ("one and base", [(0, 2), (1, 3)], BASE_SLOT, {1: [2, 3, 4]}),
    ("two, apart", [(1, 1), (2, 2), (1, 1)], BASE_SLOT, {1: [0, 3], 2: [1, 2]}),
]


@pytest.mark.parametrize(("label", "spans", "whole", "parts"), SPANS)
def test_the_board_says_whose_each_token_is(label, spans, whole, parts):
    board = Board()
    board.deal([(3, 1)], "cpu")
    board.deal(spans, "cpu")
    assert board.whole == whole
    assert {slot: places.tolist() for slot, places in board.parts} == parts


@pytest.fixture(scope="module")
def slotted(tiny: Path, adapter_a: Path, adapter_b: Path):
    ours = model(tiny)
    slots = Slots(ours.model)
    for slot, folder in ((1, adapter_a), (2, adapter_b)):
        read = adapter.read(Release(folder.name, str(folder)), ours.config)
        slots.place(slot, read.weights, read.scaling)
    return ours, slots


@pytest.fixture(scope="module")
def peft_logits(tiny: Path, adapter_a: Path, adapter_b: Path):
    ids = torch.tensor([prompts()[4]])
    with torch.no_grad():
        return [released(tiny, each)(ids).logits for each in (None, adapter_a, adapter_b)]


@pytest.mark.parametrize("slot", [0, 1, 2])
def test_a_whole_step_is_computed_as_peft_does(slotted, peft_logits, slot):
    ours, slots = slotted
    slots.board.deal([(slot, 33)], "cpu")
    with torch.no_grad():
        logits = ours(torch.tensor([prompts()[4]])).logits
    assert torch.equal(logits, peft_logits[slot])


def test_a_layer_keeps_the_tokens_of_a_mixed_step_apart(slotted):
    ours, slots = slotted
    layer = ours.model.layers[0].mlp.up_proj
    x = torch.randn(1, 6, layer.inner.in_features, generator=torch.Generator().manual_seed(0))
    alone = []
    for slot in (0, 1, 2):
        slots.board.deal([(slot, 6)], "cpu")
        alone.append(layer(x))
    slots.board.deal([(2, 2), (0, 1), (1, 2), (2, 1)], "cpu")
    mixed = layer(x)
    for place, slot in enumerate((2, 2, 0, 1, 1, 2)):
        torch.testing.assert_close(mixed[:, place], alone[slot][:, place])
        other = alone[(slot + 1) % 3][:, place]
        assert not torch.allclose(mixed[:, place], other)


def test_another_thread_sees_the_base_model(slotted, peft_logits):
    ours, slots = slotted
    slots.board.deal([(1, 33)], "cpu")
    seen = []

    def ask() -> None:
        with torch.no_grad():
            seen.append(ours(torch.tensor([prompts()[4]])).logits)

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert torch.equal(seen[0], peft_logits[0])


def test_weights_take_the_layers_type_and_leave_without_a_trace(tiny, adapter_a):
    ours = model(tiny).to(torch.bfloat16)
    before = {path: type(part) for path, part in ours.named_modules()}
    slots = Slots(ours.model)
    read = adapter.read(Release("a", str(adapter_a)), ours.config)
    slots.place(1, read.weights, read.scaling)
    layer = ours.model.layers[0].mlp.up_proj
    assert isinstance(layer, Slotted)
    assert layer.held[1].a.dtype == torch.bfloat16
    slots.clear(1)
    assert not layer.held
    slots.remove()
    assert {path: type(part) for path, part in ours.named_modules()} == before


def test_every_layer_of_the_adapter_is_used(slotted, adapter_a):
    ours, _ = slotted
    weights = load_file(adapter_a / "adapter_model.safetensors")
    layers = [part for part in ours.modules() if isinstance(part, Slotted)]
    assert sum(1 in layer.held for layer in layers) == sum("lora_A" in key for key in weights)
    config = json.loads((adapter_a / "adapter_config.json").read_text(encoding="utf-8"))
    assert {layer.held[1].scaling for layer in layers} == {config["lora_alpha"] / config["r"]}
