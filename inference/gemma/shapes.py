"""The dimensions of Gemma-3 models, and models of these dimensions with random weights.

Knows no tokenizer, no file and no engine: a random model's speed is real, its text is not.
"""

from dataclasses import dataclass

import torch
from transformers import Gemma3ForCausalLM, Gemma3TextConfig
from transformers.initialization import no_init_weights


@dataclass(frozen=True, slots=True)
class Shape:
    """What decides the size of a Gemma-3 text model. Every `pattern`-th layer sees everything,
    the others a sliding `window`; `rope_factor` stretches the positions of the former.
    """

    name: str
    vocab: int
    hidden: int
    inner: int
    layers: int
    heads: int
    kv_heads: int
    head: int
    window: int
    pattern: int = 6
    positions: int = 32_768
    rope_factor: float = 1.0


#: For tests and demonstrations: both kinds of layers, and a window that short texts cross.
TINY = Shape("tiny", 3072, 64, 128, 4, 4, 2, 16, window=32, pattern=4, positions=4096)
#: The public configurations (config.json of google/gemma-3-270m, -1b-it and -4b-it).
GEMMA_270M = Shape("270m", 262_144, 640, 2048, 18, 4, 1, 256, window=512)
GEMMA_1B = Shape("1b", 262_144, 1152, 6912, 26, 4, 1, 256, window=512)
GEMMA_4B = Shape(
    "4b", 262_208, 2560, 10_240, 34, 8, 4, 256, window=1024, positions=131_072, rope_factor=8.0
)
SHAPES = {shape.name: shape for shape in (TINY, GEMMA_270M, GEMMA_1B, GEMMA_4B)}


def text_config(shape: Shape) -> Gemma3TextConfig:
    """The configuration of a text model of this shape."""
    far: dict[str, object] = {"rope_type": "default", "rope_theta": 1_000_000.0}
    if shape.rope_factor != 1.0:
        far |= {"rope_type": "linear", "factor": shape.rope_factor}
    return Gemma3TextConfig(
        vocab_size=shape.vocab,
        hidden_size=shape.hidden,
        intermediate_size=shape.inner,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        head_dim=shape.head,
        query_pre_attn_scalar=shape.head,
        sliding_window=shape.window,
        layer_types=[
            "sliding_attention" if (i + 1) % shape.pattern else "full_attention"
            for i in range(shape.layers)
        ],
        max_position_embeddings=shape.positions,
        rope_parameters={
            "sliding_attention": {"rope_type": "default", "rope_theta": 10_000.0},
            "full_attention": far,
        },
        architectures=["Gemma3ForCausalLM"],
    )


def random_model(
    shape: Shape,
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float32,
    *,
    seed: int = 0,
) -> Gemma3ForCausalLM:
    """A text model with random weights, made where it will run: a 4B in seconds on a GPU."""
    usual = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with torch.device(device), no_init_weights():
            model = Gemma3ForCausalLM(text_config(shape))
    finally:
        torch.set_default_dtype(usual)
    model.tie_weights()
    fill(model, seed, 0.02)
    model.eval()
    return model


@torch.no_grad()
def fill(model: torch.nn.Module, seed: int, spread: float) -> None:
    """Random weights in place, the same for the same seed; norms stay neutral, biases zero."""
    weights = dict(model.named_parameters())  # names a tied weight once
    device = next(iter(weights.values())).device
    generator = torch.Generator(device).manual_seed(seed)
    for name, weight in weights.items():
        if "norm" in name or name.endswith("bias"):
            weight.zero_()
        else:
            weight.normal_(0.0, spread, generator=generator)
