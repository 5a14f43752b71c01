"""TRL's trainer as a run wants it: how the steps are cut, in which order, graded and kept when.

Knows the settings and encoded rows; nothing of folders' contents, of processes, of the base model.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from math import ceil
from pathlib import Path
from typing import Any

import torch
from transformers import EarlyStoppingCallback, PrinterCallback

from core.errors import SettingsError
from training.config import TrainConfig
from training.gemma.head import with_learnt_loss
from training.gemma.models import Prepared
from training.gemma.tokens import Encoded
from training.order import order


@dataclass(frozen=True, slots=True)
class Fit:
    """How a step is cut: what memory allows, at one number of conversations a step.

    `batch` conversations (or, packed, lines of them) in each of `accumulation` passes of each
    process; `checkpointing` computes activations twice instead of keeping them.
    """

    batch: int
    accumulation: int
    checkpointing: bool = False

    def smaller(self) -> "Fit | None":
        """Half the batch in twice the passes; then activations recomputed; then nothing."""
        if self.batch > 1:
            return replace(self, batch=self.batch // 2, accumulation=self.accumulation * 2)
        return None if self.checkpointing else replace(self, checkpointing=True)

    def shared(self, processes: int) -> "Fit":
        """The part of one of several processes. Raises SettingsError when it cannot be even."""
        step = self.batch * self.accumulation
        if step % processes:
            raise SettingsError(
                f"batch x accumulation: {step} conversations cannot be shared out evenly among "
                f"{processes} processes"
            )
        each = step // processes
        batch = max(size for size in range(1, self.batch + 1) if each % size == 0)
        return replace(self, batch=batch, accumulation=each // batch)

    def packed(self, mean: float, line: int) -> "Fit":
        """The same number of conversations a step, as lines that hold `line` tokens each."""
        lines = max(1, round(self.batch * self.accumulation * mean / line))
        batch = min(self.batch, lines)
        return replace(self, batch=batch, accumulation=ceil(lines / batch))


class Grouped(torch.utils.data.Sampler[int]):
    """Rows of like length in each batch, in another order in each epoch."""

    def __init__(self, lengths: Sequence[int], batch: int, seed: int) -> None:
        self._lengths, self._batch, self._seed = lengths, batch, seed
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Called by the data loader before each epoch."""
        self._epoch = epoch

    def __iter__(self) -> Iterator[int]:
        return iter(order(self._lengths, self._batch, self._seed + self._epoch))

    def __len__(self) -> int:
        return len(self._lengths)


def make(
    output: Path,
    wanted: TrainConfig,
    prepared: Prepared,
    train: Sequence[Encoded],
    graded: Sequence[Encoded],
    fit: Fit,
    callbacks: Sequence[Any],
) -> Any:
    """A trainer that writes its checkpoints into `output`."""
    # Imported late: Unsloth, where it is used, must come before.
    trl: Any = import_module("trl")
    rows: Any = import_module("datasets").Dataset
    packing = prepared.device == "cuda" if wanted.packing is None else wanted.packing
    lengths = [len(row.input_ids) for row in train]
    if packing:
        fit = fit.packed(sum(lengths) / len(lengths), wanted.max_length)
    stop_early = EarlyStoppingCallback(wanted.patience) if graded and wanted.patience else None
    trainer = trl.SFTTrainer(
        model=prepared.model,
        args=_arguments(output, wanted, prepared, fit, bool(graded), packing),
        train_dataset=rows.from_list(_columns(train)),
        eval_dataset=rows.from_list(_columns(_by_length(graded))) if graded else None,
        processing_class=prepared.tokenizer,
        callbacks=[*([stop_early] if stop_early else []), *callbacks],
    )
    # Losses go to the progress file; what the library prints would only fill the log.
    trainer.remove_callback(PrinterCallback)
    if prepared.trainer == "peft":
        with_learnt_loss(prepared.model)
        _only_the_loss(trainer, super(trl.SFTTrainer, trainer).compute_loss)
    if not packing:
        sampler = Grouped(lengths, fit.batch, wanted.seed)
        # Its own grouping draws on the global random state, which a resumed run has not got.
        trainer._get_train_sampler = lambda dataset=None: sampler
    return trainer


def _only_the_loss(trainer: Any, compute: Callable[..., Any]) -> None:
    """Without TRL's figures on the side, which want every token's chances a second time."""

    def loss(model: Any, inputs: dict[str, Any], *given: Any, **more: Any) -> Any:
        inputs.pop("_prediction_loss_only", None)
        return compute(model, {**inputs, "use_cache": False}, *given, **more)

    trainer.compute_loss = loss


def _arguments(
    output: Path, wanted: TrainConfig, prepared: Prepared, fit: Fit, grading: bool, packing: bool
) -> Any:
    gpu = prepared.device == "cuda"
    part = 1 / wanted.checks
    return import_module("trl").SFTConfig(
        output_dir=str(output),
        num_train_epochs=wanted.epochs,
        max_steps=wanted.max_steps or -1,
        per_device_train_batch_size=fit.batch,
        per_device_eval_batch_size=fit.batch,
        gradient_accumulation_steps=fit.accumulation,
        gradient_checkpointing=fit.checkpointing,
        learning_rate=wanted.learning_rate,
        lr_scheduler_type=wanted.schedule,
        warmup_steps=wanted.warmup,
        weight_decay=wanted.weight_decay,
        optim="adamw_8bit" if gpu and prepared.eight_bit_optimizer else "adamw_torch",
        # Without TRL's own, which `training.gemma.head` stands in for; Unsloth has another.
        loss_type="nll" if prepared.trainer == "peft" else None,
        seed=wanted.seed,
        data_seed=wanted.seed,
        # The rows are cut to length already: TRL would cut answers.
        max_length=wanted.max_length if packing else None,
        packing=packing,
        eval_packing=False,
        dataset_kwargs=None if packing else {"skip_prepare_dataset": True},
        logging_steps=0.01,
        logging_first_step=True,
        eval_strategy="steps" if grading else "no",
        eval_steps=part,
        save_strategy="steps",
        save_steps=part,
        save_total_limit=2,
        load_best_model_at_end=grading,
        metric_for_best_model="eval_loss" if grading else None,
        greater_is_better=False,
        include_num_input_tokens_seen="non_padding",
        report_to=wanted.report_to,
        run_name=output.parent.name,
        bf16=gpu,
        fp16=False,
        use_cpu=not gpu,
        dataloader_pin_memory=gpu,
        ddp_find_unused_parameters=False,
        disable_tqdm=True,
        log_level="error",
    )


def _by_length(rows: Sequence[Encoded]) -> list[Encoded]:
    return sorted(rows, key=lambda row: -len(row.input_ids))


def _columns(rows: Sequence[Encoded]) -> list[dict[str, list[int]]]:
    return [{"input_ids": row.input_ids, "labels": row.labels} for row in rows]
