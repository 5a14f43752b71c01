"""What a GGUF file says of itself, as far as we ask: the kinds of its tokens.

The form is the one of llama.cpp's ggml/docs/gguf.md, versions 2 and 3: a head, then keys with
values, little-endian. Reads no tensor.
"""

import struct
from pathlib import Path
from typing import BinaryIO, Final

from core.errors import ReleaseUnusable

TOKENS: Final = "tokenizer.ggml.tokens"
KINDS: Final = "tokenizer.ggml.token_type"
#: llama.cpp's kinds of a token (enum llama_token_type) that are found whole in a text.
CONTROL, USER_DEFINED = 3, 4
_NUMBERS: Final = {
    0: "<B",
    1: "<b",
    2: "<H",
    3: "<h",
    4: "<I",
    5: "<i",
    6: "<f",
    7: "<?",
    10: "<Q",
    11: "<q",
    12: "<d",
}
_STRING, _ARRAY = 8, 9
_LONGEST: Final = 1 << 26


def token_kinds(file: Path) -> dict[str, int]:
    """Every token of the vocabulary with its kind. Raises ReleaseUnusable for what is no GGUF."""
    try:
        with file.open("rb") as stream:
            found = _wanted(stream)
    except (OSError, struct.error, UnicodeDecodeError) as error:
        raise ReleaseUnusable(f"{file.name} is no whole GGUF ({type(error).__name__})") from None
    if set(found) != {TOKENS, KINDS}:
        raise ReleaseUnusable(f"{file.name} names no tokens and their kinds")
    tokens = (token.decode("utf-8", "replace") for token in found[TOKENS])
    return dict(zip(tokens, found[KINDS], strict=False))


def _wanted(stream: BinaryIO) -> dict[str, list]:  # type: ignore[type-arg]
    if stream.read(4) != b"GGUF" or _number(stream, "<I") not in (2, 3):
        raise struct.error("another form")
    _number(stream, "<Q")  # how many tensors
    found = {}
    for _ in range(_number(stream, "<Q")):
        key, value = _string(stream).decode(), _value(stream, _number(stream, "<I"))
        if key in (TOKENS, KINDS) and isinstance(value, list):
            found[key] = value
    return found


def _value(stream: BinaryIO, kind: int) -> object:
    if kind == _STRING:
        return _string(stream)
    if kind != _ARRAY:
        return _number(stream, _format(kind))
    inner, count = _number(stream, "<I"), _number(stream, "<Q")
    if count > _LONGEST:
        raise struct.error("too long")
    if inner in (_STRING, _ARRAY):
        return [_value(stream, inner) for _ in range(count)]
    form = _format(inner)
    raw = stream.read(count * struct.calcsize(form))
    return list(struct.unpack(f"<{count}{form[1]}", raw))


def _string(stream: BinaryIO) -> bytes:
    size = _number(stream, "<Q")
    if size > _LONGEST:
        raise struct.error("too long")
    raw = stream.read(size)
    if len(raw) != size:
        raise struct.error("cut short")
    return raw


def _format(kind: int) -> str:
    if kind not in _NUMBERS:
        raise struct.error("a kind of value that is not known")
    return _NUMBERS[kind]


def _number(stream: BinaryIO, form: str) -> int:
    size = struct.calcsize(form)
    return int(struct.unpack(form, stream.read(size))[0])
