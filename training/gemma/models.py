"""The base model with a fresh adapter on it, ready to be trained.

With Unsloth where it is installed and wanted (its Gemma-3 kernels are faster and hold less memory
on a GPU), else transformers and PEFT. Both give the same adapter: same rank, same layers, same
files. Unsloth is optional because parts of it are AGPL-3.0 and LGPL-3.0.
"""

import importlib.util
from dataclasses import dataclass
from typing import Any, Final

import torch

from core import logs
from core.errors import SettingsError
from inference.gemma.load import Loaded, load
from training.config import TARGETS, TrainConfig

#: The same layers by a pattern, in a checkpoint that also sees.
TEXT_ONLY: Final = rf"(?!.*(?:vision|multi_modal)).*\.(?:{'|'.join(TARGETS)})"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A PEFT model and its tokenizer; `trainer` names who made them."""

    model: Any
    tokenizer: Any
    device: str
    trainer: str
    revision: str
    eight_bit_optimizer: bool = False


def prepare(wanted: TrainConfig) -> Prepared:
    """Load the base model and put a fresh adapter on it.

    Raises SettingsError for what this machine cannot do, EngineError when the model cannot be had.
    """
    if _use_unsloth(wanted):
        return _with_unsloth(wanted)
    return adapted(load(wanted.model, quantize=wanted.quantize), wanted)


def _use_unsloth(wanted: TrainConfig) -> bool:
    installed = importlib.util.find_spec("unsloth") is not None
    if wanted.unsloth and not installed:
        raise SettingsError("unsloth: not installed (pip install -e '.[gpu]'), or set unsloth=no")
    if wanted.unsloth is None:
        return installed and torch.cuda.is_available()
    return wanted.unsloth


def adapted(loaded: Loaded, wanted: TrainConfig) -> Prepared:
    """A fresh adapter on a model that is loaded already."""
    peft: Any = importlib.import_module("peft")
    model = loaded.model
    model.config.use_cache = False
    if wanted.quantize != "none":
        model = peft.prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
    torch.manual_seed(wanted.seed)
    adapter = peft.LoraConfig(
        r=wanted.rank,
        lora_alpha=wanted.alpha,
        lora_dropout=wanted.dropout,
        target_modules=list(TARGETS),
        bias="none",
        task_type="CAUSAL_LM",
    )
    return Prepared(
        peft.get_peft_model(model, adapter),
        loaded.tokenizer,
        loaded.device.type,
        "peft",
        loaded.revision or "local",
        eight_bit_optimizer=importlib.util.find_spec("bitsandbytes") is not None,
    )


def _with_unsloth(wanted: TrainConfig) -> Prepared:
    unsloth: Any = importlib.import_module("unsloth")
    logs.event("train.unsloth", version=getattr(unsloth, "__version__", ""))
    model, tokenizer = unsloth.FastModel.from_pretrained(
        model_name=wanted.model,
        max_seq_length=wanted.max_length,
        load_in_4bit=wanted.quantize == "4bit",
        load_in_8bit=wanted.quantize == "8bit",
        full_finetuning=False,
    )
    model = unsloth.FastModel.get_peft_model(
        model,
        finetune_vision_layers=False,
        finetune_language_layers=True,
        finetune_attention_modules=True,
        finetune_mlp_modules=True,
        # Without a GPU it does not heed the first of these, and the engine serves no vision tower.
        target_modules=TEXT_ONLY,
        r=wanted.rank,
        lora_alpha=wanted.alpha,
        lora_dropout=wanted.dropout,
        bias="none",
        random_state=wanted.seed,
    )
    gpu = torch.cuda.is_available()
    return Prepared(
        model,
        # A multimodal checkpoint comes with a processor around its tokenizer.
        getattr(tokenizer, "tokenizer", tokenizer),
        "cuda" if gpu else "cpu",
        "unsloth",
        str(getattr(model.config, "_commit_hash", None) or "local"),
        eight_bit_optimizer=gpu,
    )
