"""A LoRA adapter read from its folder and proven fit for the model it will be put beside.

What is not caught here is served: an adapter whose keys are named for another class loads without
an error and changes nothing. Knows files and numbers; puts nothing into a model.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import sqrt
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor
from transformers import PreTrainedConfig

from core.errors import ReleaseUnusable
from inference.engine import Release

WEIGHTS, CONFIG, MANIFEST = "adapter_model.safetensors", "adapter_config.json", "release.json"
#: A JSON file of an adapter that is longer is none.
MOST_JSON = 1 << 20
MOST_RANK = 256
NUMBERS = ("F32", "F16", "BF16")
#: Where training puts the text layers: in the text class, and in the multimodal one since
#: transformers 4.52 and before.
KEY = re.compile(
    r"base_model\.model\.(?:model\.language_model\.|language_model\.model\.|model\.)"
    r"(?P<path>layers\.\d{1,4}\.[a-z_.]{1,40}?)\.lora_(?P<half>[AB])(?:\.default)?\.weight"
)
#: Kinds of LoRA that this engine does not compute, by the field of adapter_config.json that is set.
FOREIGN = {
    "use_dora": "it is a DoRA adapter",
    "modules_to_save": "it carries whole layers (modules_to_save)",
    "rank_pattern": "its layers have ranks of their own (rank_pattern)",
    "alpha_pattern": "its layers have scales of their own (alpha_pattern)",
    "layer_replication": "it repeats layers (layer_replication)",
    "lora_bias": "it has biases (lora_bias)",
    "fan_in_fan_out": "its weights are stored the other way round (fan_in_fan_out)",
    "trainable_token_indices": "it changes tokens (trainable_token_indices)",
    "target_parameters": "it changes single parameters (target_parameters)",
    "alora_invocation_tokens": "it is an activated LoRA (alora_invocation_tokens)",
    "use_qalora": "it is a QALoRA adapter",
    "use_bdlora": "it is a block-diagonal LoRA",
}
#: Ways to begin training that leave the base model as it is; others take a part out of it.
PLAIN_STARTS = (True, False, "gaussian", "orthogonal", "eva")


@dataclass(frozen=True, slots=True)
class Adapter:
    """What a release adds to a layer: `scaling * B(A(x))`, (A, B) by the layer's path."""

    rank: int
    alpha: float
    rslora: bool
    targets: tuple[str, ...]
    scaling: float
    weights: Mapping[str, tuple[Tensor, Tensor]] = field(repr=False)


def read(release: Release, config: PreTrainedConfig) -> Adapter:
    """The adapter in a release's folder, for a text model of this configuration.

    Raises ReleaseUnusable with the reason, for the operator.
    """
    folder = Path(release.folder)
    file = _weights_file(folder)
    said = _json(folder / CONFIG)
    manifest = _json(folder / MANIFEST) if (folder / MANIFEST).exists() else {}
    _check_sums(folder, manifest)
    _check_base(config.name_or_path, said.get("base_model_name_or_path"))
    _check_base(config.name_or_path, manifest.get("base_model"))
    rank, alpha, rslora = _check_kind(said)
    sizes = layers(config)
    _check_size(file, sizes)
    weights = _tensors(file, sizes, rank)
    _check_layers(weights, sizes, said.get("layers_to_transform"))
    targets = tuple(sorted({path.rpartition(".")[2] for path in weights}))
    _check_targets(targets, said.get("target_modules"))
    return Adapter(rank, alpha, rslora, targets, alpha / (sqrt(rank) if rslora else rank), weights)


