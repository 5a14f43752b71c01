"""Tiny Gemma-3 checkpoints and adapters, made once in every test process (half a second)."""

from pathlib import Path

import pytest

from inference.gemma import tiny as small
from knowledge.topic import TOPICS


@pytest.fixture(scope="session")
def tiny_texts() -> list[str]:
    """What the tiny tokenizer learns: the library's files as they stand."""
    return [path.read_text(encoding="utf-8") for path in sorted(TOPICS.glob("*.yaml"))]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory, tiny_texts: list[str]) -> Path:
    """The folder of a text checkpoint. Do not write to it."""
    folder = tmp_path_factory.mktemp("models") / "gemma-tiny"
    small.build(folder, tiny_texts)
    return folder


@pytest.fixture(scope="session")
def tiny_multimodal(tmp_path_factory: pytest.TempPathFactory, tiny_texts: list[str]) -> Path:
    """The folder of a checkpoint with a vision tower. Do not write to it."""
    folder = tmp_path_factory.mktemp("models") / "gemma-tiny-multimodal"
    small.build(folder, tiny_texts, multimodal=True)
    return folder


@pytest.fixture(scope="session")
def adapter_a(tmp_path_factory: pytest.TempPathFactory, tiny: Path) -> Path:
    """An adapter of `tiny`. Do not write to it."""
    folder = tmp_path_factory.mktemp("adapters") / "a"
    small.adapter(tiny, folder, seed=1)
    return folder


@pytest.fixture(scope="session")
def adapter_b(tmp_path_factory: pytest.TempPathFactory, tiny: Path) -> Path:
    """Another adapter of `tiny`. Do not write to it."""
    folder = tmp_path_factory.mktemp("adapters") / "b"
    small.adapter(tiny, folder, seed=2)
    return folder
