"""How surprised a model is by vetted answers it has not seen: nats a token, base and adapters."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from inference.engine import BASE
from inference.gemma.load import load
from training.gemma.tokens import IGNORED, Encoded, encode_all
from training.rows import Conversation


def held_out(
    model: str,
    adapters: Mapping[str, Path],
    rows: Sequence[Conversation],
    *,
    max_length: int = 2048,
    quantize: str = "none",
) -> dict[str, float]:
    """The mean loss of each adapter (and of `base`) over every learnt token of the rows.

    One base model is loaded and the adapters are put on it in turn. Raises SettingsError,
    EngineAbsent, and what PEFT raises for an adapter of another model.
    """
    loaded = load(model, quantize=quantize)
    encoded = encode_all(rows, loaded.tokenizer, max_length).rows
    losses = {BASE: mean(loaded.model, encoded, loaded.device)}
    for name, folder in adapters.items():
        losses[name] = _with(loaded.model, name, folder, encoded, loaded.device)
    return losses


def mean(model: Any, rows: Sequence[Encoded], device: Any) -> float:
    """The loss over every learnt token of the rows, in nats a token."""
    total, count = 0.0, 0
    with torch.inference_mode():
        for row in rows:
            ids = torch.tensor([row.input_ids], device=device)
            labels = torch.tensor(row.labels[1:], device=device)
            logits = model(input_ids=ids, use_cache=False).logits[0, :-1].float()
            total += float(
                torch.nn.functional.cross_entropy(
                    logits, labels, ignore_index=IGNORED, reduction="sum"
                )
            )
            count += int((labels != IGNORED).sum())
    return total / max(1, count)


def _with(model: Any, name: str, folder: Path, rows: Sequence[Encoded], device: Any) -> float:
    from peft import PeftModel

    adapted = PeftModel.from_pretrained(model, str(folder), adapter_name=name)
    try:
        return mean(adapted, rows, device)
    finally:
        adapted.unload()
