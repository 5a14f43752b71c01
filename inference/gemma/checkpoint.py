"""What a checkpoint's files say before its weights are loaded, and what is wrong with them.

Each complaint is a SettingsError that names MODEL and what to do. Computes nothing.
"""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from transformers import (
    AutoConfig,
    AutoTokenizer,
    Gemma3ForCausalLM,
    PreTrainedConfig,
    PreTrainedTokenizerBase,
)

from core.errors import SettingsError
from inference.gemma.download import shards

KINDS = ("gemma3", "gemma3_text")


def config(model: str, folder: Path, device: torch.device) -> PreTrainedConfig:
    """The text part of the configuration.

    Raises SettingsError when it is damaged or another family's.
    """
    kind = _said(folder / "config.json").get("model_type")
    if kind not in (*KINDS, None):
        raise SettingsError(
            f"MODEL: {model} is a {kind} model; this engine serves Gemma-3. Serve others with an "
            "OpenAI-compatible server and ENGINE=openai"
        )
    try:
        whole = AutoConfig.from_pretrained(folder)
    except Exception as error:  # fields of the wrong kind fail wherever they are first used
        raise _damaged(folder / "config.json") from error
    stored = getattr(whole, "quantization_config", None)
    if stored and device.type != "cuda":
        raise SettingsError(
            f"MODEL: {model} is stored in few bits for an NVIDIA GPU: use the one it was made from"
        )
    text: PreTrainedConfig = whole.get_text_config()
    if stored:
        text.quantization_config = stored
    return text


def _said(file: Path) -> dict[str, Any]:
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def _damaged(file: Path) -> SettingsError:
    return SettingsError(f"MODEL: {file} is damaged: delete it and get the checkpoint again")


def check_files(folder: Path) -> None:
    """Open every file of weights: a cut one would else be found later, without its name.

    Raises SettingsError.
    """
    for file in shards(folder):
        try:
            with safe_open(file, framework="pt") as weights:
                weights.keys()
        except (SafetensorError, OSError):
            raise _damaged(file) from None


def tokenizer(model: str, folder: Path) -> PreTrainedTokenizerBase:
    """The tokenizer, with a chat template. Raises SettingsError."""
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder)
    except Exception as error:  # the library below raises a bare Exception for a damaged file
        raise _damaged(folder / "tokenizer.json") from error
    if not tokenizer.chat_template:
        raise SettingsError(
            f"MODEL: {model} has no chat template: use the one trained to answer (its name ends "
            "with -it)"
        )
    return tokenizer


def settle(model: Gemma3ForCausalLM, tokenizer: PreTrainedTokenizerBase, name: str) -> None:
    """An answer ends with its turn, whatever the checkpoint's generation_config.json says.

    Raises SettingsError for a tokenizer that knows no turns.
    """
    turn = tokenizer.convert_tokens_to_ids("<end_of_turn>")
    if turn is None or turn == tokenizer.unk_token_id:
        raise SettingsError(f"MODEL: the tokenizer of {name} knows no turns: it is not Gemma-3's")
    said = model.generation_config.eos_token_id or []
    ends = {*(said if isinstance(said, list) else [said]), tokenizer.eos_token_id, turn}
    model.generation_config.eos_token_id = sorted(ends - {None})
