"""Before a run: what the model would see and learn, what the length costs, what memory it needs."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import torch

from inference.gemma import checkpoint, download
from training import data
from training.config import TrainConfig
from training.data import Card, Tools
from training.gemma.head import CHUNK
from training.gemma.tokens import IGNORED, Encoded, encode_all

SAMPLES: Final = 3
_GIB: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class Look:
    """What a dry run found. `samples` are (seen, learnt) texts; `memory` is bytes by part."""

    card: Card
    statistics: dict[str, int | float]
    samples: tuple[tuple[str, str], ...]
    memory: dict[str, int]

    def record(self) -> dict[str, Any]:
        """For scripts."""
        return asdict(self)

    def text(self) -> str:
        """For people."""
        samples = "\n\n".join(
            f"--- sample {number} ---\n{seen}\n--- of it, learnt ---\n{learnt}"
            for number, (seen, learnt) in enumerate(self.samples, 1)
        )
        tokens = json.dumps(self.statistics)
        parts = ", ".join(f"{name} {size / _GIB:.2f} GiB" for name, size in self.memory.items())
        return (
            f"{data.markdown(self.card)}\n{samples}\n\nTokens: {tokens}\n"
            f"Expected memory: {parts} (an estimate: activations depend on the kernels)"
        )


def look(wanted: TrainConfig, tools: Tools) -> Look:
    """Prepare and encode the data without training. Raises as `training.data.prepare` does."""
    folder, _ = download.find(wanted.model, lambda stage, done, detail: None)
    tokenizer: Any = checkpoint.tokenizer(wanted.model, folder)
    sources = [data.Source.parse(text) for text in wanted.data]
    prepared = data.prepare(sources, tools, held_out=wanted.held_out, grounded=wanted.grounded)
    encoding = encode_all(prepared.train, tokenizer, wanted.max_length)
    samples = tuple(_shown(row, tokenizer) for row in _samples(encoding.rows))
    longest = int(encoding.statistics()["longest"])
    shape = checkpoint.config(wanted.model, folder, torch.device("cpu"))
    return Look(
        prepared.card, encoding.statistics(), samples, memory(wanted, folder, shape, longest)
    )


def _samples(rows: Sequence[Encoded]) -> list[Encoded]:
    """The first rows, one of them with passages and one without where there are both."""
    first = [
        next((row for row in rows if bool(row.passages) is grounded), None)
        for grounded in (True, False)
    ]
    chosen = [row for row in first if row is not None]
    return [*chosen, *(row for row in rows if row not in chosen)][:SAMPLES]


def _shown(row: Encoded, tokenizer: Any) -> tuple[str, str]:
    learnt = [label for label in row.labels if label != IGNORED]
    return tokenizer.decode(row.input_ids), tokenizer.decode(learnt)


def expected(wanted: TrainConfig) -> dict[str, int]:
    """As `memory`, for rows of any length that the settings allow. Raises as the model's search."""
    folder, _ = download.find(wanted.model, lambda stage, done, detail: None)
    shape = checkpoint.config(wanted.model, folder, torch.device("cpu"))
    return memory(wanted, folder, shape, wanted.max_length)


def memory(wanted: TrainConfig, folder: Path, shape: Any, longest: int) -> dict[str, int]:
    """Bytes by what needs them, for the longest batch without recomputing.

    Weights as they lie in the files (halved or quartered by quantize), the adapter in fp32 with its
    gradient and two moments (16 bytes a parameter), 34 bytes of activations for each
    hidden value of a layer and token (Korthikanti et al., 2022, "Reducing activation
    recomputation"), and the last layer's scores of some tokens at once (`training.gemma.head`),
    in fp32 and in half of it.
    """
    weights = sum(file.stat().st_size for file in download.shards(folder))
    divided = {"none": 1, "8bit": 2, "4bit": 4}[wanted.quantize]
    tokens = wanted.batch * min(longest, wanted.max_length)
    return {
        "weights": weights // divided,
        "adapter": 16 * adapter_parameters(wanted.rank, shape),
        "activations": 34 * shape.hidden_size * shape.num_hidden_layers * tokens,
        "logits": 6 * shape.vocab_size * min(tokens, CHUNK),
    }


def adapter_parameters(rank: int, shape: Any) -> int:
    """How many numbers an adapter of this rank on all linear layers has."""
    hidden, inner, head = shape.hidden_size, shape.intermediate_size, shape.head_dim
    query, key = shape.num_attention_heads * head, shape.num_key_value_heads * head
    layers = [(hidden, query), (query, hidden)]
    layers += [(hidden, key)] * 2 + [(hidden, inner)] * 2 + [(inner, hidden)]
    return int(shape.num_hidden_layers * rank * sum(a + b for a, b in layers))
