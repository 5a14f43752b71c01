"""GGUF files: how the converter is found and run, and what it may not get wrong."""

import json
import shutil
import struct
from pathlib import Path

import pytest

from core.errors import ReleaseUnusable, SettingsError
from training import gguf
from training.gguf_file import token_kinds


def written(file, tokens):
    """A GGUF with a vocabulary, as llama.cpp's converter begins it."""

    def string(text):
        return struct.pack("<Q", len(text.encode())) + text.encode()

    def array(kind, rows):
        return struct.pack("<IIQ", 9, kind, len(rows)) + b"".join(rows)

    values = {
        "general.architecture": struct.pack("<I", 8) + string("gemma3"),
        "gemma3.rope.freq_base": struct.pack("<If", 6, 1e6),
        "tokenizer.ggml.add_space_prefix": struct.pack("<I?", 7, False),
        "tokenizer.ggml.tokens": array(8, [string(token) for token in tokens]),
        "tokenizer.ggml.token_type": array(5, [struct.pack("<i", k) for k in tokens.values()]),
    }
    head = b"GGUF" + struct.pack("<IQQ", 3, 0, len(values))
    body = b"".join(string(key) + value for key, value in values.items())
    file.write_bytes(head + body)


GOOD_TOKENS = {"<bos>": 3, "<eos>": 3, "<start_of_turn>": 3, "<end_of_turn>": 4, "lafiya": 1}


def test_the_kinds_of_tokens_are_read_from_a_gguf(tmp_path):
    written(tmp_path / "m.gguf", GOOD_TOKENS)
    assert token_kinds(tmp_path / "m.gguf") == GOOD_TOKENS
    gguf.check(tmp_path / "m.gguf")
    whole = (tmp_path / "m.gguf").read_bytes()
    for size in (0, 3, 20, 60, len(whole) - 1):
        (tmp_path / "cut.gguf").write_bytes(whole[:size])
        with pytest.raises(ReleaseUnusable, match=r"no whole GGUF|names no tokens"):
            token_kinds(tmp_path / "cut.gguf")


#: A converter of llama.cpp's name: writes what `tokens.json` beside it says, or fails.
CONVERTER = """
import json, os, sys
from pathlib import Path
sys.path.insert(0, {root!r})
from tests.training.test_gguf import written
here = Path(__file__).parent
(here / "asked.json").write_text(json.dumps([sys.argv[1:], sorted(os.environ)]))
if not (here / "tokens.json").exists():
    sys.exit("no such thing")
out = Path(sys.argv[sys.argv.index("--outfile") + 1])
written(out, json.loads((here / "tokens.json").read_text()))
"""


@pytest.fixture
def llama(tmp_path):
    """A folder of llama.cpp with a converter that obeys."""
    folder = tmp_path / "llama.cpp"
    folder.mkdir()
    (folder / gguf.CONVERTER).write_text(CONVERTER.format(root=str(Path.cwd())))
    (folder / "tokens.json").write_text(json.dumps(GOOD_TOKENS))
    return folder


def test_the_converter_is_run_without_our_secrets(llama, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.setenv("DATA_KEY", "secret")
    tools = gguf.find_tools(str(llama), "q8_0")
    gguf.convert(tmp_path / "model", tmp_path / "m.gguf", "q8_0", tools, tmp_path / "log.txt")
    asked, names = json.loads((llama / "asked.json").read_text())
    assert asked[1:] == ["--outfile", str(tmp_path / "m.gguf"), "--outtype", "q8_0"]
    assert not {"HF_TOKEN", "DATA_KEY"} & set(names)


def test_a_file_that_cuts_turns_into_letters_is_refused(llama, tmp_path):
    (llama / "tokens.json").write_text(json.dumps({**GOOD_TOKENS, "<start_of_turn>": 1}))
    tools = gguf.find_tools(str(llama), "f16")
    with pytest.raises(ReleaseUnusable, match="<start_of_turn> for ordinary letters"):
        gguf.convert(tmp_path, tmp_path / "m.gguf", "f16", tools, tmp_path / "log.txt")
    assert not (tmp_path / "m.gguf").exists()


def test_a_converter_that_fails_is_quoted(llama, tmp_path):
    (llama / "tokens.json").unlink()
    tools = gguf.find_tools(str(llama), "f16")
    with pytest.raises(ReleaseUnusable, match="ended with 1: no such thing"):
        gguf.convert(tmp_path, tmp_path / "m.gguf", "f16", tools, tmp_path / "log.txt")


def test_what_is_missing_is_said_with_where_to_get_it(llama, tmp_path):
    with pytest.raises(SettingsError, match=r"LLAMA_CPP: there is no .* here: git clone"):
        gguf.find_tools("", "q8_0", home=tmp_path)
    with pytest.raises(SettingsError, match=r"holds no convert_hf_to_gguf\.py"):
        gguf.find_tools(str(tmp_path / "empty"), "q8_0")
    if shutil.which(gguf.QUANTIZER) is None:
        with pytest.raises(SettingsError, match="q4_k_m needs llama-quantize"):
            gguf.find_tools(str(llama), "q4_k_m")
    assert gguf.find_tools("", "f16", home=llama).converter == llama / gguf.CONVERTER


def test_fewer_bits_go_through_the_quantizer(llama, tmp_path):
    quantizer = llama / "build" / "bin" / gguf.QUANTIZER
    quantizer.parent.mkdir(parents=True)
    quantizer.write_text('#!/bin/sh\nset -e\n[ "$3" = Q4_K_M ]\ncp "$1" "$2"\n')
    quantizer.chmod(0o755)
    tools = gguf.find_tools(str(llama), "q4_k_m")
    gguf.convert(tmp_path, tmp_path / "m.gguf", "q4_k_m", tools, tmp_path / "log.txt")
    assert json.loads((llama / "asked.json").read_text())[0][-1] == "bf16"
    assert [path.name for path in tmp_path.glob("m.*")] == ["m.gguf"]
