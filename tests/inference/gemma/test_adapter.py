"""An adapter is read as PEFT computes it, or refused with a reason an operator understands."""

import hashlib
import json
import os
import pickle
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, Gemma3ForCausalLM

from core.errors import ReleaseUnusable
from inference.engine import Release
from inference.gemma import tiny as small
from inference.gemma.adapter import Adapter, layers, read

IDS = torch.tensor([[2, 105, 300, 401, 502, 106, 603]])
FILE, CONFIG = "adapter_model.safetensors", "adapter_config.json"
UP = "layers.1.mlp.up_proj"
KEY = f"base_model.model.model.{UP}.lora_{{}}.weight"


@pytest.fixture
def config(tiny: Path):
    return AutoConfig.from_pretrained(tiny)


@pytest.fixture
def copy(adapter_a: Path, tmp_path: Path) -> Path:
    """An adapter that a test may break."""
    return Path(shutil.copytree(adapter_a, tmp_path / "adapter"))


def change(**fields: object) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        said = json.loads((folder / CONFIG).read_text())
        (folder / CONFIG).write_text(json.dumps(said | fields))

    return apply


def retensor(apply: Callable[[dict[str, torch.Tensor]], object]) -> Callable[[Path], None]:
    def rewrite(folder: Path) -> None:
        weights = load_file(folder / FILE)
        changed = apply(weights)
        save_file(changed if isinstance(changed, dict) else weights, folder / FILE)

    return rewrite


def rename(old: str, new: str) -> Callable[[Path], None]:
    return retensor(lambda weights: {key.replace(old, new): v for key, v in weights.items()})


def seal(folder: Path, **fields: object) -> None:
    files = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()}
    (folder / "release.json").write_text(json.dumps({"form": 1, "files": files} | fields))


@pytest.fixture(scope="module")
def model(tiny: Path) -> Gemma3ForCausalLM:
    return Gemma3ForCausalLM.from_pretrained(tiny)


def test_every_linear_layer_is_known_by_its_size(model, config) -> None:
    linear = {
        name: (part.out_features, part.in_features)
        for name, part in model.model.named_modules()
        if isinstance(part, torch.nn.Linear)
    }
    assert layers(config) == linear


@contextmanager
def added(model: Gemma3ForCausalLM, adapter: Adapter) -> Iterator[None]:
    """An adapter's numbers beside the layers, as the docstring of Adapter says."""
    hooks = []
    for path, (a, b) in adapter.weights.items():

        def hook(_, inputs, output, a=a, b=b):
            return output + inputs[0] @ a.float().T @ b.float().T * adapter.scaling

        hooks.append(model.model.get_submodule(path).register_forward_hook(hook))
    yield
    for one in hooks:
        one.remove()


@pytest.mark.parametrize(
    ("label", "spoil", "scaling"),
    [
        ("as trained", change(), 2.0),
        ("scaled by the root", change(use_rslora=True), 16 / 8**0.5),
        ("another alpha", change(lora_alpha=4), 0.5),
        ("half precision", retensor(lambda w: {k: v.bfloat16() for k, v in w.items()}), 2.0),
        ("attention only", None, 2.0),
    ],
)
def test_the_numbers_are_those_that_peft_computes_with(
    copy: Path, model, config, label: str, spoil: Callable[[Path], None] | None, scaling: float
) -> None:
    if spoil is None:
        retensor(lambda w: {k: v for k, v in w.items() if "_proj" in k and "self_attn" in k})(copy)
        change(target_modules=["q_proj", "k_proj", "v_proj", "o_proj"])(copy)
    else:
        spoil(copy)
    found = read(Release("a", str(copy)), config)
    assert found.scaling == pytest.approx(scaling)
    assert (found.rank, len(found.targets)) == (8, 4 if spoil is None else 7)
    plain = model(IDS).logits
    with added(model, found):
        ours = model(IDS).logits
    tuned = PeftModel.from_pretrained(model, copy)
    theirs = tuned(IDS).logits
    tuned.unload()
    assert torch.allclose(ours, theirs, atol=1e-4)
    assert not torch.allclose(plain, theirs, atol=0.1)


