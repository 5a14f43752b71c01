"""What the engine's tests share: reference answers by PEFT's own generate(), quick questions."""

from collections.abc import Sequence
from pathlib import Path
from random import Random

import torch
from peft import PeftModel
from transformers import AutoTokenizer, Gemma3ForCausalLM

from inference.engine import Request, Sampling
from inference.gemma.load import Loaded

#: Lengths on both sides of the window (32), of a block (32), of a step (48) and of several.
LENGTHS = (3, 20, 31, 32, 33, 48, 49, 97, 150)
NEW = 9


def prompts() -> list[list[int]]:
    """Ids of ordinary words: the same at every run."""
    draw = Random(0)
    return [[2, *(draw.randrange(400, 2500) for _ in range(n - 1))] for n in LENGTHS]


def model(folder: Path) -> Gemma3ForCausalLM:
    """The checkpoint, as plain transformers loads it."""
    return Gemma3ForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()


def loaded(folder: Path) -> Loaded:
    """The checkpoint, for an engine that a test wants to reach into."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    ours = model(folder)
    return Loaded(ours, tokenizer, ours.device, "", ours.num_parameters(), 0)


def greedy(anybody: torch.nn.Module, ids: Sequence[int], new: int = NEW) -> list[int]:
    """What generate() writes."""
    prompt = torch.tensor([list(ids)])
    with torch.no_grad():
        out = anybody.generate(  # type: ignore[operator]
            input_ids=prompt,
            attention_mask=torch.ones_like(prompt),
            max_new_tokens=new,
            do_sample=False,
            top_k=None,
            top_p=None,
        )
    return list(out[0, len(ids) :].tolist())


def released(base: Path, adapter: Path | None) -> torch.nn.Module:
    """The model with an adapter, by PEFT."""
    return model(base) if adapter is None else PeftModel.from_pretrained(model(base), adapter)


def question(text: str = "Ina jin zazzabi tun jiya, me zan yi?", new: int = 8, **fields) -> Request:
    """A greedy question: its answer is known."""
    return Request(text, sampling=Sampling(temperature=0.0, max_tokens=new), **fields)
