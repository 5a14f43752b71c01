"""RERANK_MODEL in a real mind: broken, it costs nobody an answer."""

from pathlib import Path

import pytest

from bot.parts import make_mind
from bot.texts import Texts
from core.settings import Settings
from inference.engine import LibraryEngine
from knowledge.rerank import Reranked


def test_a_model_that_cannot_be_loaded_leaves_the_library(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    mind = make_mind(Settings(rerank_model=str(tmp_path / "none")), LibraryEngine(), Texts())
    assert isinstance(mind.library, Reranked)
    first, again = (mind.library.search("ciwon ciki da ciwon kai da zazzabi") for _ in range(2))
    assert first == again
    assert first.passages
    assert len(caplog.records) <= 1
