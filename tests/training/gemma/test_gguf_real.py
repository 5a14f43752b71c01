"""A merged model through llama.cpp's own converter. Not in the ordinary run (docs/deploy.md):

LAFIYA_LLAMA_CPP=<folder of llama.cpp> .venv/bin/python -m pytest -m llamacpp <this file>
and, to ask llama.cpp itself, LAFIYA_LLAMACPP=<a Python with llama-cpp-python>.
"""

import importlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from core.errors import ReleaseUnusable
from inference.engine import Release
from inference.gemma import tiny as small
from inference.gemma.load import load
from tests.inference.gemma.conftest import adapter_a, tiny_multimodal
from training import gguf
from training.gemma.merge import merge
from training.gguf_file import CONTROL, USER_DEFINED, token_kinds

__all__ = ["adapter_a", "tiny_multimodal"]

pytestmark = pytest.mark.llamacpp
#: What a piece of the vocabulary is to sentencepiece (ModelProto.SentencePiece.Type).
NORMAL, UNKNOWN, SPECIAL, WHOLE, BYTE = 1, 2, 3, 4, 6


@pytest.fixture(scope="module")
def llama_cpp() -> str:
    """The folder of llama.cpp."""
    folder = os.environ.get("LAFIYA_LLAMA_CPP", "")
    if not folder:
        pytest.skip("LAFIYA_LLAMA_CPP names no folder of llama.cpp")
    return folder


def write_sentencepiece(folder: Path) -> None:
    """tokenizer.model beside tokenizer.json, as Gemma-3 is published with both."""
    proto: Any = importlib.import_module("sentencepiece.sentencepiece_model_pb2")
    vocab = json.loads((folder / "tokenizer.json").read_text("utf-8"))["model"]["vocab"]
    model = proto.ModelProto()
    model.trainer_spec.model_type = 2  # byte pair encoding
    model.trainer_spec.byte_fallback = True
    for name, number in (("pad", 0), ("eos", 1), ("bos", 2), ("unk", 3)):
        setattr(model.trainer_spec, f"{name}_id", number)
    model.normalizer_spec.add_dummy_prefix = False
    for piece, number in sorted(vocab.items(), key=lambda item: item[1]):
        model.pieces.add(piece=piece, score=-float(number), type=_kind(piece, number))
    (folder / "tokenizer.model").write_bytes(model.SerializeToString())


def _kind(piece: str, number: int) -> int:
    if number < 4:
        return UNKNOWN if number == 3 else SPECIAL
    if piece.startswith("<0x"):
        return BYTE
    return WHOLE if piece.startswith("<") and piece.endswith(">") else NORMAL


@pytest.fixture(scope="module")
def merged(tmp_path_factory: pytest.TempPathFactory, tiny: Path, adapter_a: Path) -> Path:
    """A merged tiny model with both forms of its tokenizer."""
    base = tmp_path_factory.mktemp("models") / tiny.name
    shutil.copytree(tiny, base)
    write_sentencepiece(base)
    out = tmp_path_factory.mktemp("merged") / "model"
    merge(Release("a", str(adapter_a)), str(base), out)
    return out


@pytest.mark.parametrize("bits", ["bf16", "f16", "q8_0"])
def test_turns_stay_whole(merged: Path, llama_cpp: str, tmp_path: Path, bits: gguf.Bits) -> None:
    file, log = tmp_path / "m.gguf", tmp_path / "log.txt"
    gguf.convert(merged, file, bits, gguf.find_tools(llama_cpp, bits), log)
    kinds = token_kinds(file)
    assert {kinds[mark] for mark in gguf.MARKS} <= {CONTROL, USER_DEFINED}
    assert kinds["<0x41>"] not in (CONTROL, USER_DEFINED)


def test_the_text_of_a_model_that_sees(
    tiny_multimodal: Path, llama_cpp: str, tmp_path: Path
) -> None:
    """The published 4B and larger have a vision tower, which the converter leaves out."""
    base = tmp_path / tiny_multimodal.name
    shutil.copytree(tiny_multimodal, base)
    write_sentencepiece(base)
    small.adapter(base, tmp_path / "adapter", seed=3, text_class=False)
    merge(Release("v", str(tmp_path / "adapter")), str(base), tmp_path / "model")
    file = tmp_path / "m.gguf"
    tools = gguf.find_tools(llama_cpp, "f16")
    gguf.convert(tmp_path / "model", file, "f16", tools, tmp_path / "log.txt")
    assert token_kinds(file)["<start_of_turn>"] in (CONTROL, USER_DEFINED)


def test_without_the_tokens_the_check_sees_it(merged: Path, llama_cpp: str, tmp_path: Path) -> None:
    """What transformers 5 writes by itself: the reason why merging adds the tokens."""
    bare = tmp_path / "bare"
    shutil.copytree(merged, bare)
    said = json.loads((bare / "tokenizer_config.json").read_text("utf-8"))
    assert said.pop("added_tokens_decoder")
    (bare / "tokenizer_config.json").write_text(json.dumps(said), "utf-8")
    tools = gguf.find_tools(llama_cpp, "f16")
    with pytest.raises(ReleaseUnusable, match="for ordinary letters"):
        gguf.convert(bare, tmp_path / "m.gguf", "f16", tools, tmp_path / "log.txt")


#: Asks llama.cpp itself, in the Python that has it, which tokens a text is.
TOKENIZE = """
import json, sys
from llama_cpp import Llama
model = Llama(sys.argv[1], vocab_only=True, verbose=False)
print(json.dumps(model.tokenize(sys.argv[2].encode(), add_bos=False, special=True)))
"""


def test_llama_cpp_reads_a_prompt_as_we_do(merged: Path, llama_cpp: str, tmp_path: Path) -> None:
    python = os.environ.get("LAFIYA_LLAMACPP") or pytest.skip("LAFIYA_LLAMACPP names no Python")
    file = tmp_path / "m.gguf"
    tools = gguf.find_tools(llama_cpp, "f16")
    gguf.convert(merged, file, "f16", tools, tmp_path / "log.txt")
    prompt = "<start_of_turn>user\nIna da zazzaɓi<end_of_turn>\n<start_of_turn>model\n"
    command = [python, "-c", TOKENIZE, str(file), prompt]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    ours = load(str(merged)).tokenizer(prompt, add_special_tokens=False).input_ids
    assert json.loads(done.stdout) == ours


def test_a_demo_is_a_demo(merged: Path) -> None:
    assert small.is_demo(merged)
