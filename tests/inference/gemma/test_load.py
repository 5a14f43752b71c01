"""Both published forms load as text, whole; what is damaged, foreign or too large is named."""

import json
import shutil
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import Gemma3ForCausalLM, Gemma3ForConditionalGeneration

from core.errors import EngineAbsent, SettingsError
from inference.gemma.load import TEXT_KEYS, load

IDS = torch.tensor([[2, 105, 300, 401, 502, 106, 603]])


@pytest.fixture
def copy(tiny: Path, tmp_path: Path) -> Path:
    """A checkpoint that a test may break."""
    return Path(shutil.copytree(tiny, tmp_path / "model"))


def test_a_text_checkpoint_loads_and_reports_its_stages(tiny: Path) -> None:
    seen: list[tuple[str, float]] = []
    found = load(str(tiny), on_progress=lambda stage, done, _: seen.append((stage, done)))
    plain = Gemma3ForCausalLM.from_pretrained(tiny)
    assert torch.equal(found.model(IDS).logits, plain(IDS).logits)
    assert (found.device.type, found.model.dtype) == ("cpu", torch.float32)
    assert found.parameters == plain.num_parameters()
    assert 4 * found.parameters <= found.bytes < 4.1 * found.parameters
    assert found.model.config.name_or_path == str(tiny)
    assert not found.model.training
    assert list(dict.fromkeys(stage for stage, _ in seen)) == ["load", "warm"]
    shares = [done for stage, done in seen if stage == "load"]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert len(set(shares)) > 10


def test_a_model_keeps_the_name_it_was_asked_for_by(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(copy.parent)
    assert load("./model").model.config.name_or_path == "./model"


def test_what_the_progress_raises_ends_the_loading(tiny: Path) -> None:
    class Closed(Exception):
        pass

    def stop(stage: str, done: float, detail: str) -> None:
        if done > 0.5:
            raise Closed

    with pytest.raises(Closed):
        load(str(tiny), on_progress=stop)


@pytest.mark.parametrize(
    "rename",
    [
        pytest.param(lambda key: key, id="as published"),
        pytest.param(
            lambda key: key.replace("language_model.model.", "model.language_model."),
            id="as some tools save it",
        ),
    ],
)
def test_a_multimodal_checkpoint_loads_as_text_whole(
    tiny_multimodal: Path, tmp_path: Path, rename: Callable[[str], str]
) -> None:
    whole = Gemma3ForConditionalGeneration.from_pretrained(tiny_multimodal)
    folder = Path(shutil.copytree(tiny_multimodal, tmp_path / "model"))
    weights = load_file(folder / "model.safetensors")
    renamed = {rename(key): value for key, value in weights.items()}
    save_file(renamed, folder / "model.safetensors", {"format": "pt"})
    found = load(str(folder))
    assert type(found.model) is Gemma3ForCausalLM
    assert not any("vision" in name for name, _ in found.model.named_modules())
    assert torch.allclose(found.model(IDS).logits, whole(input_ids=IDS).logits, atol=1e-5)


def test_the_text_class_alone_would_answer_with_random_weights(tiny_multimodal: Path) -> None:
    """The trap: without the mapping nothing is found, and only a warning says so."""
    config = Gemma3ForConditionalGeneration.config_class.from_pretrained(tiny_multimodal)
    options = {"config": config.get_text_config(), "output_loading_info": True}
    _, info = Gemma3ForCausalLM.from_pretrained(tiny_multimodal, **options)
    assert len(info["missing_keys"]) > 50
    _, info = Gemma3ForCausalLM.from_pretrained(tiny_multimodal, key_mapping=TEXT_KEYS, **options)
    assert not info["missing_keys"]


def test_an_answer_ends_with_its_turn(copy: Path) -> None:
    (copy / "generation_config.json").unlink()
    assert load(str(copy)).model.generation_config.eos_token_id == [1, 106]


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1000])


def change(path: Path, **fields: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def drop_a_weight(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    del weights["model.layers.2.mlp.up_proj.weight"]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})


