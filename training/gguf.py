"""A merged model as a GGUF file, by llama.cpp's own converter, and a look at what came out.

The converter is llama.cpp's convert_hf_to_gguf.py: where LLAMA_CPP points, or where Unsloth has put
its copy. It runs as a process of its own, without our secrets and without the network.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

from core.errors import ReleaseUnusable, SettingsError
from training.gguf_file import CONTROL, USER_DEFINED, token_kinds

Bits = Literal["bf16", "f16", "q8_0", "q6_k", "q5_k_m", "q4_k_m"]
BITS: Final[tuple[Bits, ...]] = get_args(Bits)
#: What the converter writes by itself; the others go through llama-quantize.
DIRECT: Final = frozenset({"bf16", "f16", "q8_0"})
CONVERTER: Final = "convert_hf_to_gguf.py"
QUANTIZER: Final = "llama-quantize"
#: Where Unsloth keeps the llama.cpp that it gets for its own exports.
UNSLOTH: Final = Path("~/.unsloth/llama.cpp")
#: Tokens that must never be cut into letters: a prompt would look like anybody's text.
MARKS: Final = ("<start_of_turn>", "<end_of_turn>", "<bos>", "<eos>")
#: What a process of somebody else's needs of our environment; settings and tokens stay here.
_PASSED: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "OMP_NUM_THREADS")
_WHERE: Final = (
    "git clone --depth 1 https://github.com/ggml-org/llama.cpp, and set LLAMA_CPP to that folder"
)


@dataclass(frozen=True, slots=True)
class Tools:
    """The converter, and the quantizer where there is one."""

    converter: Path
    quantizer: Path | None = None


def find_tools(llama_cpp: str, bits: Bits, *, home: Path | None = None) -> Tools:
    """What is needed to write `bits`. `llama_cpp` is the setting; empty: Unsloth's copy.

    Raises SettingsError saying how to get what is missing.
    """
    root = Path(llama_cpp).expanduser() if llama_cpp else home or UNSLOTH.expanduser()
    converter = root / CONVERTER
    if not converter.is_file():
        what = f"{root} holds no {CONVERTER}" if llama_cpp else f"there is no {CONVERTER} here"
        raise SettingsError(f"LLAMA_CPP: {what}: {_WHERE}")
    places = (root / "build" / "bin" / QUANTIZER, root / QUANTIZER)
    there = next((str(place) for place in places if place.is_file()), None)
    quantizer = there or shutil.which(QUANTIZER)
    if bits not in DIRECT and quantizer is None:
        raise SettingsError(
            f"{bits} needs {QUANTIZER}, which {root} does not hold: build it there (cmake -B build "
            f"&& cmake --build build --target {QUANTIZER}), or choose q8_0, which needs none"
        )
    return Tools(converter, Path(quantizer) if quantizer else None)


def convert(model: Path, target: Path, bits: Bits, tools: Tools, log: Path) -> None:
    """Write the merged model in a folder as a GGUF file; `log` takes what the programs say.

    Raises ReleaseUnusable when they fail, or when the file would mistake turns for words.
    """
    direct = target if bits in DIRECT else target.with_suffix(".bf16")
    kind = bits if bits in DIRECT else "bf16"
    words = [str(tools.converter), str(model), "--outfile", str(direct), "--outtype", kind]
    try:
        _run([sys.executable, *words], log)
        if direct != target:
            _run([str(tools.quantizer), str(direct), str(target), bits.upper()], log)
        check(target)
    except ReleaseUnusable:
        target.unlink(missing_ok=True)
        raise
    finally:
        if direct != target:
            direct.unlink(missing_ok=True)


def check(file: Path) -> None:
    """Refuse a file that would cut the marks of a turn into letters. Raises ReleaseUnusable."""
    kinds = token_kinds(file)
    wrong = [mark for mark in MARKS if kinds.get(mark) not in (CONTROL, USER_DEFINED)]
    if wrong:
        raise ReleaseUnusable(
            f"the converter took {wrong[0]} for ordinary letters: it found no added_tokens_decoder "
            "in tokenizer_config.json. Use a base model with its original tokenizer files"
        )


def _run(command: list[str], log: Path) -> None:
    with log.open("ab") as file:
        done = subprocess.run(  # noqa: S603 -- the programs that the operator pointed at
            command,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            env=_environment(os.environ),
            check=False,
        )
    if done.returncode:
        name = next((Path(word).name for word in command if CONVERTER in word), QUANTIZER)
        raise ReleaseUnusable(f"{name} ended with {done.returncode}: {_last(log)} (see {log})")


def _environment(ours: Mapping[str, str]) -> dict[str, str]:
    kept = {name: ours[name] for name in _PASSED if name in ours}
    return {**kept, "HF_HUB_OFFLINE": "1"}


def _last(log: Path) -> str:
    lines = log.read_text("utf-8", "replace").strip().splitlines()
    return lines[-1][:200] if lines else "it said nothing"
