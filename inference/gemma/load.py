"""A Gemma-3 checkpoint as a text model, ready to answer: read, checked and tried once.

Knows the two forms that Gemma-3 is published in (text alone, and with a vision tower, which is left
out), precision and quantisation. Knows no request and no release.
"""

import importlib.util
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from logging import ERROR, getLogger
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import (
    BitsAndBytesConfig,
    Gemma3ForCausalLM,
    PreTrainedConfig,
    PreTrainedTokenizerBase,
)
from transformers.utils import logging

from core.errors import EngineAbsent, SettingsError
from inference.gemma import checkpoint
from inference.gemma.download import OnProgress, find, shards
from inference.gemma.plan import free_memory

#: Where a checkpoint with a vision tower keeps its text model: as published, and as some save it.
#: Without this the text class finds none of its weights, and answers with random ones.
TEXT_KEYS = {
    r"^language_model\.model\.": "model.",
    r"^language_model\.lm_head\.": "lm_head.",
    r"^model\.language_model\.": "model.",
}
BITS = {"4bit": 4, "8bit": 8}


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model that can answer. `revision` is the hub's, empty for a folder of one's own."""

    model: Gemma3ForCausalLM = field(repr=False)
    tokenizer: PreTrainedTokenizerBase = field(repr=False)
    device: torch.device
    revision: str
    parameters: int
    bytes: int


def load(
    model: str,
    *,
    quantize: str = "none",
    device: str = "auto",
    dtype: str = "auto",
    on_progress: OnProgress | None = None,
) -> Loaded:
    """Load a hub id or a folder; `on_progress` sees download, load and warm-up.

    `dtype` is float32, bfloat16, "native" (bfloat16 wherever the machine computes it) or "auto" (so
    on a GPU; float32 on a CPU, as training wants it).

    Raises SettingsError for what another setting would mend, EngineAbsent for what time would (no
    network, no memory). What `on_progress` raises ends it.
    """
    report = on_progress or _unseen
    place = _device(device)
    kind = pick_dtype(dtype, place)
    _check_bits(quantize)
    folder, revision = find(model, report)
    report("load", 0.0, "")
    config = checkpoint.config(model, folder, place)
    _check_room(model, folder, quantize, kind, place)
    checkpoint.check_files(folder)
    tokenizer = checkpoint.tokenizer(model, folder)
    loaded = _weights(model, folder, config, quantize, kind, place, report)
    report("load", 1.0, "")
    checkpoint.settle(loaded, tokenizer, model)
    _warm(loaded, model, report)
    tensors = {t.data_ptr(): t for t in (*loaded.parameters(), *loaded.buffers())}.values()
    size = sum(t.numel() * t.element_size() for t in tensors)
    return Loaded(loaded, tokenizer, place, revision, loaded.num_parameters(), size)


def _unseen(stage: str, done: float, detail: str) -> None:
    """Nobody looks on."""


def _device(wanted: str) -> torch.device:
    there = torch.cuda.is_available()
    if wanted == "auto":
        return torch.device("cuda", torch.cuda.current_device()) if there else torch.device("cpu")
    device = torch.device(wanted)
    if device.type == "cuda" and not there:
        raise SettingsError("this machine has no GPU that PyTorch can use")
    return torch.device("cuda", 0) if wanted == "cuda" else device


def pick_dtype(wanted: str, device: torch.device) -> torch.dtype:
    """The numbers that are meant by a word of `load`. Raises SettingsError.

    Gemma-3 overflows in float16: it is bfloat16 where the machine has it, else float32.
    """
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        native = bool(torch.cpu._is_avx512_bf16_supported())
    if wanted == "bfloat16" and not native:
        raise SettingsError(
            f"bfloat16: this machine's {device.type} computes it slowly; use float32"
        )
    if wanted == "native" or (wanted == "auto" and device.type == "cuda"):
        return torch.bfloat16 if native else torch.float32
    return torch.bfloat16 if wanted == "bfloat16" else torch.float32


def _check_bits(quantize: str) -> None:
    if quantize == "none":
        return
    if quantize not in BITS:
        raise SettingsError(f"QUANTIZE: none, 8bit or 4bit, not {quantize}")
    if importlib.util.find_spec("bitsandbytes") is None:
        raise SettingsError(
            f"QUANTIZE={quantize} needs bitsandbytes: pip install bitsandbytes, or set "
            "QUANTIZE=none, with a smaller MODEL (unsloth/gemma-3-270m-it) if memory is short"
        )


def _check_room(
    model: str, folder: Path, quantize: str, dtype: torch.dtype, device: torch.device
) -> None:
    """Say that it does not fit, where the system would kill the whole service half-way."""
    # Published weights take two bytes each.
    numbers = sum(file.stat().st_size for file in shards(folder)) / 2
    need = numbers * (BITS[quantize] / 8 if quantize in BITS else dtype.itemsize)
    free = free_memory(device)
    if need > free:
        raise EngineAbsent(
            f"MODEL: {model} needs {need / 1e9:.1f} GB of memory and {free / 1e9:.1f} GB are free: "
            "choose a smaller MODEL, or QUANTIZE=4bit"
        )


def _weights(
    model: str,
    folder: Path,
    config: PreTrainedConfig,
    quantize: str,
    dtype: torch.dtype,
    device: torch.device,
    report: OnProgress,
) -> Gemma3ForCausalLM:
    options: dict[str, Any] = {"device_map": {"": device}} if device.type == "cuda" else {}
    if quantize in BITS:
        options["quantization_config"] = _bits(quantize, dtype)
    try:
        with _watched(report):
            loaded, info = Gemma3ForCausalLM.from_pretrained(
                folder,
                config=config,
                dtype=dtype,
                key_mapping=TEXT_KEYS,
                attn_implementation=pick_attention(device, dtype),
                output_loading_info=True,
                **options,
            )
    except (SafetensorError, RuntimeError) as error:
        # An OutOfMemoryError is a RuntimeError; on a CPU only the words tell.
        if isinstance(error, torch.OutOfMemoryError) or "alloc" in str(error):
            raise EngineAbsent(
                f"MODEL: the memory is too small for {model}: choose a smaller one, or "
                "QUANTIZE=4bit"
            ) from None
        raise SettingsError(f"MODEL: the weights of {model} do not fit its config.json") from error
    _check_whole(model, info)
    # A release names the model it was made for as MODEL does, not the folder in the hub's cache.
    loaded.config.name_or_path = model
    return loaded.eval()


def _check_whole(model: str, info: dict[str, Any]) -> None:
    """No weight may be left random: the library below only warns of that."""
    lacking = sorted(info["missing_keys"]) + sorted(str(key) for key in info["mismatched_keys"])
    if lacking:
        raise SettingsError(
            f"MODEL: {len(lacking)} weights of {model} are missing or of another size "
            f"({lacking[0]}): the checkpoint is not whole, or not one of Gemma-3"
        )


def _bits(quantize: str, dtype: torch.dtype) -> BitsAndBytesConfig:
    # It warns of every layer at every step that it computes in float16.
    getLogger("bitsandbytes").setLevel(ERROR)
    if quantize == "8bit":
        return BitsAndBytesConfig(load_in_8bit=True)
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )


def pick_attention(device: torch.device, dtype: torch.dtype) -> str:
    """FlashAttention where it can be; else PyTorch's own, which batching replaces by ours."""
    flash = device.type == "cuda" and dtype is torch.bfloat16
    installed = importlib.util.find_spec("flash_attn") is not None
    return "flash_attention_2" if flash and installed else "sdpa"


@contextmanager
def _watched(report: OnProgress) -> Iterator[None]:
    """Reports how many weights are in place, and keeps the library's own bars from the log."""

    def bar(make: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        return make(_counted(args[0], report), disable=True) if args else make(**options)

    before = logging.set_tqdm_hook(bar)
    try:
        yield
    finally:
        logging.set_tqdm_hook(before)


def _counted(items: Iterable[Any], report: OnProgress) -> Iterator[Any]:
    known = list(items)
    for number, item in enumerate(known):
        report("load", number / len(known), "")
        yield item


@torch.inference_mode()
def _warm(model: Gemma3ForCausalLM, name: str, report: OnProgress) -> None:
    """One step: damaged weights show, and a GPU has its kernels ready."""
    report("warm", 0.0, "")
    ids = torch.tensor([[2, 105, 106, 107]], device=model.device)
    if not torch.isfinite(model(ids).logits).all():
        raise SettingsError(f"MODEL: the weights of {name} are damaged: they give no numbers")
    report("warm", 1.0, "")