@pytest.mark.parametrize(
    "prefix",
    ["model.", "model.language_model.", "language_model.model."],
)
def test_every_class_that_training_may_use_gives_the_same(
    copy: Path, adapter_a: Path, config, prefix: str
) -> None:
    rename("base_model.model.model.", f"base_model.model.{prefix}")(copy)
    plain = read(Release("a", str(adapter_a)), config).weights
    found = read(Release("a", str(copy)), config).weights
    assert found.keys() == plain.keys()
    assert all(torch.equal(found[path][1], plain[path][1]) for path in plain)


def test_what_peft_saves_of_the_multimodal_class_is_read(
    tiny_multimodal: Path, tmp_path: Path
) -> None:
    small.adapter(tiny_multimodal, tmp_path, seed=1, text_class=False)
    assert "model.language_model.layers.0" in next(iter(load_file(tmp_path / FILE)))
    text = AutoConfig.from_pretrained(tiny_multimodal).get_text_config()
    text.name_or_path = str(tiny_multimodal)
    assert len(read(Release("a", str(tmp_path)), text).weights) == 28


def half(side: str, value: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[Path], None]:
    return retensor(lambda w: w.__setitem__(KEY.format(side), value(w[KEY.format(side)])))


def put(tensor: torch.Tensor, index: tuple[int, int], value: float) -> torch.Tensor:
    tensor[index] = value
    return tensor


def zero(weights: dict[str, torch.Tensor]) -> None:
    for key in weights:
        if "lora_B" in key:
            weights[key].zero_()


REFUSED = [
    ("no folder", lambda f: shutil.rmtree(f), "does not exist"),
    ("no weights", lambda f: (f / FILE).unlink(), f"{FILE} is missing"),
    (
        "a pickle",
        lambda f: (f / FILE).rename(f / "adapter_model.bin"),
        "pickle, which can run code",
    ),
    ("a pickle in disguise", lambda f: (f / FILE).write_bytes(pickle.dumps({})), "is damaged"),
    ("cut", lambda f: (f / FILE).write_bytes((f / FILE).read_bytes()[:-9]), "was cut short"),
    ("empty", lambda f: (f / FILE).write_bytes(b""), "was cut short"),
    ("no tensors", retensor(lambda _: {"none": torch.zeros(1)}), "none names no layer"),
    ("a whole model", lambda f: [(f / FILE).unlink(), (f / "config.json").touch()], "whole model"),
    ("no config", lambda f: (f / CONFIG).unlink(), f"{CONFIG} is missing"),
    ("a cut config", lambda f: (f / CONFIG).write_text('{"r": '), f"{CONFIG} cannot be read"),
    ("no object", lambda f: (f / CONFIG).write_text("[]"), "cannot be read"),
    ("a long config", lambda f: (f / CONFIG).write_text(" " * 2**21), "too long"),
    ("deep", lambda f: (f / CONFIG).write_text("[" * 90_000), "cannot be read"),
    ("another base", change(base_model_name_or_path="google/gemma-3-1b-it"), "was made for google"),
    ("the base's base", change(base_model_name_or_path="x/gemma-tiny-pt"), "and this engine"),
    ("another method", change(peft_type="IA3"), "no LoRA adapter but IA3"),
    ("no method", change(peft_type=None), "no LoRA adapter"),
    ("dora", change(use_dora=True), "DoRA"),
    ("whole layers", change(modules_to_save=["lm_head"]), "modules_to_save"),
    ("biases", change(bias="all"), 'bias="none"'),
    ("pissa", change(init_lora_weights="pissa"), "takes a part out of the base"),
    ("ranks of their own", change(rank_pattern={"q_proj": 4}), "rank_pattern"),
    ("tokens", change(trainable_token_indices=[1]), "changes tokens"),
    ("no rank", change(r=0), "rank"),
    ("a rank that is no number", change(r="8"), "rank"),
    ("a truth as rank", change(r=True), "rank"),
    ("a vast rank", change(r=257), "1 to 256"),
    ("another rank", change(r=4), r"layers.0.mlp.down_proj is \[8, 128\] in lora_A"),
    ("alpha below zero", change(lora_alpha=-1), "lora_alpha"),
    ("alpha without end", change(lora_alpha=float("inf")), "lora_alpha"),
    ("alpha no number", change(lora_alpha=float("nan")), "lora_alpha"),
    ("more targets", change(target_modules=["q_proj", "lm_head"]), "no weights for lm_head"),
    ("wrong prefix", rename("base_model.model.model.", "base_model.model.text."), "no layer"),
    ("without a prefix", rename("base_model.model.model.", ""), "names no layer"),
    ("a layer too many", rename("layers.3.", "layers.4."), "names no layer"),
    ("the embedding", rename("layers.3.mlp.up_proj", "embed_tokens"), "embed_tokens.*no layer"),
    ("vision", rename("model.model.layers.3", "model.vision_tower.layers.3"), "images are seen"),
    ("one half", retensor(lambda w: w.pop(KEY.format("B"))), f"{UP} has only one of"),
    (
        "one layer less",
        retensor(lambda w: {k: v for k, v in w.items() if "layers.1.mlp.up" not in k}),
        r"1 layers have no weights \(layers.1.mlp.up_proj\)",
    ),
    ("another size", half("A", lambda t: t[:, :-1].contiguous()), rf"{UP} is \[8, 63\] in lora_A"),
    ("turned", half("B", lambda t: t.T.contiguous()), rf"{UP} is \[8, 128\] in lora_B"),
    ("whole numbers", half("A", lambda t: t.int()), "stored as I32"),
    ("never trained", retensor(zero), "lora_B is zero everywhere"),
    ("no number", half("A", lambda t: put(t, (3, 5), float("nan"))), "no numbers"),
    ("without end", half("B", lambda t: put(t, (5, 3), float("inf"))), "no numbers"),
    (
        "twice",
        retensor(lambda w: w | {KEY.format("A.default"): w[KEY.format("A")].clone()}),
        "lora_A twice",
    ),
    (
        "too large",
        lambda f: os.truncate(f / FILE, 10**9),
        "larger than any adapter",
    ),
]


