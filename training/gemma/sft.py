"""The fine-tuning run, in a process of its own (`training.run` is its entry).

Reads the settings and conversations that `training.jobs` put into the folder, trains a LoRA adapter
with TRL and PEFT (or Unsloth, where it is installed), and writes where it stands as it goes. Killed
at any moment it goes on from its last checkpoint. Knows no database and no person.
"""

import gc
import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import torch

from core import logs
from core.errors import LafiyaError
from training import data
from training.config import TrainConfig
from training.folder import Follower, RunFolder, Stopped
from training.gemma.models import Prepared, prepare
from training.gemma.tokens import Encoded, encode_all
from training.gemma.trainer import Fit, make
from training.gemma.watch import Watch, memory
from training.rows import DataError

#: How a process that was stopped on purpose ends.
CANCELLED: Final = 3
#: How one of several ends whose memory was too short.
AGAIN: Final = 4


def run(folder: RunFolder, *, callbacks: Sequence[Any] = ()) -> dict[str, Any] | None:
    """Train what the folder asks for; the result, or None when it was asked to stop.

    `callbacks` are further transformers callbacks. Raises SettingsError, DataError, EngineError.
    """
    wanted = folder.config()
    folder.update(phase="loading", pid=os.getpid(), detail=wanted.model)
    world = _world()
    prepared = prepare(wanted)
    train, graded = (_encoded(folder, name, prepared, wanted) for name in ("train", "held_out"))
    graded = graded[: wanted.held_out_most]
    fit: Fit | None = Fit(**(folder.fit() or _asked(wanted)))
    while fit is not None:
        folder.update(batch=fit.batch)
        try:
            part = fit.shared(world)
            return _fitted(folder, wanted, prepared, train, graded, part, callbacks)
        except torch.OutOfMemoryError:
            pass
        # Outside the handler: its traceback keeps every tensor of the failed step alive.
        _free()
        fit = _told_smaller(folder, fit)
        if fit is not None and world > 1:
            # The others wait for this one in the middle of a step: all begin anew (training.run).
            raise SystemExit(AGAIN)
    raise DataError("out of memory at batch 1: choose a smaller max_length, or quantize 4bit")


def _asked(wanted: TrainConfig) -> dict[str, int]:
    return {"batch": wanted.batch, "accumulation": wanted.accumulation}


def _world() -> int:
    """How many processes share the run; each takes a GPU of its own, where there are any."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    elif world > 1:
        # Each says cpu:0, cpu:1 ... of itself, which is no place that torch loads a checkpoint to.
        torch.serialization.register_package(
            30,
            lambda storage: None,
            lambda storage, place: storage if place.startswith("cpu:") else None,
        )
    return world


def _told_smaller(folder: RunFolder, fit: Fit) -> Fit | None:
    smaller = fit.smaller()
    if smaller:
        folder.keep_fit(asdict(smaller))
        detail = f"out of memory: batch {smaller.batch} x {smaller.accumulation}"
        folder.update(detail=detail + (", recomputing" if smaller.checkpointing else ""))
        logs.event("train.smaller", batch=smaller.batch, accumulation=smaller.accumulation)
    return smaller


def _encoded(
    folder: RunFolder, name: str, prepared: Prepared, wanted: TrainConfig
) -> list[Encoded]:
    rows = data.load(folder.data / f"{name}.jsonl") if _has(folder.data / f"{name}.jsonl") else ()
    encoding = encode_all(rows, prepared.tokenizer, wanted.max_length)
    if name == "train" and not encoding.rows:
        raise DataError(f"no conversation fits into max_length {wanted.max_length}")
    folder.log({"step": -1, "data": name, **encoding.statistics()})
    return list(encoding.rows)


def _has(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


def _fitted(
    folder: RunFolder,
    wanted: TrainConfig,
    prepared: Prepared,
    train: list[Encoded],
    graded: list[Encoded],
    fit: Fit,
    callbacks: Sequence[Any],
) -> dict[str, Any] | None:
    watch = Watch(folder)
    trainer = make(folder.checkpoints, wanted, prepared, train, graded, fit, [watch, *callbacks])
    checkpoint = _last_checkpoint(folder)
    # Within train(): a model that was graded before it would not be shared among processes.
    trainer.args.eval_on_start = bool(graded) and folder.state().base_loss is None
    with suppress(Stopped):
        started = time.monotonic()
        trainer.train(resume_from_checkpoint=checkpoint)
        seconds = time.monotonic() - started
        if not watch.stopped:
            folder.update(phase="grading", detail="the adapter's loss on the held-out questions")
            final = float(trainer.evaluate()["eval_loss"]) if graded else None
            base = folder.state().base_loss
            return _saved(folder, wanted, prepared, trainer, fit, base, final, seconds)
    folder.update(phase="cancelled", detail="stopped; its checkpoint is kept")
    return None


def _saved(
    folder: RunFolder,
    wanted: TrainConfig,
    prepared: Prepared,
    trainer: Any,
    fit: Fit,
    base: float | None,
    final: float | None,
    seconds: float,
) -> dict[str, Any]:
    folder.update(phase="saving", detail="")
    result = {
        "base_loss": base,
        "held_out_loss": final,
        "train_loss": _last_loss(trainer),
        "steps": trainer.state.global_step,
        "tokens": trainer.state.num_input_tokens_seen,
        "seconds": round(seconds, 1),
        "batch": fit.batch,
        "accumulation": fit.accumulation,
        "checkpointing": fit.checkpointing,
        "memory": memory(),
        "trainer": prepared.trainer,
        "revision": prepared.revision,
        "model": wanted.model,
    }
    if trainer.is_world_process_zero():
        trainer.model.save_pretrained(folder.adapter, safe_serialization=True)
        folder.finish(result)
        folder.update(phase="trained", held_out_loss=final, detail="")
    return result


def _last_loss(trainer: Any) -> float | None:
    losses = [line["loss"] for line in trainer.state.log_history if "loss" in line]
    return losses[-1] if losses else None


def _last_checkpoint(folder: RunFolder) -> str | None:
    """The newest checkpoint that is whole: the state is the last file that the trainer writes."""
    found = [
        path
        for path in folder.checkpoints.glob("checkpoint-*")
        if _has(path / "trainer_state.json")
    ]
    newest = max(found, key=lambda path: int(path.name.rpartition("-")[2]), default=None)
    return str(newest) if newest else None


def _free() -> None:
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def main(folder: RunFolder) -> int:
    """Run a folder, writing into its state how it ended; the process's exit status."""
    if int(os.environ.get("RANK", "0")):
        folder = Follower(folder.path)
    if "RANK" not in os.environ:
        # Several are ended by their launcher, which waits for no step.
        signal.signal(signal.SIGTERM, lambda *_: folder.ask_to_stop())
    try:
        return CANCELLED if run(folder) is None else 0
    except LafiyaError as error:
        folder.update(phase="failed", detail=str(error))
    except Exception as error:
        logs.crash("train.failed", error, run=folder.name)
        folder.update(phase="failed", detail=f"{type(error).__name__} (see log.txt)")
    return 1
