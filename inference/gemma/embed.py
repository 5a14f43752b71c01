"""Sentence embeddings of a local model: how near a question is to passages, for re-ranking.

Knows any encoder that transformers can load, and mean pooling, which is what sentence-embedding
models without a head of their own are trained for. Knows no library and no threshold. Texts are
given as they are: models that want "query:" before a question lose a little.
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import torch
from transformers import AutoModel, AutoTokenizer

from core.errors import SettingsError

LONGEST: Final = 512
REMEMBERED: Final = 512


class Embedder:
    """A loaded model. One question at a time: whoever shares it takes turns."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        """Wrap a transformers encoder and its tokenizer."""
        self._model = model.eval()
        self._tokenizer = tokenizer
        self._longest = min(LONGEST, getattr(tokenizer, "model_max_length", LONGEST))
        # Passages are vetted texts: always the same few.
        self._passage = lru_cache(maxsize=REMEMBERED)(self._embed)

    @classmethod
    def load(cls, model: str) -> "Embedder":
        """Load a folder or hub id.

        Raises: SettingsError naming RERANK_MODEL when it cannot be loaded.
        """
        try:
            tokenizer = AutoTokenizer.from_pretrained(model)
            return cls(AutoModel.from_pretrained(model, dtype=torch.float32), tokenizer)
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            kind = "no folder, and not on the hub" if not Path(model).exists() else "cannot be read"
            raise SettingsError(
                f"RERANK_MODEL: {model}: {kind} ({type(error).__name__})"
            ) from error

    def scores(self, question: str, passages: Sequence[str]) -> list[float]:
        """Cosine of the question and each passage, from -1 to 1."""
        asked = self._embed(question)
        return [float(asked @ self._passage(text)) for text in passages]

    def _embed(self, text: str) -> torch.Tensor:
        tokens = self._tokenizer(
            text, return_tensors="pt", truncation=True, max_length=self._longest
        )
        if not tokens["input_ids"].numel():
            return torch.zeros(self._model.config.hidden_size)
        with torch.inference_mode():
            states = self._model(**tokens).last_hidden_state[0]
        mask = tokens["attention_mask"][0].unsqueeze(-1)
        pooled = (states * mask).sum(dim=0) / mask.sum().clamp(min=1)
        return torch.nn.functional.normalize(pooled.float(), dim=0)
