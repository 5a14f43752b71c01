"""A release merged into its base model: one model in 16 bits that needs no PEFT to be served.

Tensor by tensor and file by file, so that a machine which cannot hold the model can write it, and
computed in float32: merging in 16 bits would round every weight twice. Whatever the adapter does
not change stays as it was published, a vision tower too. Knows no release registry.
"""

import json
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from core.errors import EngineError, ReleaseUnusable
from inference.engine import Release
from inference.gemma import adapter, checkpoint, download
from inference.gemma.adapter import Adapter
from training import merged_files
from training.merged_files import INDEX, SHARD

#: Where checkpoints keep a text layer's weight: alone, and beside a vision tower in both ways.
_KEY: Final = re.compile(
    r"(?:model\.|language_model\.model\.|model\.language_model\.)(layers\.\d+\.[a-z_.]+)\.weight"
)
#: Called with how many tensors are written, and how many there are.
OnStep = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Merged:
    """What was merged: the base model's revision on the hub ("" for a folder), the parameters."""

    revision: str
    parameters: int


def merge(
    release: Release, model: str, out: Path, *, shard: int = SHARD, on_step: OnStep | None = None
) -> Merged:
    """Write base `model` with the release's adapter in it to the new folder `out`.

    `shard` is the most bytes of a file. What `on_step` raises ends it. Raises SettingsError (the
    base model cannot be used), EngineError (it cannot be had), ReleaseUnusable (the adapter is
    damaged or not for it).
    """
    base, revision = download.find(model, lambda stage, done, words: None)
    config = checkpoint.config(model, base, torch.device("cpu"))
    if getattr(config, "quantization_config", None):
        raise ReleaseUnusable(f"{model} is stored in few bits: merge with the model it was made of")
    config.name_or_path = model
    checkpoint.check_files(base)
    added = adapter.read(release, config)
    sources = _sources(base)
    _check_all(added, sources)
    out.mkdir(parents=True)
    parameters = _write(added, sources, out, shard, on_step or (lambda done, all_: None))
    _copy(base, out)
    return Merged(revision, parameters)


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a tensor lies, and what it is."""

    file: Path
    shape: tuple[int, ...]
    floating: bool
    bytes: int


def _sources(base: Path) -> dict[str, _Source]:
    """Every tensor of the base model, in the order of its files."""
    found = {}
    for file in download.shards(base):
        with safe_open(file, framework="pt") as stored:
            for key in stored.keys():  # noqa: SIM118 (no mapping)
                form = stored.get_slice(key)
                shape = tuple(form.get_shape())
                floating = form.get_dtype() in adapter.NUMBERS
                found[key] = _Source(file, shape, floating, prod(shape) * (2 if floating else 8))
    return found


def _check_all(added: Adapter, sources: Mapping[str, _Source]) -> None:
    """Every layer of the adapter has one weight in the base model: nothing may be left out."""
    there = [match[1] for key in sources if (match := _KEY.fullmatch(key))]
    lacking = sorted(set(added.weights) - set(there))
    if lacking or len(there) != len(set(there)):
        raise ReleaseUnusable(f"the base model has no weight for {(lacking or there)[0]}")


def _write(
    added: Adapter, sources: Mapping[str, _Source], out: Path, shard: int, on_step: OnStep
) -> int:
    sizes = {key: source.bytes for key, source in sources.items()}
    parts = merged_files.shards(sizes, shard)
    done = 0
    for part, name in zip(parts, merged_files.file_names(len(parts)), strict=True):
        tensors = {}
        for key in part:
            tensors[key] = _merged(key, sources[key], added)
            done += 1
            on_step(done, len(sources))
        save_file(tensors, out / name, metadata={"format": "pt"})
        # It is written for our account alone; a model server has another.
        (out / name).chmod(0o644)
    if len(parts) > 1:
        whole = merged_files.index(parts, sum(sizes.values()))
        (out / INDEX).write_text(merged_files.as_json(whole), "utf-8")
    return sum(prod(source.shape) for source in sources.values())


def _merged(key: str, source: _Source, added: Adapter) -> Tensor:
    """One tensor of the merged model, in bfloat16: Gemma-3 overflows in float16."""
    with safe_open(source.file, framework="pt") as stored:
        tensor: Tensor = stored.get_tensor(key)
    match = _KEY.fullmatch(key)
    halves = added.weights.get(match[1]) if match else None
    if halves is None:
        return tensor.to(torch.bfloat16) if source.floating else tensor
    down, up = (half.float() for half in halves)
    return tensor.float().addmm_(up, down, alpha=added.scaling).to(torch.bfloat16)


def _copy(base: Path, out: Path) -> None:
    names = [path.name for path in base.iterdir() if path.is_file()]
    for name in merged_files.carried(names):
        shutil.copyfile(base / name, out / name)
    config = merged_files.sixteen_bits(_json(base / "config.json"))
    (out / "config.json").write_text(merged_files.as_json(config), "utf-8")
    if {"tokenizer_config.json", "tokenizer.json"} <= set(names):
        said = merged_files.with_added_tokens(
            _json(base / "tokenizer_config.json"), _json(base / "tokenizer.json")
        )
        (out / "tokenizer_config.json").write_text(merged_files.as_json(said), "utf-8")


def _json(file: Path) -> dict[str, Any]:
    try:
        said = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        raise EngineError(f"{file} cannot be read") from None
    return said if isinstance(said, dict) else {}
