"""What a merged model's folder is made of, but for its weights: which files, in which parts.

Pure. Knows the forms in which Hugging Face checkpoints are kept; computes with no tensor.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

#: Bytes of one file of weights: a machine with little memory can write and read it.
SHARD: Final = 2_000_000_000
INDEX: Final = "model.safetensors.index.json"
#: What transformers before 5 kept of a token in tokenizer_config.json.
_KEPT: Final = ("content", "lstrip", "normalized", "rstrip", "single_word", "special")


def shards(sizes: Mapping[str, int], most: int = SHARD) -> list[list[str]]:
    """Tensor names in their order, `most` bytes to a file; a larger tensor has a file alone."""
    parts: list[list[str]] = [[]]
    room = most
    for name, size in sizes.items():
        if size > room and parts[-1]:
            parts.append([])
            room = most
        parts[-1].append(name)
        room -= size
    return parts


def file_names(count: int) -> list[str]:
    """What the files of weights are called, as transformers and vLLM look for them."""
    if count == 1:
        return ["model.safetensors"]
    return [f"model-{number:05}-of-{count:05}.safetensors" for number in range(1, count + 1)]


def index(parts: Sequence[Sequence[str]], total: int) -> dict[str, Any]:
    """Which tensor lies in which file; `total` is the bytes of all tensors."""
    names = file_names(len(parts))
    places = {name: file for part, file in zip(parts, names, strict=True) for name in part}
    return {"metadata": {"total_size": total}, "weight_map": places}


def sixteen_bits(config: Mapping[str, Any]) -> dict[str, Any]:
    """A config.json whose weights are bfloat16 from now on, in all its parts."""
    kept = {
        key: sixteen_bits(value) if key.endswith("_config") and isinstance(value, dict) else value
        for key, value in config.items()
    }
    named = [key for key in ("dtype", "torch_dtype") if key in config]
    return kept | dict.fromkeys(named, "bfloat16")


def with_added_tokens(config: Mapping[str, Any], tokenizer: Mapping[str, Any]) -> dict[str, Any]:
    """A tokenizer_config.json that says which tokens are special, as llama.cpp's converter needs.

    transformers 5 leaves `added_tokens_decoder` out, and the converter then takes
    <start_of_turn> for ordinary letters. `tokenizer` is tokenizer.json, which has them too.
    """
    if config.get("added_tokens_decoder") or not tokenizer.get("added_tokens"):
        return dict(config)
    rows = {
        str(token["id"]): {key: token[key] for key in _KEPT if key in token}
        for token in tokenizer["added_tokens"]
    }
    return {**config, "added_tokens_decoder": rows}


def carried(names: Iterable[str]) -> list[str]:
    """The files of the base model that the merged one has as they are: tokenizer, template, mark.

    Weights, their index and config.json are written anew.
    """
    kept = (
        name for name in names if name.endswith((".json", ".jinja")) or name == "tokenizer.model"
    )
    return sorted(name for name in kept if name not in (INDEX, "config.json"))


def as_json(value: object) -> str:
    """JSON as these files are written."""
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"