def layers(config: PreTrainedConfig) -> dict[str, tuple[int, int]]:
    """The linear layers of a text model by path, each with its outputs and inputs."""
    hidden, inner = config.hidden_size, config.intermediate_size
    query = config.num_attention_heads * config.head_dim
    key = config.num_key_value_heads * config.head_dim
    parts = {
        "self_attn.q_proj": (query, hidden),
        "self_attn.k_proj": (key, hidden),
        "self_attn.v_proj": (key, hidden),
        "self_attn.o_proj": (hidden, query),
        "mlp.gate_proj": (inner, hidden),
        "mlp.up_proj": (inner, hidden),
        "mlp.down_proj": (hidden, inner),
    }
    return {
        f"layers.{number}.{part}": size
        for number in range(config.num_hidden_layers)
        for part, size in parts.items()
    }


def _weights_file(folder: Path) -> Path:
    if not folder.is_dir():
        raise ReleaseUnusable(f"its folder {folder} does not exist")
    file = folder / WEIGHTS
    if file.is_file():
        return file
    if any(folder.glob("*.bin")) or any(folder.glob("*.pt")):
        raise ReleaseUnusable(
            f"it is saved as a pickle, which can run code when it is read: save it as {WEIGHTS}"
        )
    if (folder / "config.json").is_file():
        raise ReleaseUnusable("it is a whole model, not an adapter: set MODEL to its folder")
    raise ReleaseUnusable(f"{WEIGHTS} is missing")


def _json(file: Path) -> dict[str, Any]:
    try:
        if file.stat().st_size > MOST_JSON:
            raise ReleaseUnusable(f"{file.name} is too long")
        said = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ReleaseUnusable(f"{file.name} is missing") from None
    except (OSError, ValueError, RecursionError):
        raise ReleaseUnusable(f"{file.name} cannot be read") from None
    if not isinstance(said, dict):
        raise ReleaseUnusable(f"{file.name} cannot be read")
    return said


