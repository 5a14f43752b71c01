"""ENGINE=transformers: Gemma-3 in this process, many people at once, releases swapped unnoticed.

Puts the parts together: the model (`load`), its prompt (`words`), one batch loop (`supervisor`,
`batching`) and the LoRA releases in it (`lora`, `residents`). It decides nothing about safety.
A repetition penalty does not exist here; the guard catches repetition.
"""

import gc
import threading
import time
from dataclasses import replace

import torch
from transformers import PreTrainedModel

from core import logs
from core.errors import (
    EngineAbsent,
    EngineTimeout,
    LafiyaError,
    ReleaseUnusable,
    SettingsError,
)
from inference.engine import BASE, EngineStatus, Generation, OnText, Release, Request, Sampling
from inference.gemma import adapter, tiny
from inference.gemma.gate import Gate
from inference.gemma.load import Loaded, load
from inference.gemma.lora import Slots
from inference.gemma.plan import plan
from inference.gemma.residents import Residents
from inference.gemma.supervisor import Supervisor
from inference.gemma.words import Unfolding, Words

#: What a new release must answer before it may be asked.
CANARY = Request("Yaya zan kare kaina daga zazzabin cizon sauro?")
CANARY_SAMPLING = Sampling(temperature=0.0, max_tokens=8)
#: Seconds that loading a release waits for a place and for its canary.
PATIENCE = 60.0
#: How far along the whole start is when a stage begins, and how much of it the stage is.
STAGES = {"download": (0.0, 0.6), "load": (0.6, 0.3), "warm": (0.9, 0.05), "start": (0.95, 0.05)}


class _Closed(Exception):
    """The engine was closed while it was being loaded."""


