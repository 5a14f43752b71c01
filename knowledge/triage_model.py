"""The trained half of the triage: a linear scorer over hashed character and word n-grams.

Knows how a keyed message becomes features and how saved weights score it. Plain arrays and
JSON, no pickle: a model file cannot run code. Does not train and knows no context.
"""

import functools
import io
import json
import re
import zipfile
import zlib
from collections import Counter
from dataclasses import asdict, dataclass
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

FOLDER: Final = Path(__file__).parent / "model"
FORMAT: Final = 4
BITS: Final = 17
BUCKETS: Final = 1 << BITS
CHARS: Final = (3, 4, 5)
MAX_WORDS: Final = 400
_VOWELS: Final = re.compile(r"[aeiouy]")


class ModelError(ValueError):
    """The saved model does not fit this code; the message says why."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Where on the scale from 0 (routine) to 1 (danger) the scorer decides what."""

    threshold: float = 0.5
    support: float = 0.1
    floor: float = 0.02
    ceiling: float = 0.97


@dataclass(frozen=True, slots=True)
class Model:
    """Weights that tell the signs apart and, in the last column, danger from routine.

    `threshold` raises an alarm by itself; word pairs need `support`; under `floor` even a
    pattern is overruled; above `ceiling` a context label is.
    """

    signs: tuple[str, ...]
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    limits: Limits
    version: str

    def danger(self, keyed: str) -> tuple[float, str, dict[str, float]]:
        """Return the probability of any danger, the likeliest sign, and each sign's share."""
        places, values = features(keyed)
        scores = (self.bias + values @ self.weights[places]).astype(np.float64)
        powers = np.exp(scores[:-1] - scores[:-1].max())
        shares = dict(zip(self.signs, (powers / powers.sum()).tolist(), strict=True))
        alarm = min(30.0, max(-30.0, float(scores[-1])))
        danger = 1.0 / (1.0 + float(np.exp(-alarm)))
        return danger, max(shares, key=shares.__getitem__), shares


def features(keyed: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the distinct feature buckets of `keyed` and their weights, of unit length."""
    words = [word for word in keyed.split() if word != "|"][:MAX_WORDS]
    seen: Counter[int] = Counter(chain.from_iterable(map(_word_buckets, words)))
    counts: dict[int, float] = dict(seen)
    for first, second in pairwise(words):
        bucket = _bucket(f"2{first} {second}")
        counts[bucket] = counts.get(bucket, 0.0) + 1.5
    for bucket in chain(_leaps(words), _bare_buckets(words)):
        counts[bucket] = counts.get(bucket, 0.0) + 1.0
    places = np.fromiter(counts, dtype=np.int64, count=len(counts))
    values = np.log1p(np.fromiter(counts.values(), dtype=np.float32, count=len(counts)))
    norm = float(np.sqrt((values * values).sum())) or 1.0
    return places, (values / norm).astype(np.float32)


def _leaps(words: list[str]) -> list[int]:
    """Return features of the words with one word between them."""
    apart = zip(words, words[2:], strict=False)
    return [_bucket(f"3{first} _ {second}") for first, second in apart]


def _bare_buckets(words: list[str]) -> list[int]:
    """Return features of the words without vowels: "mcj sr" is "maciji ya sari" in a hurry."""
    bare = [word for word in map(_bare, words) if len(word) > 1]
    return [
        *(_bucket(f"4{word}") for word in bare),
        *(_bucket(f"5{a} {b}") for a, b in pairwise(bare)),
    ]


@functools.lru_cache(maxsize=20_000)
def _bare(word: str) -> str:
    return _VOWELS.sub("", word)


@functools.lru_cache(maxsize=20_000)
def _word_buckets(word: str) -> tuple[int, ...]:
    framed = f"<{word}>"
    grams = [framed[i : i + n] for n in CHARS for i in range(max(0, len(framed) - n + 1))]
    return tuple(_bucket(gram) for gram in [f"1{word}", f"1{word}", *grams])


def _bucket(text: str) -> int:
    # crc32 is fixed by its standard: the same text lands in the same bucket on every machine.
    return zlib.crc32(text.encode("utf-8", "replace")) & (BUCKETS - 1)


def save(model: Model, folder: Path = FOLDER, name: str = "triage") -> None:
    """Write `model` as 8-bit weights (`name`.npz) and a JSON card (`name`.json), the card last."""
    folder.mkdir(parents=True, exist_ok=True)
    scale = np.abs(model.weights).max(axis=0) / 127.0 + 1e-9
    packed = np.rint(model.weights / scale).astype(np.int8)
    _write_npz(folder / f"{name}.npz", {"packed": packed, "scale": scale, "bias": model.bias})
    card = {
        "format": FORMAT,
        "version": model.version,
        "signs": list(model.signs),
        "limits": asdict(model.limits),
    }
    (folder / f"{name}.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")


def load(folder: Path = FOLDER, name: str = "triage") -> Model:
    """Read the model saved in `folder` as `name`.

    Raises:
        ModelError: the card is of another format or does not fit the weights.
        OSError: a file is missing.
    """
    card: dict[str, Any] = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    if card.get("format") != FORMAT:
        raise ModelError(f"model format {card.get('format')!r}, this code reads {FORMAT}")
    with np.load(folder / f"{name}.npz", allow_pickle=False) as arrays:
        weights = arrays["packed"].astype(np.float32) * arrays["scale"].astype(np.float32)
        bias = arrays["bias"].astype(np.float32)
    if weights.shape != (BUCKETS, len(card["signs"]) + 1):
        raise ModelError(f"weights of shape {weights.shape} for {len(card['signs'])} signs")
    return Model(
        signs=tuple(card["signs"]),
        weights=weights,
        bias=bias,
        limits=Limits(**card["limits"]),
        version=str(card["version"]),
    )


def _write_npz(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    # np.savez stamps the time into the archive; a fixed stamp keeps equal models equal bytes.
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, np.ascontiguousarray(array), allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, buffer.getvalue())
