"""Embeddings of a tiny random encoder: the real loading and pooling, nothing of what they mean."""

from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from benchmarks import rerank
from core.errors import SettingsError
from inference.gemma.embed import Embedder

WORDS = ["[PAD]", "[UNK]", "ciwon", "kai", "ciki", "zazzabi", "yaro", "yana", "me", "zan", "yi"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("encoder")
    words = Tokenizer(models.WordLevel({w: at for at, w in enumerate(WORDS)}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(
        tokenizer_object=words, unk_token="[UNK]", pad_token="[PAD]", model_max_length=32
    ).save_pretrained(path)
    shape = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=32,
    )
    BertModel(shape).save_pretrained(path)
    return path


def test_the_same_words_are_nearest(folder: Path) -> None:
    embedder = Embedder.load(str(folder))
    same, other, _ = embedder.scores("ciwon kai", ["ciwon kai", "yaro yana zazzabi", ""])
    assert same == pytest.approx(1.0, abs=1e-5)
    assert -1.0 <= other < same
    assert embedder.scores("ciwon kai", ["ciwon kai"]) == [same]


def test_a_text_longer_than_the_model_is_cut(folder: Path) -> None:
    assert len(Embedder.load(str(folder)).scores("me zan yi", ["ciwon kai " * 200])) == 1


@pytest.mark.parametrize("name", ["empty", "not-there"])
def test_what_cannot_be_loaded_names_the_setting(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(SettingsError, match="RERANK_MODEL"):
        Embedder.load(str(tmp_path / name))


def test_what_a_model_does_to_the_library_is_a_table(folder: Path, tmp_path: Path) -> None:
    # A topic and a question of two topics each, of which the library is unsure.
    asked = [
        ("headache", "ciwon kai da ciwon ciki"),
        ("stomach-ache", "ciwon ciki da zazzabi da tari"),
        ("headache", "ciwon kai da zazzabi da mura"),
    ]
    table = rerank.measure(str(folder), "tiny", asked)
    page = tmp_path / "safety.md"
    page.write_text(f"before\n{rerank.BEGIN}\nold\n{rerank.END}\nafter\n", encoding="utf-8")
    rerank.write(table, page)
    assert f"before\n{rerank.BEGIN}\n{table}\n{rerank.END}\nafter\n" == page.read_text("utf-8")
    assert [line.split(" | ")[0] for line in table.splitlines()[-3:]] == [
        "| the words alone",
        f"| with tiny ({rerank.SHARE} of its cosine)",
        "| tiny alone",
    ]