class TransformersEngine:
    """Loads in the background; until then every question is refused with EngineAbsent.

    `release` goes live before the first answer: when it cannot, nothing answers in its stead.
    """

    verbatim = False

    def __init__(
        self,
        model: str,
        *,
        quantize: str = "none",
        dtype: str = "native",
        cache_gb: float = 0.0,
        running: int = 32,
        waiting: int = 64,
        demo: bool = False,
        release: Release | None = None,
        loaded: Loaded | None = None,
        stuck: float = 120.0,
    ) -> None:
        """Start loading `model` (`quantize`, `dtype` as in `load`), or take one that is `loaded`.

        Raises SettingsError for random weights without `demo`.
        """
        self._note = "demo: random weights" if tiny.is_demo(model) else ""
        if self._note and not demo:
            raise SettingsError(
                "MODEL: these are random weights, made for tests and demonstrations; "
                "set DEMO=true to see them at work"
            )
        self._name, self._quantize, self._dtype = model, quantize, dtype
        self._cache_gb, self._running, self._stuck = cache_gb, running, stuck
        self._first = release or Release(BASE)
        self._gate = Gate(running, waiting)
        self._residents = Residents()
        self._loading = threading.RLock()
        self._closed = threading.Event()
        self._stage, self._progress = "waiting", 0.0
        self._failure = ""
        self._loaded: Loaded | None = None
        self._slots: Slots | None = None
        self._words: Words | None = None
        self._supervisor: Supervisor | None = None
        #: The loop can be asked; and loading has come to its end, well or not.
        self._up, self._settled = threading.Event(), threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(loaded,), name="engine-supervisor", daemon=True
        )
        self._thread.start()

    def status(self) -> EngineStatus:
        """What stage loading is at; then what is live, and what had to be given up."""
        inside, queued = self._gate.counts()
        supervisor, live = self._supervisor, self._residents.live
        done = self._settled.is_set()
        trouble = self._failure or (supervisor.trouble if supervisor else "")
        loading = f"loading: {self._stage}, {self._progress:.0%}"
        detail = trouble or (self._name if done else loading)
        return EngineStatus(
            "transformers",
            live is not None and supervisor is not None and supervisor.alive(),
            "; ".join(filter(None, (detail, self._note))),
            live,
            None if done else round(self._progress, 3),
            self._residents.names() if self._up.is_set() else (),
            inside,
            queued,
        )

    def generate(self, request: Request, on_text: OnText | None = None) -> Generation:
        """The answer of the release that is live when its turn comes, or of `request.release`.

        `on_text` is called in the caller's thread: a slow one keeps nobody else waiting. Raises
        EngineAbsent while loading or resting, EngineBusy, EngineTimeout, ReleaseUnusable for a
        release that is not resident, EngineError for a prompt that is too long or a failed model.
        """
        until = time.monotonic() + request.deadline
        words, supervisor = self._need()
        capacity, sampling = supervisor.plan.capacity, request.sampling
        sampling = replace(sampling, max_tokens=min(sampling.max_tokens, capacity // 2))
        ids = words.ids(request, capacity - sampling.max_tokens)
        with self._gate.passed(until), self._residents.pinned(request.release) as (name, slot):
            grown = Unfolding(words)
            on_tokens = (lambda t: on_text(grown.take(t))) if on_text else None
            try:
                tokens, ended = supervisor.ask(ids, sampling, slot, until, on_tokens)
            except EngineTimeout as late:
                raise EngineTimeout(str(late), name) from None
            end = words.end(tokens) if ended else "stopped"
            return Generation(grown.take(tokens), name, end, len(tokens))

    def load(self, release: Release) -> None:
        """Read a release, put it beside the others and let it answer once. Nobody waits for it.

        Raises ReleaseUnusable; then everything is as it was.
        """
        with self._loading:
            known = self._residents.folder(release.name)
            if known is None:
                self._bring_in(release)
            elif release.name != BASE and release.folder not in ("", known):
                raise ReleaseUnusable(f"{release.name} is loaded from another folder")

    def activate(self, release: Release) -> None:
        """Answer new questions with this release. Raises ReleaseUnusable; the live one stays."""
        if not self._up.is_set():
            raise ReleaseUnusable(f"{release.name}: the model is not loaded yet")
        with self._loading:
            self.load(release)
            self._residents.go_live(release.name)
            self._failure = ""
        logs.event("engine.live", release=release.name)

    def close(self) -> None:
        """Stop, also in the middle of loading; questions in flight fail."""
        self._closed.set()
        self._gate.refuse("the model is stopped")
        if self._supervisor is not None:
            self._supervisor.close()
        self._thread.join(5.0)
        if self._supervisor is not None:
            self._supervisor.close()  # again: it may have been starting
        if self._slots is not None:
            self._slots.remove()
        self._loaded = self._slots = self._words = self._supervisor = None
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    @property
    def supervisor(self) -> Supervisor | None:
        """What runs the loop, for those who look inside (tests, benchmarks)."""
        return self._supervisor

    def wait(self, timeout: float) -> bool:
        """Wait until it answers or has failed to; whether it answers."""
        return self._settled.wait(timeout) and self.status().ready

    def _need(self) -> tuple[Words, Supervisor]:
        words, supervisor = self._words, self._supervisor
        if self._failure or words is None or supervisor is None or not self._up.is_set():
            raise EngineAbsent(self._failure or "the model is being loaded")
        return words, supervisor

    def _run(self, loaded: Loaded | None) -> None:
        """The background thread: load, then look after the loop."""
        try:
            self._come_up(loaded).watch()
        except _Closed:
            return
        except LafiyaError as error:
            self._give_up(str(error))
        except Exception as error:
            logs.crash("engine.failed", error)
            self._give_up(f"the model could not be started ({type(error).__name__})")

    def _come_up(self, loaded: Loaded | None) -> Supervisor:
        loaded = loaded or load(
            self._name, quantize=self._quantize, dtype=self._dtype, on_progress=self._report
        )
        self._report("start", 0.0, "")
        model: PreTrainedModel = loaded.model
        self._loaded = loaded
        self._words = Words(loaded.tokenizer, model.generation_config.eos_token_id)
        self._slots = Slots(model.model)
        size = plan(
            model.config,
            device=model.device,
            dtype=model.dtype,
            running=self._running,
            cache_gb=self._cache_gb,
        )
        canary = self._words.ids(CANARY, size.capacity)
        supervisor = self._supervisor = Supervisor(
            model, size, self._slots.board, self._gate, canary, stuck=self._stuck
        )
        supervisor.start()
        self._report("start", 1.0, "")
        self._up.set()
        self._start_with(self._first)
        return supervisor

    def _start_with(self, release: Release) -> None:
        try:
            self.activate(release)
        except ReleaseUnusable as error:
            self._failure = f"{release.name} cannot be served: {error}"
        self._settled.set()

    def _bring_in(self, release: Release) -> None:
        slots, loaded = self._slots, self._loaded
        if slots is None or loaded is None or not self._up.is_set():
            raise ReleaseUnusable(f"{release.name}: the model is not loaded yet")
        try:
            read = adapter.read(release, loaded.model.config)
            slot = self._residents.reserve(PATIENCE)
        except Exception as error:
            raise _unusable(release, error) from None
        try:
            slots.place(slot, read.weights, read.scaling)
            self._try_out(slot)
        except Exception as error:
            slots.clear(slot)
            self._residents.give_back(slot)
            raise _unusable(release, error) from None
        self._residents.publish(release, slot)
        logs.event("engine.loaded", release=release.name, slot=slot)

    def _try_out(self, slot: int) -> None:
        """The canary. Raises EngineError when nothing comes of it."""
        words, supervisor = self._words, self._supervisor
        if words is None or supervisor is None:
            raise EngineAbsent("the model is stopped")
        ids = words.ids(CANARY, supervisor.plan.capacity - CANARY_SAMPLING.max_tokens)
        supervisor.try_alone(ids, CANARY_SAMPLING, slot, time.monotonic() + PATIENCE)

    def _report(self, stage: str, done: float, detail: str) -> None:
        """Note how far loading is. Raises _Closed to end it when the engine was closed."""
        if self._closed.is_set():
            raise _Closed
        begin, part = STAGES.get(stage, (0.0, 0.0))
        self._progress = begin + part * min(1.0, max(0.0, done))
        self._stage = " ".join(filter(None, (stage, detail)))

    def _give_up(self, reason: str) -> None:
        if self._closed.is_set():
            return
        self._failure = reason
        self._up.clear()
        self._settled.set()
        self._gate.refuse(reason)
        logs.event("engine.absent", reason=reason)


def _unusable(release: Release, error: Exception) -> ReleaseUnusable:
    """Any failure to bring a release in, as the port names it."""
    if isinstance(error, ReleaseUnusable) and release.name in str(error):
        return error
    if isinstance(error, LafiyaError):
        return ReleaseUnusable(f"{release.name}: {error}")
    logs.crash("engine.release_failed", error)
    return ReleaseUnusable(f"{release.name}: {type(error).__name__} while it was put in place")
