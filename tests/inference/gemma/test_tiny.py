"""The tiny checkpoint is Gemma-3 in everything but size: tokens, template, layers, classes."""

import json
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    Gemma3ForCausalLM,
    Gemma3ForConditionalGeneration,
    GenerationConfig,
)

from cli.models import models
from inference.gemma import tiny as small
from inference.gemma.shapes import GEMMA_4B, GEMMA_270M, SHAPES, TINY, random_model, text_config
from inference.gemma.tiny_tokenizer import TEMPLATE, train

CHAT = [
    {"role": "system", "content": "Kai likita ne."},
    {"role": "user", "content": " Yarona yana zazzaɓi 😀 "},
    {"role": "assistant", "content": "A ba shi ruwa."},
    {"role": "user", "content": "To."},
]


@pytest.fixture(scope="module")
def tokenizer(tiny: Path):
    return AutoTokenizer.from_pretrained(tiny)


def test_the_system_prompt_is_folded_into_the_first_turn(tokenizer) -> None:
    text = tokenizer.apply_chat_template(CHAT, tokenize=False, add_generation_prompt=True)
    assert text == (
        "<bos><start_of_turn>user\nKai likita ne.\n\nYarona yana zazzaɓi 😀<end_of_turn>\n"
        "<start_of_turn>model\nA ba shi ruwa.<end_of_turn>\n"
        "<start_of_turn>user\nTo.<end_of_turn>\n<start_of_turn>model\n"
    )


def test_the_template_is_the_one_that_training_looks_for() -> None:
    folder = find_spec("trl").submodule_search_locations[0]
    theirs = Path(folder, "chat_templates", "gemma3.jinja")
    assert TEMPLATE.read_bytes() == theirs.read_bytes()


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("<bos>", [2, 2]),
        ("<end_of_turn>", [2, 106]),
        ("<start_of_turn><unused98>", [2, 105, 104]),
        ("<pad><eos><unk>", [2, 0, 1, 3]),
    ],
)
def test_special_tokens_have_their_published_ids(tokenizer, text: str, ids: list[int]) -> None:
    assert tokenizer(text).input_ids == ids


@pytest.mark.parametrize(
    "text", ["Ƙaƙa 'ya'ya?  Biyu\n\nuku", "😀 中 ß", "a  b   c", "<end_of turn>"]
)
def test_text_comes_back(tokenizer, text: str) -> None:
    ids = tokenizer(text).input_ids
    assert 3 not in ids
    assert tokenizer.decode(ids, skip_special_tokens=True) == text


def test_the_template_s_own_words_are_single_tokens(tokenizer) -> None:
    ids = tokenizer.apply_chat_template(CHAT, add_generation_prompt=True)["input_ids"]
    assert len(tokenizer("user model").input_ids) == 4  # <bos>, user, a blank, model
    assert (ids.count(2), ids.count(105), ids.count(106)) == (1, 4, 3)


def test_the_checkpoint_is_a_text_model_of_both_kinds_of_layers(tiny: Path, tokenizer) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny)
    assert type(model) is Gemma3ForCausalLM
    assert set(model.config.layer_types) == {"sliding_attention", "full_attention"}
    assert model.config.sliding_window == 32
    assert model.config.vocab_size == len(tokenizer)
    assert model.lm_head.weight is model.model.embed_tokens.weight
    assert sorted(GenerationConfig.from_pretrained(tiny).eos_token_id) == [1, 106]
    assert torch.isfinite(model(torch.tensor([[2, 105, 7]])).logits).all()


def test_the_multimodal_twin_is_what_the_published_4b_is(tiny_multimodal: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny_multimodal)
    assert type(model) is Gemma3ForConditionalGeneration
    assert model.lm_head.weight is model.model.language_model.embed_tokens.weight


def test_the_same_seed_writes_the_same_checkpoint(
    tiny: Path, tiny_texts: list[str], tmp_path: Path
) -> None:
    small.build(tmp_path, tiny_texts)
    for name in ("model.safetensors", "tokenizer.json", "config.json"):
        assert (tmp_path / name).read_bytes() == (tiny / name).read_bytes(), name


def test_few_texts_make_a_small_vocabulary() -> None:
    assert 360 < len(train(["kwalara", "zazzaɓi"], TINY.vocab)) < 420


def test_only_a_marked_folder_is_a_demonstration(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "lafiya.json").write_text(json.dumps({"demo": False}))
    assert small.is_demo(tiny)
    assert small.is_demo(str(tiny))
    assert not small.is_demo(tmp_path)
    assert not small.is_demo("unsloth/gemma-3-4b-it")


def answer(model, tokenizer) -> list[int]:
    ids = tokenizer.apply_chat_template(
        CHAT, add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    return model.generate(**ids, max_new_tokens=12, do_sample=False)[0].tolist()


def test_base_and_adapters_answer_differently(
    tiny: Path, adapter_a: Path, adapter_b: Path, tokenizer, tmp_path: Path
) -> None:
    from peft import PeftModel

    small.adapter(tiny, tmp_path, seed=1, zero=True)
    model = AutoModelForCausalLM.from_pretrained(tiny)
    base = answer(model, tokenizer)
    tuned = PeftModel.from_pretrained(model, adapter_a, "a")
    tuned.load_adapter(adapter_b, "b")
    tuned.load_adapter(tmp_path, "zero")
    found = {}
    for name in ("a", "b", "zero"):
        tuned.set_adapter(name)
        found[name] = answer(tuned, tokenizer)
    assert found["zero"] == base
    assert len({tuple(ids) for ids in (base, found["a"], found["b"])}) == 3


@pytest.mark.parametrize(
    ("shape", "billions"), [(GEMMA_270M, 0.268), (SHAPES["1b"], 1.0), (GEMMA_4B, 3.88)]
)
def test_the_presets_have_the_published_sizes(shape, billions: float) -> None:
    with torch.device("meta"):
        model = Gemma3ForCausalLM(text_config(shape))
    assert sum(p.numel() for p in model.parameters()) / 1e9 == pytest.approx(billions, rel=0.01)


def test_a_random_model_is_made_in_its_own_precision() -> None:
    model = random_model(TINY, dtype=torch.bfloat16)
    assert {p.dtype for p in model.parameters()} == {torch.bfloat16}
    assert torch.get_default_dtype() is torch.float32
    assert torch.isfinite(model(torch.tensor([[2, 105, 7]])).logits).all()


def test_the_command_makes_one_and_says_what_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "m"
    done = CliRunner().invoke(models, ["tiny", str(folder)])
    assert done.exit_code == 0, done.output
    assert "random weights" in done.output
    assert f"MODEL={folder} DEMO=true" in done.output
    assert small.is_demo(folder)
    again = CliRunner().invoke(models, ["tiny", str(folder)])
    assert again.exit_code == 1
    assert "not empty" in again.output
