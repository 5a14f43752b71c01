"""Losses and right answers of base and adapters, on one loaded model."""

from pathlib import Path

import pytest
import torch
from transformers import AutoTokenizer

from inference import prompt
from inference.engine import BASE, Request
from inference.gemma.load import load
from tests.inference.gemma.conftest import adapter_a
from training.choices import LETTERS, Choice
from training.gemma.choice import right
from training.gemma.loss import known
from training.rows import Conversation

__all__ = ["adapter_a"]
ASKED = [
    Choice(f"Tambaya {number}?", ("ruwa", "wuta", "iska", "ƙasa")[: 2 + number % 3], 0)
    for number in range(12)
]


def likeliest(tiny: Path, one: Choice) -> int:
    """The long way: the log-likelihood of each letter as the whole model gives it."""
    model, tokenizer = load(str(tiny)).model, AutoTokenizer.from_pretrained(tiny)
    text = tokenizer.apply_chat_template(
        prompt.messages(Request(one.text())), tokenize=False, add_generation_prompt=True
    )
    ids = tokenizer(text, add_special_tokens=False, return_tensors="pt")["input_ids"]
    chances = torch.log_softmax(model(ids).logits[0, -1].double(), -1)
    first = [tokenizer(letter, add_special_tokens=False)["input_ids"][0] for letter in LETTERS]
    return max(range(len(one.options)), key=lambda place: chances[first[place]].item())


def test_the_likeliest_letter_is_the_answer(tiny: Path) -> None:
    loaded = load(str(tiny))
    keys = [likeliest(tiny, one) for one in ASKED[:4]]
    for one, key in zip(ASKED[:4], keys, strict=True):
        for place in range(len(one.options)):
            asked = [Choice(one.question, one.options, place)]
            share = right(loaded.model, loaded.tokenizer, asked, loaded.device)
            assert share == (1.0 if place == key else 0.0)


def test_base_and_adapter_each_have_their_figures(
    tiny: Path, adapter_a: Path, talks: list[Conversation]
) -> None:
    found = known(str(tiny), {"a": adapter_a}, talks[:3], ASKED)
    assert set(found) == {BASE, "a"}
    assert found[BASE].loss != pytest.approx(found["a"].loss)
    assert all(0.0 <= (one.choice or 0.0) <= 1.0 for one in found.values())
    assert found[BASE].choice is not None
    again = known(str(tiny), {}, talks[:3])
    assert again[BASE].loss == pytest.approx(found[BASE].loss)
    assert again[BASE].choice is None
