"""Real Gemma-3 checkpoints, tiny and random: for tests, demonstrations and benchmarks.

Everything about them is as in a published checkpoint but their size and what they say, which is
noise: `lafiya.json` beside the weights marks them, and no person is served by one unasked.
"""

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from transformers import (
    AutoConfig,
    Gemma3Config,
    Gemma3ForCausalLM,
    Gemma3ForConditionalGeneration,
    Gemma3TextConfig,
    GenerationConfig,
    PreTrainedModel,
    SiglipVisionConfig,
)
from transformers.initialization import no_init_weights

from inference.gemma import tiny_tokenizer
from inference.gemma.mark import MARK, is_demo
from inference.gemma.shapes import TINY, Shape, fill, random_model, text_config

__all__ = ["TINY", "Shape", "adapter", "build", "is_demo", "random_model"]

#: Wide enough that greedy answers differ from question to question and seldom stand on an edge.
SPREAD = 0.3
#: Every linear layer of the text model (and no other: a vision tower has a q_proj of its own).
TARGETS = r"(?!.*vision).*\.(?:[qkvo]_proj|gate_proj|up_proj|down_proj)"


def build(
    folder: Path,
    texts: Iterable[str],
    *,
    seed: int = 0,
    multimodal: bool = False,
    shape: Shape = TINY,
) -> None:
    """Write a checkpoint: weights, configuration, tokenizer trained on `texts`, and the mark.

    `multimodal` gives the class of the published 4B and larger, with a vision tower.
    """
    tokenizer = tiny_tokenizer.train(texts, shape.vocab)
    model = _empty(text_config(replace(shape, vocab=len(tokenizer))), multimodal)
    fill(model, seed, SPREAD)
    _enliven(model)
    model.generation_config = GenerationConfig(
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=[tokenizer.eos_token_id, tiny_tokenizer.ID["<end_of_turn>"]],
        pad_token_id=tokenizer.pad_token_id,
        do_sample=True,
        top_k=64,
        top_p=0.95,
    )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / MARK).write_text(json.dumps({"demo": True}) + "\n", encoding="utf-8")


@torch.no_grad()
def _enliven(model: PreTrainedModel) -> None:
    """Make it write words, not marks, and other words than it reads."""
    written = {"<eos>", "<end_of_turn>"}
    rows = [number for mark, number in tiny_tokenizer.ID.items() if mark not in written]
    model.get_input_embeddings().get_parameter("weight")[rows] *= 0.1
    for name, weight in model.named_parameters():
        if name.endswith("model.norm.weight"):
            # Times (1 - 2): the head is the embedding, it would repeat the last token for ever.
            weight.fill_(-2.0)
        elif name.endswith(("q_norm.weight", "k_norm.weight")):
            # Look at single tokens, not at the mean of all: what was asked then matters.
            weight.fill_(1.0)


def adapter(
    base_folder: Path,
    out: Path,
    *,
    seed: int,
    rank: int = 8,
    zero: bool = False,
    text_class: bool = True,
) -> None:
    """Write a LoRA adapter of all linear layers, as PEFT saves it, that changes the answers.

    `zero` leaves lora_B zero: an adapter that changes nothing. `text_class=False` names its keys
    as training on the multimodal class does.
    """
    text = AutoConfig.from_pretrained(base_folder).get_text_config()
    model = _empty(text, not text_class)
    options = LoraConfig(
        r=rank, lora_alpha=2 * rank, target_modules=TARGETS, task_type="CAUSAL_LM", bias="none"
    )
    # PEFT writes this into the adapter: which checkpoint it is for.
    model.name_or_path = str(base_folder)
    tuned = get_peft_model(model, options)
    _fill_adapter(tuned, seed, zero=zero)
    tuned.save_pretrained(str(out))


@torch.no_grad()
def _fill_adapter(model: torch.nn.Module, seed: int, *, zero: bool) -> None:
    generator = torch.Generator().manual_seed(seed)
    for name, weight in model.named_parameters():
        if "lora_A" in name or ("lora_B" in name and not zero):
            weight.normal_(0.0, 0.1, generator=generator)


def _vision(text: Gemma3TextConfig) -> Gemma3Config:
    """The multimodal configuration around a text model: a tower of one layer, four image tokens."""
    begin, end, soft = (tiny_tokenizer.ID[mark] for mark in tiny_tokenizer.IMAGE)
    return Gemma3Config(
        text_config=text,
        vision_config=SiglipVisionConfig(
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=1,
            num_attention_heads=2,
            image_size=32,
            patch_size=8,
        ),
        mm_tokens_per_image=4,
        boi_token_index=begin,
        eoi_token_index=end,
        image_token_index=soft,
    )


def _empty(config: Gemma3TextConfig, multimodal: bool) -> PreTrainedModel:
    """The model of a configuration; its weights are whatever the memory held."""
    with no_init_weights():
        model = (
            Gemma3ForConditionalGeneration(_vision(config))
            if multimodal
            else Gemma3ForCausalLM(config)
        )
    model.tie_weights()
    return model
