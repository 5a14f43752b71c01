"""A checkpoint's folder: one on the disk as it is, one of the hub from the cache or downloaded.

Knows which files a text model needs and says what is wrong when they cannot be had. Does not read
them: that is `inference.gemma.load`.
"""

import errno
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from huggingface_hub import errors, snapshot_download
from tqdm.std import tqdm

from core.errors import EngineAbsent, LafiyaError, SettingsError

#: Called with a stage (download, load, warm), how much of it is done (0 to 1) and words for people.
OnProgress = Callable[[str, float, str], None]
WANTED = ["*.json", "*.jinja", "*.safetensors", "tokenizer.model"]
#: Other forms of the same weights, in folders of their own.
UNWANTED = ["*/*"]
INDEX = "model.safetensors.index.json"


def find(
    model: str,
    on_progress: OnProgress,
    *,
    cache: Path | None = None,
    endpoint: str | None = None,
) -> tuple[Path, str]:
    """The folder of a model and its revision on the hub ("" for a folder of one's own).

    What the cache holds whole is taken as it is, so that a start needs no network and the base
    model of the releases does not change. Raises SettingsError (there is no such model, no access,
    no checkpoint in the folder) and EngineAbsent (the hub cannot be reached). What `on_progress`
    raises ends the download.
    """
    if Path(model).exists() or model.startswith(("/", "./", "../", "~")):
        return _own(Path(model).expanduser()), ""
    place: dict[str, Any] = {
        "allow_patterns": WANTED,
        "ignore_patterns": UNWANTED,
        "cache_dir": cache,
        "endpoint": endpoint,
    }
    try:
        folder = _cached(model, place) or _fetched(model, place, on_progress)
    except errors.HFValidationError:
        raise SettingsError(
            f"MODEL: {model!r} is neither a folder nor a hub id (owner/name)"
        ) from None
    except Exception as error:
        known = _named(model, error)
        if known is None:
            raise
        raise known from None
    lack = missing(folder)
    if lack:
        raise SettingsError(f"MODEL: {model} is no checkpoint that can be loaded: no {lack}")
    return folder, folder.name


def missing(folder: Path) -> str:
    """What a checkpoint lacks, in words; empty when nothing."""
    if not (folder / "config.json").is_file():
        return "config.json"
    if not any((folder / name).is_file() for name in ("tokenizer.json", "tokenizer.model")):
        return "tokenizer.json"
    lacking = [file.name for file in shards(folder) if not file.is_file()]
    return ", ".join(lacking[:3])


def shards(folder: Path) -> list[Path]:
    """The files that hold the weights, whether they are there or not. Raises SettingsError."""
    try:
        index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        return sorted({folder / name for name in index["weight_map"].values()})
    except FileNotFoundError:
        return [folder / "model.safetensors"]
    except (ValueError, KeyError, AttributeError, TypeError):
        raise SettingsError(f"MODEL: {folder / INDEX} is damaged") from None


def _own(folder: Path) -> Path:
    if not folder.is_dir():
        raise SettingsError(f"MODEL: the folder {folder} does not exist")
    lack = missing(folder)
    if not lack:
        return folder
    hint = ""
    if (folder / "adapter_config.json").is_file():
        hint = ". It holds an adapter: MODEL is the base model, an adapter is a release"
    elif any(folder.glob("*.gguf")):
        hint = ". It holds a GGUF file: serve that with llama.cpp and ENGINE=openai"
    raise SettingsError(f"MODEL: {folder} holds no checkpoint that can be loaded: no {lack}{hint}")


def _cached(model: str, place: dict[str, Any]) -> Path | None:
    try:
        folder = Path(snapshot_download(model, local_files_only=True, **place))
    except errors.LocalEntryNotFoundError:
        return None
    return None if missing(folder) else folder


def _fetched(model: str, place: dict[str, Any], on_progress: OnProgress) -> Path:
    on_progress("download", 0.0, "")
    return Path(snapshot_download(model, tqdm_class=_bar(on_progress), **place))


def _named(model: str, error: Exception) -> LafiyaError | None:
    """The hub's refusal as a sentence that says what to do; None for what it is not."""
    # A refusal without the hub's own code is told as a file that is not in the cache.
    match error.__cause__ if isinstance(error.__cause__, errors.HfHubHTTPError) else error:
        case errors.GatedRepoError():
            return SettingsError(
                f"MODEL: {model} is only given to those who have accepted its terms: do that on "
                "its page and set HF_TOKEN, or use a copy that is open (unsloth/gemma-3-4b-it)"
            )
        case errors.RepositoryNotFoundError():
            return SettingsError(
                f"MODEL: the hub has no {model}, or not for you: check the name, or set HF_TOKEN"
            )
        case errors.HfHubHTTPError(response=response) if response.status_code in (401, 403):
            return SettingsError(f"MODEL: the hub refused {model}: check HF_TOKEN")
        case errors.LocalEntryNotFoundError() | httpx.TransportError() | errors.HfHubHTTPError():
            return EngineAbsent(
                f"MODEL: {model} is not on this machine and the hub cannot be reached: connect "
                "it once, or set MODEL to a folder that holds the checkpoint"
            )
        case OSError(errno=errno.ENOSPC):
            return EngineAbsent(f"MODEL: the disk is full while {model} is downloaded")
    return None


def _bar(on_progress: OnProgress) -> type[Any]:
    """A progress bar that nobody sees and that reports bytes."""

    class Silent(tqdm):
        def __init__(self, *args: Any, **options: Any) -> None:
            options.pop("name", None)
            self._bytes = options.get("unit") == "B"
            super().__init__(*args, **{**options, "disable": True})
            self.total = options.get("total") or 0
            self.n = options.get("initial") or 0

        def update(self, n: float | None = 1) -> None:
            # A disabled bar does not count.
            self.n += n or 0
            if self._bytes and self.total:
                words = f"{self.n / 1e9:.2f} of {self.total / 1e9:.2f} GB"
                on_progress("download", self.n / self.total, words)

    return Silent
