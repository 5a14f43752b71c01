"""Hashed character and word n-grams of a keyed message, and the file of weights over them.

What every trained scorer of this project shares: triage, library and guard. Plain arrays and
JSON, no pickle: a model file cannot run code. Knows neither signs nor topics, and does not train.
"""

import functools
import hashlib
import io
import json
import logging
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

log = logging.getLogger(__name__)

BITS: Final = 17
BUCKETS: Final = 1 << BITS
CHARS: Final = (3, 4, 5)
MAX_WORDS: Final = 400
_VOWELS: Final = re.compile(r"[aeiouy]")

Weights = NDArray[np.float32]
Features = tuple[NDArray[np.int64], Weights]
_Model = TypeVar("_Model")


class ModelError(ValueError):
    """The saved model does not fit this code; the message says why."""


@dataclass(frozen=True, slots=True)
class Table:
    """Linear scorers side by side: a row of `weights` for each bucket, a column for each scorer."""

    weights: Weights
    bias: Weights

    @classmethod
    def of(cls, weights: NDArray[np.float64], bias: NDArray[np.float64]) -> "Table":
        """Hold what scikit-learn has fitted: a row of `weights` for each scorer."""
        return cls(weights.T.astype(np.float32), bias.astype(np.float32))

    def digest(self) -> str:
        """Return a name for the weights that changes whenever they do."""
        return hashlib.sha256(np.round(self.weights, 4).tobytes()).hexdigest()[:12]

    def scores(self, found: Features) -> NDArray[np.float64]:
        """Return what every column makes of the features `found`."""
        places, values = found
        return (self.bias + values @ self.weights[places]).astype(np.float64)


def features(keyed: str) -> Features:
    """Return the distinct feature buckets of `keyed` and their weights, of unit length."""
    words = words_of(keyed)
    seen: Counter[int] = Counter(chain.from_iterable(map(_word_buckets, words)))
    counts: dict[int, float] = dict(seen)
    for first, second in pairwise(words):
        bucket = bucket_of(f"2{first} {second}")
        counts[bucket] = counts.get(bucket, 0.0) + 1.5
    for bucket in chain(_leaps(words), _bare_buckets(words)):
        counts[bucket] = counts.get(bucket, 0.0) + 1.0
    return weighed(counts)


def words_of(keyed: str) -> list[str]:
    """Return the words of `keyed`, at most `MAX_WORDS`."""
    return keyed.split()[:MAX_WORDS]


def weighed(counts: Mapping[int, float]) -> Features:
    """Return buckets and the logarithms of their counts, made of unit length."""
    places = np.fromiter(counts, dtype=np.int64, count=len(counts))
    values = np.log1p(np.fromiter(counts.values(), dtype=np.float32, count=len(counts)))
    norm = float(np.sqrt((values * values).sum())) or 1.0
    return places, (values / norm).astype(np.float32)


def _leaps(words: list[str]) -> list[int]:
    """Return features of the words with one word between them."""
    apart = zip(words, words[2:], strict=False)
    return [bucket_of(f"3{first} _ {second}") for first, second in apart]


def _bare_buckets(words: list[str]) -> list[int]:
    """Return features of the words without vowels: "mcj sr" is "maciji ya sari" in a hurry."""
    bare = [word for word in map(_bare, words) if len(word) > 1]
    return [
        *(bucket_of(f"4{word}") for word in bare),
        *(bucket_of(f"5{a} {b}") for a, b in pairwise(bare)),
    ]


@functools.lru_cache(maxsize=20_000)
def _bare(word: str) -> str:
    return _VOWELS.sub("", word)


@functools.lru_cache(maxsize=20_000)
def _word_buckets(word: str) -> tuple[int, ...]:
    framed = f"<{word}>"
    grams = [framed[i : i + n] for n in CHARS for i in range(max(0, len(framed) - n + 1))]
    return tuple(bucket_of(gram) for gram in [f"1{word}", f"1{word}", *grams])


def bucket_of(text: str, buckets: int = BUCKETS) -> int:
    """Return the bucket of a feature; `buckets` is a power of two."""
    # crc32 is fixed by its standard: the same text lands in the same bucket on every machine.
    return zlib.crc32(text.encode("utf-8", "replace")) & (buckets - 1)


def save(folder: Path, name: str, card: Mapping[str, Any], **tables: Table) -> None:
    """Write `tables` with 8-bit weights to `name`.npz and `card` to `name`.json, the card last."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, NDArray[Any]] = {}
    for label, table in tables.items():
        scale = np.abs(table.weights).max(axis=0) / 127.0 + 1e-9
        arrays[f"{label}_packed"] = np.rint(table.weights / scale).astype(np.int8)
        arrays[f"{label}_scale"] = scale.astype(np.float32)
        arrays[f"{label}_bias"] = table.bias
    _write_npz(folder / f"{name}.npz", arrays)
    (folder / f"{name}.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")


def read_card(folder: Path, name: str, form: int) -> dict[str, Any]:
    """Read the card of the model `name`.

    Raises:
        ModelError: it is of another format than `form`.
        OSError: it is missing.
    """
    card: dict[str, Any] = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    if card.get("format") != form:
        raise ModelError(f"model format {card.get('format')!r}, this code reads {form}")
    return card


def read_table(folder: Path, name: str, label: str, shape: tuple[int, int]) -> Table:
    """Read the table `label` of `name`.npz, which has `shape` (buckets, columns).

    Raises:
        ModelError: it is of another shape.
        OSError: the file is missing.
        KeyError: the file has no such table.
    """
    with np.load(folder / f"{name}.npz", allow_pickle=False) as arrays:
        packed = arrays[f"{label}_packed"]
        if packed.shape != shape:
            raise ModelError(f"weights of shape {packed.shape}, the card asks for {shape}")
        weights = packed.astype(np.float32) * arrays[f"{label}_scale"]
        return Table(weights, arrays[f"{label}_bias"])


def usable(
    what: str, load: Callable[[Path], _Model], folder: Path, otherwise: str
) -> _Model | None:
    """Return the model that `load` reads from `folder`; None, and logged, when there is none.

    `what` names it in the log, and `otherwise` what decides without it.
    """
    try:
        return load(folder)
    except (OSError, ModelError, KeyError, ValueError):
        log.exception("no usable %s in %s; %s", what, folder, otherwise)
        return None


def _write_npz(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    # np.savez stamps the time into the archive; a fixed stamp keeps equal models equal bytes.
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, np.ascontiguousarray(array), allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, buffer.getvalue())
