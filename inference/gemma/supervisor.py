"""Keeps a batch loop running: builds it, asks it, and builds the next one after a crash.

A loop that crashed or is stuck fails its requests at once (the bot's fallback answers them); those
at the door wait for the next loop. Three rebuilds in five minutes are enough: then it rests until
the first is five minutes ago. Knows no text and no release.
"""

import gc
import logging
import threading
import time
from collections import deque
from collections.abc import Sequence

from transformers import PreTrainedModel

from core import logs
from core.errors import EngineError
from inference.engine import Sampling
from inference.gemma import attention
from inference.gemma.batching import Loop, is_out_of_memory
from inference.gemma.gate import Gate
from inference.gemma.lora import Board
from inference.gemma.plan import Plan, halve, least
from inference.gemma.residents import BASE_SLOT
from inference.gemma.tickets import Gone, OnTokens

RESTARTS, WITHIN = 3, 300.0
#: What a new loop is asked, and the seconds it has for it (a GPU chooses its kernels meanwhile).
FIRST = Sampling(temperature=0.0, max_tokens=2)
FIRST_ANSWER = 120.0
#: How often the loop is looked at when nothing happens, in seconds.
TICK = 0.5


class Supervisor:
    """One model, one loop at a time. `try_out` is a prompt that every new loop must answer."""

    def __init__(
        self,
        model: PreTrainedModel,
        plan: Plan,
        board: Board,
        gate: Gate,
        try_out: Sequence[int],
        *,
        stuck: float = 120.0,
    ) -> None:
        self.plan, self.gate = plan, gate
        #: Why it does not answer, or what it had to give up; empty when all is well.
        self.trouble = ""
        self._model, self._board = model, board
        self._try_out, self._stuck = try_out, stuck
        self._attention: str = model.config._attn_implementation
        self._wanted = plan.running
        self._loop: Loop | None = None
        self._swapping = threading.Lock()
        self._wake, self._closing = threading.Event(), threading.Event()
        self._rebuilt: deque[float] = deque(maxlen=RESTARTS)

    def start(self) -> None:
        """Build the first loop, smaller when the memory is short. Raises EngineError."""
        if not self._attention.startswith("paged|"):
            # Named, so that no other kernels are looked for on the network.
            attention.register()
            flash = "flash" in self._attention
            name = f"paged|{self._attention}" if flash else attention.NAME
            self._model.set_attn_implementation(name)
        while (error := self._build()) is not None:
            if not (is_out_of_memory(error) and self._shrink()):
                raise EngineError(self.trouble)
        self._welcome()

    def watch(self) -> None:
        """Look after the loop until `close`."""
        while not self._closing.is_set():
            self._wake.wait(TICK)
            self._wake.clear()
            why = self._what_is_wrong()
            if why and not self._closing.is_set():
                self._recover(why)

    def ask(
        self,
        ids: Sequence[int],
        sampling: Sampling,
        slot: int,
        until: float,
        on_tokens: OnTokens | None = None,
    ) -> tuple[Sequence[int], bool]:
        """All tokens of the answer, and whether it came to its end (else `on_tokens` ended it).

        Raises EngineTimeout at `until`, EngineError when the loop fails. Whatever happens, the
        request is out of the loop afterwards: a cancelled one never reports back by itself.
        """
        while True:
            self.gate.wait_open(until)
            loop = self._loop
            try:
                if loop is None:
                    raise Gone
                return loop.ask(ids, sampling, slot, until, on_tokens)
            except Gone:
                self._see_off(loop)

    def try_alone(self, ids: Sequence[int], sampling: Sampling, slot: int, until: float) -> None:
        """Ask in a small loop of its own. Raises EngineError when no answer comes.

        What ends that loop ends nobody else's answer; and what is no number spreads, with some
        kinds of attention, to all who share a step.
        """
        small = least(self._model.config.get_text_config(), len(ids) + sampling.max_tokens)
        loop = Loop(self._model, small, self._board, lambda: None)
        loop.begin()
        try:
            loop.ask(ids, sampling, slot, until)
        finally:
            loop.end()
            loop.let_go()

    def alive(self) -> bool:
        """Whether a loop is running."""
        return self._loop is not None and self._loop.alive()

    @property
    def loop(self) -> Loop | None:
        """The loop of now, for those who look inside (tests, benchmarks)."""
        return self._loop

    def close(self) -> None:
        """End the loop; the model is as it was before."""
        self._closing.set()
        self._wake.set()
        if self._loop is not None:
            self._loop.end()
            self._loop.let_go()
            self._loop = None
        self._model.set_attn_implementation(self._attention)

    def _build(self) -> BaseException | None:
        """A new loop that has answered once; or why there is none."""
        loop = Loop(self._model, self.plan, self._board, self._wake.set)
        with self._swapping:
            self._loop = loop
        loop.begin()
        try:
            loop.ask(self._try_out, FIRST, BASE_SLOT, time.monotonic() + FIRST_ANSWER)
        except EngineError as error:
            cause = loop.error() or error
            self._bury("crashed")
            return cause
        return None

    def _see_off(self, loop: Loop | None) -> None:
        """Shut the door of a loop that has ended, before the next is built and opens it."""
        with self._swapping:
            if self._loop is loop:
                self.gate.shut()
        self._wake.set()

    def _what_is_wrong(self) -> str:
        loop = self._loop
        if loop is None or not loop.alive():
            return "crashed"
        return "stuck" if loop.stuck_for(time.monotonic()) > self._stuck else ""

    def _recover(self, why: str) -> None:
        """Fail what is in the loop, and build the next one as soon as that is allowed."""
        error = self._bury(why)
        while self._wait_for_turn(error):
            if is_out_of_memory(error):
                self._shrink()
            self._rebuilt.append(time.monotonic())
            error = self._build()
            if error is None:
                logs.event("engine.rebuilt", running=self.plan.running, blocks=self.plan.blocks)
                return self._welcome()
        return None

    def _bury(self, why: str) -> BaseException | None:
        """Let go of the loop, failing its requests. What it died of."""
        with self._swapping:
            self.gate.shut()
            loop, self._loop = self._loop, None
        if loop is None:
            return None
        error = loop.error()
        self.trouble = "out of memory" if is_out_of_memory(error) else f"the model {why}"
        logs.event(
            f"engine.{why}", level=logging.ERROR, error=type(error).__name__, steps=loop.steps
        )
        loop.abandon("the model has stopped")
        loop.let_go()
        gc.collect()  # the next loop wants this one's memory
        return error

    def _wait_for_turn(self, error: BaseException | None) -> bool:
        """Wait until a rebuild is allowed. False when it is time to close, or of no use."""
        if is_lost(error):
            self.trouble = "the GPU is lost to this process: restart the service"
            self.gate.refuse(self.trouble)
            self._closing.wait()
        wait = next_rebuild(self._rebuilt, time.monotonic())
        if wait > 0:
            self.trouble += f"; rebuilt {RESTARTS} times, next try in {WITHIN / 60:g} minutes"
            logs.event("engine.resting", level=logging.ERROR, seconds=round(wait))
            self.gate.refuse(self.trouble)
        return not self._closing.wait(wait)

    def _shrink(self) -> bool:
        """Half of the cache and of the batch; False when they are the least already."""
        smaller = halve(self.plan, self._model.config.get_text_config())
        if smaller is None:
            return False
        self.plan = smaller
        logs.event(
            "engine.memory", level=logging.WARNING, running=smaller.running, blocks=smaller.blocks
        )
        return True

    def _welcome(self) -> None:
        """Open the door, and say what had to be given up."""
        now, wanted = self.plan.running, self._wanted
        self.trouble = f"out of memory: {now} at once, not {wanted}" if now < wanted else ""
        self.gate.open(self.plan.running)


def is_lost(error: BaseException | None) -> bool:
    """Whether a GPU error is of the kind that every later call meets again."""
    return "CUDA error" in str(error) and not is_out_of_memory(error)


def next_rebuild(rebuilt: Sequence[float], now: float) -> float:
    """Seconds until one more rebuild is allowed."""
    if len(rebuilt) < RESTARTS:
        return 0.0
    return max(0.0, rebuilt[-RESTARTS] + WITHIN - now)