def spoil_a_weight(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    weights["model.layers.2.mlp.up_proj.weight"][3] = float("nan")
    save_file(weights, folder / "model.safetensors", {"format": "pt"})


def name_shards(folder: Path) -> None:
    rows = {"weight_map": {"a": "model-00001-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(rows))


BROKEN = [
    ("cut weights", lambda f: cut(f / "model.safetensors"), "model.safetensors is damaged"),
    ("no weights", lambda f: (f / "model.safetensors").unlink(), "no model.safetensors"),
    ("a shard is missing", name_shards, "no model-00001-of-00002.safetensors"),
    (
        "a damaged index",
        lambda f: (f / "model.safetensors.index.json").write_text("[]"),
        "index.json is damaged",
    ),
    ("no config", lambda f: (f / "config.json").unlink(), "no config.json"),
    ("a damaged config", lambda f: (f / "config.json").write_text("{"), "config.json is damaged"),
    ("no tokenizer", lambda f: (f / "tokenizer.json").unlink(), "no tokenizer.json"),
    ("a cut tokenizer", lambda f: cut(f / "tokenizer.json"), "tokenizer.json is damaged"),
    ("a base model", lambda f: (f / "chat_template.jinja").unlink(), "no chat template"),
    ("a weight is missing", drop_a_weight, r"1 weights .* \(model.layers.2.mlp.up_proj.weight\)"),
    ("no numbers", spoil_a_weight, "give no numbers"),
    ("another size", lambda f: change(f / "config.json", hidden_size=128), "do not fit its config"),
    ("more layers", lambda f: change(f / "config.json", num_hidden_layers=5), "config.json"),
    (
        "another family",
        lambda f: change(f / "config.json", model_type="qwen2", architectures=[]),
        "is a qwen2 model; this engine serves Gemma-3",
    ),
    (
        "a family nobody knows",
        lambda f: change(f / "config.json", model_type="no_such", architectures=[]),
        "is a no_such model",
    ),
    (
        "stored in four bits",
        lambda f: change(
            f / "config.json",
            quantization_config={"quant_method": "bitsandbytes", "load_in_4bit": True},
        ),
        "stored in few bits",
    ),
]


@pytest.mark.parametrize(("spoil", "said"), [pytest.param(*row[1:], id=row[0]) for row in BROKEN])
def test_a_broken_checkpoint_is_named(
    copy: Path, spoil: Callable[[Path], object], said: str
) -> None:
    spoil(copy)
    with pytest.raises(SettingsError, match=f"MODEL: .*{said}"):
        load(str(copy))


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("adapter_config.json", "an adapter is a release"),
        ("gemma.gguf", "llama.cpp and ENGINE=openai"),
        ("notes.txt", "no config.json$"),
    ],
)
def test_a_folder_of_something_else_says_what_it_is(tmp_path: Path, file: str, said: str) -> None:
    (tmp_path / file).write_text("{}")
    with pytest.raises(SettingsError, match=said):
        load(str(tmp_path))


def test_a_folder_that_is_not_there_is_not_looked_for_on_the_hub(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="does not exist"):
        load(str(tmp_path / "nothing"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"quantize": "3bit"}, "none, 8bit or 4bit"),
        ({"device": "cuda"}, "no GPU"),
    ],
)
def test_what_this_machine_cannot_do_is_said(
    tiny: Path, options: dict[str, str], said: str
) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(SettingsError, match=said):
        load(str(tiny), **options)


@pytest.mark.skipif(find_spec("bitsandbytes") is not None, reason="bitsandbytes is installed")
@pytest.mark.parametrize("quantize", ["4bit", "8bit"])
def test_what_quantising_needs_is_said(tiny: Path, quantize: str) -> None:
    with pytest.raises(SettingsError, match=f"QUANTIZE={quantize} needs bitsandbytes: pip install"):
        load(str(tiny), quantize=quantize)


def test_bfloat16_on_a_cpu_only_where_it_is_native(tiny: Path) -> None:
    if torch.cpu._is_avx512_bf16_supported():
        assert load(str(tiny), device="cpu", dtype="bfloat16").model.dtype is torch.bfloat16
    else:
        with pytest.raises(SettingsError, match="use float32"):
            load(str(tiny), device="cpu", dtype="bfloat16")


def test_native_is_bfloat16_where_that_is_and_else_float32(tiny: Path) -> None:
    native = torch.cpu._is_avx512_bf16_supported()
    found = load(str(tiny), device="cpu", dtype="native").model.dtype
    assert found is (torch.bfloat16 if native else torch.float32)


def test_a_model_larger_than_the_memory_is_refused_before_it_is_read(copy: Path) -> None:
    with (copy / "model.safetensors").open("wb") as file:
        file.truncate(10**12)  # a terabyte of nothing: it takes no room
    with pytest.raises(EngineAbsent, match=r"needs 2000.0 GB of memory .* choose a smaller MODEL"):
        load(str(copy))
