"""The tiny model for training tests, and a few short conversations."""

from pathlib import Path

import pytest

from core.messages import Past
from tests.inference.gemma.conftest import tiny, tiny_texts
from training import data
from training.config import TrainConfig, config
from training.folder import RunFolder
from training.rows import Conversation

__all__ = ["tiny", "tiny_texts"]

ANSWERS = ("A sha ruwa sosai.", "Ku je asibiti yau.", "A huta, a ci abinci.", "A gwada jini.")


@pytest.fixture(scope="session")
def talks() -> list[Conversation]:
    """Forty short conversations, every fourth with two turns."""
    rows = []
    for number in range(40):
        answer = ANSWERS[number % 4]
        turns = (Past("user", f"Tambaya {number}?"), Past("assistant", answer))
        if number % 4 == 3:
            turns = (*turns, Past("user", "Sai me?"), Past("assistant", ANSWERS[number % 3]))
        rows.append(Conversation(turns, "talks", number + 1))
    return rows


@pytest.fixture
def make_run(tmp_path: Path, tiny: Path, talks: list[Conversation]):
    """A folder with settings and data, ready to be run: make_run(name, **settings)."""

    def make(name: str, **settings: object) -> RunFolder:
        run = RunFolder.create(tmp_path / name, small(**{"model": tiny, **settings}))
        data.save(split(talks), run.data)
        return run

    return make


def small(model: Path | str, **settings: object) -> TrainConfig:
    """A run of eight steps."""
    wanted: dict[str, object] = {
        "model": str(model),
        "batch": 2,
        "accumulation": 2,
        "max_steps": 8,
        "rank": 8,
    }
    wanted |= {"learning_rate": 1e-3, "warmup": 1, "checks": 4, "held_out_most": 4, "patience": 0}
    return config({**wanted, **settings})


def split(rows: list[Conversation]) -> data.Prepared:
    """The rows as `training.data.prepare` gives them."""
    tools = data.Tools(
        lambda text: "ha", lambda question, answer: None, own={"talks": lambda: rows}
    )
    return data.prepare([data.Source("talks")], tools, held_out=0.15)
