"""Ways to answer the same questions with the same weights, each measured the same way.

`one_by_one` is `generate()` for each in turn, as a demonstration page does it; `together` is one
`generate()` for all, padded; `through_engine` is the service's own engine.
"""

import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import psutil
import torch

from inference.engine import Request, Sampling
from inference.gemma.engine import TransformersEngine
from inference.gemma.load import Loaded
from inference.gemma.words import Words

#: Longer than any answer of a benchmark.
PATIENCE = 3600.0


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and how many tokens answer it (random weights never stop by themselves)."""

    text: str
    tokens: int

    def request(self) -> Request:
        """As the engine is asked: greedy."""
        sampling = Sampling(temperature=0.0, max_tokens=self.tokens)
        return Request(self.text, deadline=PATIENCE, sampling=sampling)


@dataclass(slots=True)
class Run:
    """One way once: seconds and CPU seconds for all, and for each answer first token and end."""

    tokens: int = 0
    seconds: float = 0.0
    cpu: float = 0.0
    peak_mb: float = 0.0
    first: list[float] = field(default_factory=list)
    ends: list[float] = field(default_factory=list)

    def row(self) -> dict[str, float]:
        """The figures of one run."""
        return {
            "tok_s": self.tokens / self.seconds,
            "cpu_ms_tok": 1000 * self.cpu / self.tokens,
            "first_p50_ms": 1000 * statistics.median(self.first),
            "answer_p50_s": statistics.median(self.ends),
            "peak_mb": self.peak_mb,
        }


class Firsts:
    """generate()'s streamer that only notes when the first token came."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def put(self, _: torch.Tensor) -> None:
        """The prompt first, then every token."""
        self.times.append(time.perf_counter())

    def end(self) -> None:
        """Nothing to do."""


@torch.inference_mode()
def one_by_one(loaded: Loaded, questions: Sequence[Question]) -> Run:
    """All arrive at once and wait for their turn."""
    prompts = _prompts(loaded, questions)
    with measured(loaded.device) as run:
        begun = time.perf_counter()
        for ids, question in zip(prompts, questions, strict=True):
            firsts = Firsts()
            out = loaded.model.generate(
                torch.tensor([ids], device=loaded.device),
                max_new_tokens=question.tokens,
                do_sample=False,
                streamer=firsts,
            )
            run.tokens += out.shape[1] - len(ids)
            run.first.append(firsts.times[1] - begun)
            run.ends.append(time.perf_counter() - begun)
    return run


@torch.inference_mode()
def together(loaded: Loaded, questions: Sequence[Question]) -> Run:
    """One batch, padded on the left; it is done when its longest answer is."""
    prompts = _prompts(loaded, questions)
    widest = max(map(len, prompts))
    ids = torch.zeros(len(prompts), widest, dtype=torch.long)
    mask = torch.zeros_like(ids)
    for row, prompt in enumerate(prompts):
        ids[row, widest - len(prompt) :] = torch.tensor(prompt)
        mask[row, widest - len(prompt) :] = 1
    with measured(loaded.device) as run:
        begun = time.perf_counter()
        loaded.model.generate(
            ids.to(loaded.device),
            attention_mask=mask.to(loaded.device),
            max_new_tokens=max(question.tokens for question in questions),
            do_sample=False,
        )
        _finish(loaded.device)
        taken = time.perf_counter() - begun
        run.tokens = sum(question.tokens for question in questions)
        run.first = run.ends = [taken] * len(questions)
    return run


def through_engine(
    engine: TransformersEngine, device: torch.device, questions: Sequence[Question]
) -> Run:
    """Everybody asks at once, each from a thread, and sees the answer grow."""
    with measured(device) as run, ThreadPoolExecutor(len(questions)) as people:
        begun = time.perf_counter()
        for tokens, first, end in people.map(lambda q: ask(engine, q, begun), questions):
            run.tokens += tokens
            run.first.append(first)
            run.ends.append(end)
    return run


def ask(engine: TransformersEngine, question: Question, begun: float) -> tuple[int, float, float]:
    """Tokens of one answer, and when its first one came and its last, since `begun`."""
    seen: list[float] = []

    def look(_: str) -> bool:
        if not seen:
            seen.append(time.perf_counter() - begun)
        return True

    answer = engine.generate(question.request(), look)
    end = time.perf_counter() - begun
    return answer.tokens, seen[0] if seen else end, end


def swaps(
    engine: TransformersEngine,
    questions: Sequence[Question],
    change: Sequence[Callable[[], None]],
) -> dict[str, float]:
    """Make every change while people keep asking; how long each took and whom it cost an answer.

    After each change one more answer is waited for, so that every release has written some.
    """
    over = threading.Event()
    answered, failed = [], []

    def person(question: Question) -> None:
        while not over.is_set():
            try:
                answered.append(engine.generate(question.request()).release)
            except Exception as error:
                failed.append(type(error).__name__)

    times = []
    with ThreadPoolExecutor(len(questions)) as people:
        asking = [people.submit(person, question) for question in questions]
        for step in change:
            begun = time.perf_counter()
            step()
            times.append(time.perf_counter() - begun)
            done = len(answered) + len(failed)
            while len(answered) + len(failed) <= done:
                time.sleep(0.01)
        over.set()
        for one in asking:
            one.result()
    return {
        "swaps": len(times),
        "swap_p50_ms": round(1000 * statistics.median(times), 2),
        "swap_max_ms": round(1000 * max(times), 2),
        "answered": len(answered),
        "failed": len(failed),
        "releases_seen": len(set(answered)),
    }


def _prompts(loaded: Loaded, questions: Sequence[Question]) -> list[list[int]]:
    words = Words(loaded.tokenizer, loaded.model.generation_config.eos_token_id)
    return [words.ids(question.request(), 8192) for question in questions]


@contextmanager
def measured(device: torch.device) -> Iterator[Run]:
    run = Run()
    with _peak(device, run):
        _finish(device)
        wall, cpu = time.perf_counter(), time.process_time()
        yield run
        _finish(device)
        run.seconds, run.cpu = time.perf_counter() - wall, time.process_time() - cpu


@contextmanager
def _peak(device: torch.device, run: Run) -> Iterator[None]:
    """The most memory that was in use: the GPU's, or this process's."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        yield
        run.peak_mb = torch.cuda.max_memory_allocated(device) / 1e6
        return
    over, process = threading.Event(), psutil.Process()

    def watch() -> None:
        while not over.wait(0.05):
            run.peak_mb = max(run.peak_mb, process.memory_info().rss / 1e6)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def _finish(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