def _check_sums(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Where the folder is sealed, both files are the ones that were sealed."""
    if not manifest:
        return
    sums = manifest.get("files")
    for name in (CONFIG, WEIGHTS):
        known = sums.get(name) if isinstance(sums, dict) else None
        if known is None:
            raise ReleaseUnusable(f"{MANIFEST} does not name {name}")
        with (folder / name).open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != known:
                raise ReleaseUnusable(f"{name} is not the file that was sealed: its sum is another")


def _check_base(serving: str, made_for: object) -> None:
    """Two models of one size take the same adapter and give nonsense: compare their names."""
    if not serving or not isinstance(made_for, str) or not made_for:
        return
    if _bare(made_for) != _bare(serving):
        raise ReleaseUnusable(
            f"it was made for {made_for}, and this engine serves {serving}: train it again on that"
        )


def _bare(name: str) -> str:
    """A model's name without its owner, place and precision, for comparison."""
    cached = re.search(r"models--[^/]+?--([^/]+)/snapshots/", name)
    last = cached[1] if cached else name.rstrip("/").rpartition("/")[2]
    return re.sub(r"(-unsloth)?(-bnb-4bit)?$", "", last.lower())


def _check_kind(said: Mapping[str, Any]) -> tuple[int, float, bool]:
    """Rank, alpha and whether the scale goes by the root, of a plain LoRA."""
    if said.get("peft_type") != "LORA":
        raise ReleaseUnusable(f"it is no LoRA adapter but {str(said.get('peft_type'))[:40]}")
    for name, what in FOREIGN.items():
        if said.get(name):
            raise ReleaseUnusable(f"{what}: train a plain LoRA")
    if said.get("bias", "none") != "none":
        raise ReleaseUnusable('it has biases: train a plain LoRA (bias="none")')
    if said.get("init_lora_weights", True) not in PLAIN_STARTS:
        raise ReleaseUnusable("it takes a part out of the base model (init_lora_weights)")
    rank, alpha = said.get("r"), said.get("lora_alpha")
    if type(rank) is not int or not 1 <= rank <= MOST_RANK:
        raise ReleaseUnusable(f"its rank (r) is not from 1 to {MOST_RANK}")
    if not isinstance(alpha, (int, float)) or not 0 < alpha < 1e6:
        raise ReleaseUnusable("its lora_alpha is no number above zero")
    return rank, float(alpha), bool(said.get("use_rslora"))


def _check_size(file: Path, sizes: Mapping[str, tuple[int, int]]) -> None:
    most = 4 * MOST_RANK * sum(map(sum, sizes.values())) + MOST_JSON
    if file.stat().st_size > most:
        raise ReleaseUnusable(f"{WEIGHTS} is larger than any adapter of this model")


def _tensors(
    file: Path, sizes: Mapping[str, tuple[int, int]], rank: int
) -> dict[str, tuple[Tensor, Tensor]]:
    try:
        with safe_open(file, framework="pt") as stored:
            halves = _halves(stored, sizes, rank)
    except (SafetensorError, OSError):
        raise ReleaseUnusable(f"{WEIGHTS} is damaged or was cut short") from None
    alone = sorted(p for p, _ in halves if not {(p, "A"), (p, "B")} <= halves.keys())
    if alone:
        raise ReleaseUnusable(f"{alone[0]} has only one of lora_A and lora_B")
    if not any(tensor.any() for (_, half), tensor in halves.items() if half == "B"):
        raise ReleaseUnusable("lora_B is zero everywhere: it changes nothing, it was never trained")
    return {path: (halves[path, "A"], halves[path, "B"]) for path, half in halves if half == "A"}


def _halves(
    stored: Any, sizes: Mapping[str, tuple[int, int]], rank: int
) -> dict[tuple[str, str], Tensor]:
    """Every tensor by its layer's path and its half, each fit for its layer."""
    found: dict[tuple[str, str], Tensor] = {}
    for key in stored.keys():  # noqa: SIM118 (no mapping)
        path, half = _place(key, sizes)
        outputs, inputs = sizes[path]
        form = stored.get_slice(key)
        wanted = [rank, inputs] if half == "A" else [outputs, rank]
        if form.get_shape() != wanted:
            raise ReleaseUnusable(f"{path} is {form.get_shape()} in lora_{half}, not {wanted}")
        if form.get_dtype() not in NUMBERS:
            raise ReleaseUnusable(f"{path} is stored as {form.get_dtype()}")
        if (path, half) in found:
            raise ReleaseUnusable(f"{path} has lora_{half} twice")
        tensor = found[path, half] = stored.get_tensor(key)
        if not torch.isfinite(tensor).all():
            raise ReleaseUnusable(f"{path} holds values that are no numbers: its training failed")
    if not found:
        raise ReleaseUnusable(f"{WEIGHTS} holds no weights")
    return found


def _place(key: str, sizes: Mapping[str, tuple[int, int]]) -> tuple[str, str]:
    """Which layer a key is for, and which half. Every key must have one."""
    match = KEY.fullmatch(key)
    if match and match["path"] in sizes:
        return match["path"], match["half"]
    if "vision" in key or "multi_modal" in key:
        raise ReleaseUnusable("it changes how images are seen: train the language layers only")
    raise ReleaseUnusable(f"{key[:120]} names no layer of the model that is served")


def _check_layers(
    weights: Mapping[str, object], sizes: Mapping[str, object], chosen: object
) -> None:
    """What is adapted in one layer is so in all, unless the configuration says which."""
    if chosen is not None:
        return
    parts = {path.split(".", 2)[2] for path in weights}
    lacking = [p for p in sizes if p.split(".", 2)[2] in parts and p not in weights]
    if lacking:
        raise ReleaseUnusable(
            f"{len(lacking)} layers have no weights ({lacking[0]}): it is not whole"
        )


def _check_targets(targets: tuple[str, ...], wanted: object) -> None:
    """A list of targets is met; a pattern is not tried: who wrote it could stop us with it."""
    names = wanted if isinstance(wanted, list) else []
    lacking = {str(name).rpartition(".")[2] for name in names} - set(targets)
    if lacking:
        raise ReleaseUnusable(f"it has no weights for {', '.join(sorted(lacking))[:120]}")
