"""Room for a run on this machine's GPU: looked at, and claimed where it is too small for both."""

from pathlib import Path

from core import logs
from core.settings import Settings
from training import room, run
from training.config import TrainConfig
from training.folder import RunFolder

#: What a process takes on a GPU beside its tensors: CUDA's context and what the allocator holds.
CONTEXT = 1 << 30


def make(settings: Settings, folder: RunFolder, wanted: TrainConfig) -> None:
    """Have the engines of this machine step aside for the run, if they must. Raises NoRoom."""
    if room.needed(settings.share_gpu, lambda: _need(wanted), free):
        folder.update(detail="waiting for the engine to step aside")
        room.claim(Path(settings.runs), folder.name)
        logs.event("train.room", run=folder.name)
        folder.update(detail="")


def free() -> int | None:
    """Bytes that are free on the GPU; None where torch finds none."""
    from importlib.util import find_spec

    if find_spec("torch") is None:
        return None
    import torch

    return int(torch.cuda.mem_get_info()[0]) if torch.cuda.is_available() else None


def _need(wanted: TrainConfig) -> int:
    run.before_all(wanted)
    from training.gemma.dry import expected

    return CONTEXT + sum(expected(wanted).values())
