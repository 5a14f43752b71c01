"""How many multiple-choice questions a model gets right: the letter that it holds likeliest."""

from collections.abc import Sequence
from typing import Any

import torch

from inference import prompt
from inference.engine import Request
from training.choices import LETTERS, Choice


def right(model: Any, tokenizer: Any, questions: Sequence[Choice], device: Any) -> float:
    """The share that is answered rightly, each asked in the words and marks of serving.

    Log-likelihood of the letter as the first token of the answer, as the exams' own harness does
    (lm-evaluation-harness, `mmlu`): nothing is drawn, so the same model has the same share.
    """
    letters = [tokenizer.encode(letter, add_special_tokens=False)[0] for letter in LETTERS]
    hits = 0
    with torch.inference_mode():
        for one in questions:
            ids = tokenizer.apply_chat_template(
                prompt.messages(Request(one.text())),
                add_generation_prompt=True,
                return_dict=True,
                return_tensors="pt",
            )["input_ids"].to(device)
            scores = model(input_ids=ids, use_cache=False, logits_to_keep=1).logits[0, -1]
            hits += int(scores[letters[: len(one.options)]].argmax()) == one.right
    return hits / len(questions)
