"""A small tokenizer of Gemma's kind, trained on given texts in a second.

It has Gemma-3's special tokens with their published ids, byte fallback, blanks as "▁" and Gemma-3's
chat template; its vocabulary is what the texts give. Knows no model.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import GemmaTokenizer

#: Ids as in tokenizer.json of google/gemma-3-4b-it: named ones, reserved ones, turns.
SPECIAL = (
    *("<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "[multimodal]"),
    *(f"<unused{n}>" for n in range(99)),
    *("<start_of_turn>", "<end_of_turn>"),
)
#: In the real vocabulary these stand near its end (255999, 256000, 262144).
IMAGE = ("<start_of_image>", "<end_of_image>", "<image_soft_token>")
ID = {mark: number for number, mark in enumerate((*SPECIAL, *IMAGE))}
#: The template's words are one token each, as in the real vocabulary.
ROLES = ("user", "model") * 100
TEMPLATE = Path(__file__).with_name("gemma3.jinja")


def train(texts: Iterable[str], size: int) -> GemmaTokenizer:
    """A tokenizer with at most `size` tokens. The same texts give the same tokenizer."""
    fixed = (*ID, *(f"<0x{byte:02X}>" for byte in range(256)))
    pieces, merges = _pieces(texts, size - len(fixed))
    vocab = {piece: number for number, piece in enumerate((*fixed, *pieces))}
    tokenizer = GemmaTokenizer(
        vocab=vocab, merges=merges, extra_special_tokens=list(ID)[5:], add_bos_token=True
    )
    tokenizer.chat_template = TEMPLATE.read_text(encoding="utf-8")
    return tokenizer


def _pieces(texts: Iterable[str], size: int) -> tuple[list[str], list[Any]]:
    """Words' parts by how often they stand together (byte pair encoding), most basic first."""
    learner = Tokenizer(models.BPE())
    learner.normalizer = normalizers.Replace(" ", "▁")
    learner.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split("▁", "merged_with_next"), pre_tokenizers.Split("\n", "isolated")]
    )
    trainer = trainers.BpeTrainer(vocab_size=size, show_progress=False)
    learner.train_from_iterator((*texts, *ROLES), trainer)
    model = json.loads(learner.to_str())["model"]
    by_number = sorted(model["vocab"], key=model["vocab"].__getitem__)
    return by_number, [(first, second) for first, second in model["merges"]]
