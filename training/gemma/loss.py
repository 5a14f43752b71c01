"""What a model knows, measured without drawing a word: base and adapters on one loaded model.

The loss is how surprised it is by vetted answers it has not seen, in nats a token.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from inference.engine import BASE
from inference.gemma.load import Loaded, load
from training.choices import Choice
from training.gemma import choice
from training.gemma.head import learnt_loss
from training.gemma.tokens import Encoded, encode_all
from training.rows import Conversation


@dataclass(frozen=True, slots=True)
class Known:
    """A release's loss, and its share of right answers to multiple-choice questions."""

    loss: float
    choice: float | None = None


def known(
    model: str,
    adapters: Mapping[str, Path],
    rows: Sequence[Conversation],
    questions: Sequence[Choice] = (),
    *,
    max_length: int = 2048,
    quantize: str = "none",
) -> dict[str, Known]:
    """Each adapter's figures, and those of `base`: loss over every learnt token of the rows.

    One base model is loaded and the adapters are put on it in turn. Raises SettingsError,
    EngineAbsent, and what PEFT raises for an adapter of another model.
    """
    loaded = load(model, quantize=quantize)
    encoded = encode_all(rows, loaded.tokenizer, max_length).rows

    def look(of: Any) -> Known:
        return Known(mean(of, encoded, loaded.device), _right(of, loaded, questions))

    found = {BASE: look(loaded.model)}
    for name, folder in adapters.items():
        adapted = _with(loaded.model, name, folder)
        try:
            found[name] = look(adapted)
        finally:
            adapted.unload()
    return found


def mean(model: Any, rows: Sequence[Encoded], device: Any) -> float:
    """The loss over every learnt token of the rows, in nats a token."""
    base = getattr(model, "get_base_model", lambda: model)()
    head, total = base.get_output_embeddings().weight, 0.0
    with torch.inference_mode():
        for row in rows:
            ids, labels = (
                torch.tensor([each], device=device) for each in (row.input_ids, row.labels)
            )
            hidden = base.base_model(input_ids=ids, use_cache=False).last_hidden_state
            total += float(learnt_loss(hidden, head, labels))
    return total / max(1, sum(row.learnt for row in rows))


def _right(model: Any, loaded: Loaded, questions: Sequence[Choice]) -> float | None:
    return choice.right(model, loaded.tokenizer, questions, loaded.device) if questions else None


def _with(model: Any, name: str, folder: Path) -> Any:
    from peft import PeftModel

    return PeftModel.from_pretrained(model, str(folder), adapter_name=name)
