"""The in-process engine against `generate()` one by one, `generate()` in one batch, and the floor.

`python -m benchmarks.engine [--shape 270m|1b|4b|tiny] [--device cpu|cuda] [--requests 1,8,32]
[--dtype native|float32|bfloat16] [--quick]`; on a GPU, without any option, all of it with a 4B. The
weights are random and of a Gemma-3's real shape: the speed is real, the text is not. Every way
answers the same questions, in turn, several times; the best of each is shown. Each row goes to
standard error as soon as it is known.

One thread: of several, those that wait spin, and their CPU seconds say more about the neighbours.

The floor is the time to read all weights and the cache once a step, at the speed at which this
machine copies memory, or the time to multiply, at the speed of a large matrix, if that is longer.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from benchmarks import engine_floor
from benchmarks import engine_ways as ways
from benchmarks.engine_ways import Question, Run
from benchmarks.model import options, tell
from benchmarks.report import table
from inference.engine import BASE, Release
from inference.gemma import tiny, tiny_tokenizer
from inference.gemma.engine import TransformersEngine
from inference.gemma.load import Loaded, pick_attention, pick_dtype
from inference.gemma.shapes import SHAPES, Shape, random_model
from knowledge.topic import load_topics

#: `generate()` one by one takes as long for the ninth question as for the eighth.
ALONE = 8
LONG = 600
MOST = (1, 8, 32, 128, 256)
DTYPES = ("native", "float32", "bfloat16")
COLUMNS = ("way", "requests", "tok_s", "cpu_ms_tok", "cpu_of_alone", "first_p50_ms", "answer_p50_s")
ROUNDED = {"tok_s": 1, "cpu_ms_tok": 1, "first_p50_ms": 1, "answer_p50_s": 2, "peak_mb": 0}


def main() -> None:
    """Measure, print the tables and the JSON line."""
    given = _options()
    with tempfile.TemporaryDirectory(prefix="lafiya-bench-") as folder:
        tell(given.threads, lambda: _measured(given, Path(folder)), show)


def _measured(given: argparse.Namespace, folder: Path) -> dict[str, Any]:
    return measure(
        SHAPES[given.shape],
        given.device,
        given.dtype,
        given.requests or _requests(given),
        answers=given.answers,
        repeats=1 if given.quick else given.repeats,
        swaps=4 if given.quick else 20,
        folder=folder,
    )


def _options() -> argparse.Namespace:
    found = options(__doc__, "once instead of twice, 4 swaps")
    numbers = _numbers
    found.add_argument("--dtype", choices=DTYPES, default=DTYPES[0], help="as DTYPE")
    found.add_argument("--requests", type=numbers, help="default 1,8,32,128,256")
    spread = "50,200" if torch.cuda.is_available() else "4,24"
    found.add_argument("--answers", type=numbers, default=spread, help="fewest,most tokens")
    found.add_argument("--repeats", type=int, default=2)
    return found.parse_args()


def _requests(options: argparse.Namespace) -> tuple[int, ...]:
    return MOST if options.device == "cuda" or not options.quick else MOST[:3]


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split(","))


def measure(
    shape: Shape,
    device: str,
    dtype: str,
    requests: Sequence[int],
    *,
    answers: Sequence[int],
    repeats: int,
    swaps: int,
    folder: Path,
) -> dict[str, Any]:
    """Everything this file measures. `folder` holds two adapters for as long as it runs."""
    loaded = random_loaded(shape, device, dtype)
    questions = _questions(max(requests), answers)
    found: dict[str, Any] = {
        "shape": shape.name,
        "device": _named(loaded.device),
        "attention": loaded.model.config._attn_implementation,
        "dtype": str(loaded.model.dtype).removeprefix("torch."),
        "parameters": loaded.parameters,
        "threads": torch.get_num_threads(),
    }
    speeds = engine_floor.measure(loaded.device, loaded.model.dtype)
    found |= {"copy_gb_s": round(speeds[0] / 1e9, 1), "gflop_s": round(speeds[1] / 1e9)}
    rows = []
    for count in requests:
        rows += _compare(loaded, questions[:count], max(requests), repeats)
    with _engine(loaded, max(requests)) as engine:
        found["decode"] = [
            _decode(engine, loaded, shape, speeds, count, min(answers[-1], 128))
            for count in requests
        ]
        found["long"] = _long(engine, loaded)
        found["swap"] = _swap(engine, folder, shape, questions[:8], swaps)
    return found | {"rows": rows}


def random_loaded(shape: Shape, device: str, wanted: str = "auto") -> Loaded:
    place = torch.device("cuda", 0) if device == "cuda" else torch.device("cpu")
    dtype = pick_dtype(wanted, place)
    model = random_model(shape, place, dtype)
    model.set_attn_implementation(pick_attention(place, dtype))
    tokenizer = tiny_tokenizer.train(_texts(), tiny.TINY.vocab)
    model.generation_config.eos_token_id = [1, tiny_tokenizer.ID["<end_of_turn>"]]
    model.generation_config.pad_token_id = 0
    numbers = model.num_parameters()
    return Loaded(model, tokenizer, place, "", numbers, numbers * dtype.itemsize)


def _texts() -> list[str]:
    return [text for topic in load_topics().values() for text in topic.questions]


def _questions(count: int, answers: Sequence[int]) -> list[Question]:
    draw = random.Random(1)
    texts = draw.sample(_texts(), count)
    return [Question(text, draw.randint(answers[0], answers[-1])) for text in texts]


def _compare(
    loaded: Loaded, questions: Sequence[Question], running: int, repeats: int
) -> list[dict[str, Any]]:
    """All three ways in turn, so that a busy moment of the machine meets each."""
    alone = questions[:ALONE]
    runs: dict[str, list[Run]] = {"one by one": [], "one batch": [], "engine": []}
    _warm_up(loaded, questions[:1])
    for _ in range(repeats):
        runs["one by one"].append(ways.one_by_one(loaded, alone))
        runs["one batch"].append(ways.together(loaded, questions))
        with _engine(loaded, running) as engine:
            runs["engine"].append(ways.through_engine(engine, loaded.device, questions))
    rows = [{"way": way, "requests": len(questions), **_best(done)} for way, done in runs.items()]
    for row in rows:
        row["cpu_of_alone"] = round(row["cpu_ms_tok"] / rows[0]["cpu_ms_tok"], 2)
    if len(alone) < len(questions):
        # Measured on some of them: what all would wait is not known.
        rows[0] |= {"first_p50_ms": None, "answer_p50_s": None}
    _tell(rows)
    return rows


def _tell(rows: Sequence[dict[str, Any]]) -> None:
    for row in rows:
        print(json.dumps(row), file=sys.stderr, flush=True)


def _warm_up(loaded: Loaded, questions: Sequence[Question]) -> None:
    ways.one_by_one(loaded, [Question(questions[0].text, 2)])


def _best(runs: Sequence[Run]) -> dict[str, float]:
    """The highest rate and the least of everything else: what others on the machine took is out."""
    rows = [run.row() for run in runs]
    return {
        name: round((max if name == "tok_s" else min)(row[name] for row in rows), digits or None)
        for name, digits in ROUNDED.items()
    }


@contextmanager
def _engine(loaded: Loaded, running: int) -> Iterator[TransformersEngine]:
    cache = 0.0 if loaded.device.type == "cuda" else 1.0
    engine = TransformersEngine(
        "random weights", cache_gb=cache, running=running, waiting=4096, loaded=loaded, stuck=600.0
    )
    try:
        if not engine.wait(600):
            raise RuntimeError(engine.status().detail)
        yield engine
    finally:
        engine.close()


def _decode(
    engine: TransformersEngine,
    loaded: Loaded,
    shape: Shape,
    speeds: tuple[float, float],
    count: int,
    tokens: int,
) -> dict[str, Any]:
    """Tokens a second once the first was written, in answers of one length."""
    run = ways.through_engine(engine, loaded.device, [Question("Ina kwana?", tokens)] * count)
    rate = (run.tokens - count) / (max(run.ends) - min(run.first))
    width, context = loaded.model.dtype.itemsize, 100 + tokens // 2
    bare = engine_floor.floor(shape, loaded.parameters, width, speeds, count, context)
    row = {
        "requests": count,
        "tok_s": round(rate, 1),
        "floor_tok_s": round(bare, 1),
        "of_floor": round(rate / bare, 3),
        "peak_mb": round(run.peak_mb),
    }
    _tell([row])
    return row


def _long(engine: TransformersEngine, loaded: Loaded) -> dict[str, Any]:
    """Until the first token of a long prompt, nobody else being there."""
    words = ways.Words(loaded.tokenizer, loaded.model.generation_config.eos_token_id)
    text, more = "Me zan yi?", iter(_texts())
    while words.count(text) < LONG:
        text += f" {next(more)}"
    question = Question(text, 2)
    first = min(ways.ask(engine, question, time.perf_counter())[1] for _ in range(3))
    tokens = len(words.ids(question.request(), 8192))
    return {"prompt_tokens": tokens, "first_ms": round(1000 * first, 1)}


def _swap(
    engine: TransformersEngine,
    folder: Path,
    shape: Shape,
    questions: Sequence[Question],
    count: int,
) -> dict[str, Any]:
    releases = [Release(name, str(_adapter(folder, name, shape, n))) for n, name in enumerate("ab")]
    loading = ways.swaps(engine, questions, [_change(engine.load, r) for r in releases])
    order = [releases[n % 2] for n in range(count)]
    found = ways.swaps(engine, questions, [_change(engine.activate, r) for r in order])
    engine.activate(Release(BASE))
    return {"load_p50_ms": loading["swap_p50_ms"], **found, "failed_loading": loading["failed"]}


def _adapter(folder: Path, name: str, shape: Shape, seed: int) -> Path:
    base = folder / "base"
    tiny.text_config(shape).save_pretrained(base)
    tiny.adapter(base, folder / name, seed=seed, rank=16)
    return folder / name


def _change(act: Callable[[Release], None], release: Release) -> Callable[[], None]:
    return lambda: act(release)


def _named(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"


def show(found: dict[str, Any]) -> str:
    """The tables as Markdown."""
    head = (
        f"Gemma-3 {found['shape']} with random weights ({found['parameters'] / 1e6:.0f} M, "
        f"{found['dtype']}, {found['attention']}) on {found['device']}, {found['threads']} "
        f"threads; this machine copies {found['copy_gb_s']} GB/s and multiplies "
        f"{found['gflop_s']} GFLOP/s."
    )
    swap, long = found["swap"], found["long"]
    return "\n\n".join(
        [
            f"{head}\n{found['machine']}; {found['seconds']} s.",
            table((*COLUMNS, "peak_mb"), found["rows"]),
            "Writing alone, through the engine, against the floor:",
            table(("requests", "tok_s", "floor_tok_s", "of_floor", "peak_mb"), found["decode"]),
            f"First token of a prompt of {long['prompt_tokens']} tokens: {long['first_ms']} ms.",
            "Releases swapped while eight people ask:",
            table(tuple(swap), [swap]),
        ]
    )


if __name__ == "__main__":
    main()
