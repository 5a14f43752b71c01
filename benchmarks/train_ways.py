"""Ways to fine-tune the same model on the same rows, each measured the same way.

`ours` is the service's own trainer; `trl` is TRL as its documentation has it (random batches,
padded, activations computed twice by default); `origin` the origin's recipe: batch 2 x 4, and
activations computed twice.
"""

import random
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from transformers import PrinterCallback, TrainerCallback

from benchmarks.engine_ways import Run, measured
from inference.gemma import tiny_tokenizer
from inference.gemma.load import Loaded
from inference.gemma.shapes import Shape, text_config
from knowledge.topic import load_topics
from training.config import TrainConfig, config
from training.gemma import trainer
from training.gemma.dry import adapter_parameters
from training.gemma.models import Prepared, adapted
from training.gemma.tokens import IGNORED, Encoded, encode_all
from training.starter import starter

#: Conversations a step, in every way.
STEP = 8
#: Tokens of a conversation of the origin's data set on average (2.0 M in 8,100).
MEAN = 250
#: The ids below are marks.
FIRST_ID = 300


def rows(count: int, vocab: int, *, mean: int = MEAN, seed: int = 1) -> list[Encoded]:
    """Rows with the lengths and the learnt shares of the starter set's, scaled to a mean length."""
    draw = random.Random(seed)
    shares = _shares()
    drawn = [draw.choice(shares) for _ in range(count)]
    scale = mean * len(drawn) / sum(length for length, _ in drawn)
    return [_row(max(8, round(length * scale)), share, vocab, draw) for length, share in drawn]


@cache
def _shares() -> list[tuple[int, float]]:
    """Tokens of the starter set's rows, and the share of them that is learnt."""
    texts = [text for topic in load_topics().values() for text in topic.questions]
    tokenizer = tiny_tokenizer.train(texts, 3072)
    found = encode_all(list(starter())[::8], tokenizer, 4096).rows
    return [(len(row.input_ids), row.learnt / len(row.input_ids)) for row in found]


def _row(length: int, share: float, vocab: int, draw: random.Random) -> Encoded:
    ids = [draw.randrange(FIRST_ID, vocab) for _ in range(length)]
    learnt = max(1, round(length * share))
    return Encoded(ids, [IGNORED] * (length - learnt) + ids[-learnt:])


def operations(shape: Shape, found: Sequence[Encoded], rank: int) -> float:
    """What the rows cost at least, in floating-point operations, with nothing computed twice.

    Two a weight and token forward and two for the gradient of the activations (the base's weights
    get none), six a weight of the adapter; the head on learnt tokens alone; attention as if every
    layer saw the whole row, which rows shorter than the window make true.
    """
    tokens = sum(len(row.input_ids) for row in found)
    learnt = sum(row.learnt for row in found)
    query, key = shape.heads * shape.head, shape.kv_heads * shape.head
    layer = 2 * shape.hidden * (query + key) + 3 * shape.hidden * shape.inner
    looked = sum(len(row.input_ids) ** 2 for row in found)
    return (
        4.0 * shape.layers * layer * tokens
        + 4.0 * shape.vocab * shape.hidden * learnt
        + 6.0 * adapter_parameters(rank, text_config(shape)) * tokens
        + 6.0 * shape.layers * query * looked
    )


class Clock(TrainerCallback):
    """From the first step's beginning to the last one's end."""

    def __init__(self) -> None:
        self.began = self.ended = 0.0

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """The data are ready, the optimizer is not."""
        self.began = time.perf_counter()

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Before anything is saved."""
        self.ended = time.perf_counter()


def spent(run: Run, loaded: Loaded, threads: int) -> float:
    """Seconds that a run took: of one thread its own, whatever else the machine was busy with."""
    return run.cpu if loaded.device.type == "cpu" and threads == 1 else run.seconds


@dataclass(frozen=True, slots=True)
class Way:
    """A name, and what makes its trainer of (model, rows, callbacks, folder)."""

    name: str
    make: Callable[[Prepared, Sequence[Encoded], list[Any], Path], Any]


def wanted(**more: Any) -> TrainConfig:
    """Our settings: the defaults (2 x 4 conversations a step), one epoch, no gradings."""
    return config({"checks": 1, **more})


def ours(**more: Any) -> Way:
    """Our trainer, with other settings where they are named."""
    settings = wanted(**more)
    fit = trainer.Fit(settings.batch, settings.accumulation)

    def make(model: Prepared, found: Sequence[Encoded], watch: list[Any], folder: Path) -> Any:
        return trainer.make(folder, settings, model, found, (), fit, watch)

    return Way("ours", make)


def plain(name: str, batch: int, accumulation: int) -> Way:
    """TRL's trainer on the same rows, as its documentation sets it up."""

    def make(model: Prepared, found: Sequence[Encoded], watch: list[Any], folder: Path) -> Any:
        trl: Any = import_module("trl")
        gpu = model.device == "cuda"
        columns = [{"input_ids": row.input_ids, "labels": row.labels} for row in found]
        arguments = trl.SFTConfig(
            output_dir=str(folder),
            per_device_train_batch_size=batch,
            gradient_accumulation_steps=accumulation,
            num_train_epochs=1,
            learning_rate=2e-4,
            warmup_steps=5,
            optim="adamw_8bit" if gpu and model.eight_bit_optimizer else "adamw_torch",
            gradient_checkpointing=True,
            bf16=gpu,
            use_cpu=not gpu,
            dataloader_pin_memory=gpu,
            max_length=None,
            dataset_kwargs={"skip_prepare_dataset": True},
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            log_level="error",
        )
        made = trl.SFTTrainer(
            model=model.model,
            args=arguments,
            train_dataset=import_module("datasets").Dataset.from_list(columns),
            processing_class=model.tokenizer,
            callbacks=watch,
        )
        made.remove_callback(PrinterCallback)
        return made

    return Way(name, make)


def go(way: Way, loaded: Loaded, found: Sequence[Encoded]) -> Run:
    """One epoch over the rows, with a fresh adapter; `Run.tokens` are those that are no padding."""
    model, clock = adapted(loaded, wanted()), Clock()
    try:
        with tempfile.TemporaryDirectory(prefix="lafiya-bench-") as folder:
            made = way.make(model, found, [clock], Path(folder))
            with measured(loaded.device) as run:
                made.train()
    finally:
        model.model.unload()
    run.seconds = clock.ended - clock.began
    run.tokens = sum(len(row.input_ids) for row in found)
    return run