@pytest.mark.parametrize(("spoil", "said"), [pytest.param(*row[1:], id=row[0]) for row in REFUSED])
def test_what_cannot_be_served_is_refused(
    copy: Path, config, spoil: Callable[[Path], object], said: str
) -> None:
    spoil(copy)
    with pytest.raises(ReleaseUnusable, match=said):
        read(Release("a", str(copy)), config)


@pytest.mark.parametrize(
    ("made_for", "serving", "same"),
    [
        ("unsloth/gemma-3-4b-it", "unsloth/gemma-3-4b-it", True),
        ("google/gemma-3-4b-it", "unsloth/gemma-3-4b-it", True),
        ("unsloth/gemma-3-4b-it-unsloth-bnb-4bit", "unsloth/gemma-3-4b-it", True),
        ("unsloth/gemma-3-4b-it", "/models/gemma-3-4b-it/", True),
        ("/c/models--unsloth--gemma-3-4b-it/snapshots/0a1b", "google/Gemma-3-4b-it", True),
        ("google/gemma-3-4b-pt", "unsloth/gemma-3-4b-it", False),
        ("google/medgemma-4b-it", "unsloth/gemma-3-4b-it", False),
        ("", "unsloth/gemma-3-4b-it", True),
        ("google/gemma-3-4b-pt", "", True),
    ],
)
def test_bases_are_compared_by_name(
    copy: Path, config, made_for: str, serving: str, same: bool
) -> None:
    change(base_model_name_or_path=made_for)(copy)
    config.name_or_path = serving
    if same:
        read(Release("a", str(copy)), config)
    else:
        with pytest.raises(ReleaseUnusable, match="train it again"):
            read(Release("a", str(copy)), config)


@pytest.mark.parametrize(
    ("label", "spoil", "said"),
    [
        ("the config", change(lora_alpha=99), f"{CONFIG} is not the file"),
        ("the weights", half("A", lambda t: t * 2), f"{FILE} is not the file"),
        ("not named", lambda f: seal(f, files={}), f"does not name {CONFIG}"),
        ("no list", lambda f: seal(f, files=3), f"does not name {CONFIG}"),
        ("cut", lambda f: (f / "release.json").write_text("{"), "release.json cannot be read"),
        ("another base", lambda f: seal(f, base_model="google/gemma-3-1b-it"), "was made for"),
    ],
)
def test_a_sealed_folder_is_the_one_that_was_sealed(
    copy: Path, config, label: str, spoil: Callable[[Path], None], said: str
) -> None:
    seal(copy)
    read(Release("a", str(copy)), config)
    spoil(copy)
    with pytest.raises(ReleaseUnusable, match=said):
        read(Release("a", str(copy)), config)
