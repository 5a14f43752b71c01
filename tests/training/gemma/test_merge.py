"""A merged model answers as base and adapter do, and is a whole checkpoint of its own."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from core.errors import ReleaseUnusable, SettingsError
from inference.engine import Release
from inference.gemma import tiny as small
from inference.gemma.load import load
from tests.inference.gemma.conftest import adapter_a, tiny_multimodal
from training.gemma.merge import merge

__all__ = ["adapter_a", "tiny_multimodal"]

IDS = torch.tensor([[2, 105, *range(300, 330), 107]])


def logits(folder: Path, adapter: Path | None = None) -> torch.Tensor:
    """What the model says of the ids, with a PEFT adapter where one is given."""
    model = load(str(folder), dtype="float32").model
    if adapter:
        from peft import PeftModel

        model = PeftModel.from_pretrained(model, str(adapter)).eval()
    with torch.inference_mode():
        return model(IDS).logits[0]


@pytest.fixture(scope="module")
def merged(tmp_path_factory: pytest.TempPathFactory, tiny: Path, adapter_a: Path) -> Path:
    """The tiny model with adapter a in it, in several files."""
    out = tmp_path_factory.mktemp("merged") / "a"
    steps: list[tuple[int, int]] = []
    release = Release("a", str(adapter_a))
    done = merge(
        release, str(tiny), out, shard=400_000, on_step=lambda n, of: steps.append((n, of))
    )
    assert done.parameters > 100_000
    assert steps[-1][0] == steps[-1][1] == len(steps)
    return out


def test_it_says_what_base_and_adapter_say(merged: Path, tiny: Path, adapter_a: Path) -> None:
    """Within what rounding every weight once to bfloat16 (2^-9 of it) leaves."""
    wanted, got, base = logits(tiny, adapter_a), logits(merged), logits(tiny)
    away, rounded = (wanted - base).abs().mean(), (wanted - got).abs().mean()
    assert rounded < 0.05 * away
    assert rounded < 0.05 * wanted.std()
    assert (wanted.argmax(-1) == got.argmax(-1)).float().mean() > 0.9
    assert (wanted.argmax(-1) == base.argmax(-1)).float().mean() < 0.9, "the adapter matters"


def test_it_is_whole_in_sixteen_bits_and_in_several_files(merged: Path, tiny: Path) -> None:
    files = sorted(merged.glob("model-*.safetensors"))
    assert len(files) > 1
    assert files[0].name == f"model-00001-of-{len(files):05}.safetensors"
    assert all(file.stat().st_size < 600_000 for file in files[:-1])
    kinds = set()
    for file in files:
        with safe_open(file, framework="pt") as stored:
            kinds |= {stored.get_slice(key).get_dtype() for key in stored.keys()}  # noqa: SIM118
    assert kinds == {"BF16"}
    assert "bfloat16" in (merged / "config.json").read_text()
    assert small.is_demo(merged), "the mark of random weights goes along"
    assert load(str(merged)).tokenizer.chat_template == load(str(tiny)).tokenizer.chat_template


def test_special_tokens_are_named_for_the_converter(merged: Path) -> None:
    said = json.loads((merged / "tokenizer_config.json").read_text("utf-8"))
    turn = said["added_tokens_decoder"]["105"]
    assert (turn["content"], turn["special"]) == ("<start_of_turn>", True)


def test_a_vision_tower_stays_as_it_was(tiny_multimodal: Path, tmp_path: Path) -> None:
    small.adapter(tiny_multimodal, tmp_path / "adapter", seed=3, text_class=False)
    merge(Release("v", str(tmp_path / "adapter")), str(tiny_multimodal), tmp_path / "out")
    with (
        safe_open(tiny_multimodal / "model.safetensors", framework="pt") as before,
        safe_open(tmp_path / "out" / "model.safetensors", framework="pt") as after,
    ):
        assert set(before.keys()) == set(after.keys())
        changed = {
            key
            for key in before.keys()  # noqa: SIM118
            if not torch.equal(before.get_tensor(key).bfloat16(), after.get_tensor(key))
        }
    assert changed
    strange = [key for key in changed if "language_model" not in key or "proj" not in key]
    assert strange == []
    assert load(str(tmp_path / "out")).parameters > 0


def test_an_adapter_of_another_model_is_refused(
    tiny: Path, adapter_a: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "other-model"
    small.build(elsewhere, ["kalma"] * 50, shape=replace(small.TINY, layers=small.TINY.layers + 6))
    with pytest.raises(ReleaseUnusable, match="it was made for"):
        merge(Release("a", str(adapter_a)), str(elsewhere), tmp_path / "out")
    with pytest.raises(SettingsError, match="does not exist"):
        merge(Release("a", str(adapter_a)), str(tmp_path / "gone"), tmp_path / "out")
    assert not (tmp_path / "out").exists(), "nothing half-written"
