"""The same run through Unsloth, where somebody has installed it (it trains without a GPU too).

It changes transformers as it is imported, so each run has a process of its own, as in real life.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from inference.engine import Release
from inference.gemma.adapter import read
from inference.gemma.load import load
from tests.inference.gemma.conftest import tiny_texts
from training.folder import RunFolder

pytestmark = pytest.mark.skipif(
    find_spec("unsloth") is None, reason="unsloth is not installed (extra gpu)"
)
__all__ = ["tiny_texts"]


@pytest.fixture(scope="module")
def multimodal(tmp_path_factory: pytest.TempPathFactory, tiny_texts: list[str]) -> Path:
    """A checkpoint of the class of the published 4B: there Unsloth's adapter has other names."""
    from inference.gemma import tiny

    folder = tmp_path_factory.mktemp("models") / "multimodal"
    tiny.build(folder, tiny_texts, multimodal=True)
    return folder


@pytest.mark.parametrize("kind", ["text", "multimodal"])
def test_a_run_learns_and_its_adapter_can_be_served(
    make_run: Callable[..., RunFolder], tiny: Path, multimodal: Path, kind: str
) -> None:
    base = tiny if kind == "text" else multimodal
    run = make_run(f"unsloth-{kind}", model=str(base), unsloth=True)
    done = subprocess.run(
        [sys.executable, "-m", "training.run", str(run.path)],
        env={**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, (run.state(), done.stderr[-2000:])
    assert "should be imported before" not in done.stderr
    result = run.result()
    assert result is not None
    assert result["trainer"] == "unsloth"
    assert result["held_out_loss"] < result["base_loss"]
    model = load(str(base)).model
    adapter = read(Release("r", str(run.adapter)), model.config)
    assert len(adapter.weights) == 7 * model.config.num_hidden_layers
