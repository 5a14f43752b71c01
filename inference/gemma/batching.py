"""One run of transformers' continuous batching, with our own doors: requests in, tokens out.

What is used of transformers' insides is used here (and its memory account in `plan`); a test
compares it with the installed version. A run ends once: by `end`, by a crash, or abandoned because
it is stuck; whoever supervises builds the next one. Knows no text and no release, only slots.
"""

import itertools
import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from transformers import GenerationConfig, LogitsProcessorList, PreTrainedModel
from transformers.generation.continuous_batching import ContinuousBatchingManager
from transformers.generation.continuous_batching.continuous_api import ContinuousBatchProcessor
from transformers.generation.continuous_batching.input_outputs import ContinuousBatchingIOs

from core.errors import EngineError
from inference.engine import Sampling
from inference.gemma import attention
from inference.gemma.draw import Draw
from inference.gemma.lora import Board
from inference.gemma.plan import Plan
from inference.gemma.residents import BASE_SLOT
from inference.gemma.tickets import Gone, News, OnTokens, Router, Ticket, follow

GREEDY = Sampling(temperature=0.0)
_numbers = itertools.count(1)


class Processor(ContinuousBatchProcessor):
    """Goes quietly: transformers' own collects all garbage as it goes, a second for everybody."""

    def __del__(self) -> None:
        self.inputs_and_outputs = None


class Loop(ContinuousBatchingManager):
    """A thread that generates for all requests at once.

    `on_end` is called from that thread when it ends for whatever reason.
    """

    def __init__(
        self, model: PreTrainedModel, plan: Plan, board: Board, on_end: Callable[[], None]
    ) -> None:
        # It prints token ids of prompts.
        logging.getLogger("ContinuousBatchingLogger").setLevel(logging.CRITICAL + 1)
        ends = model.generation_config.eos_token_id
        super().__init__(
            model=model,
            generation_config=GenerationConfig(eos_token_id=ends, do_sample=False),
            continuous_batching_config=plan.config(),
        )
        self.output_router = Router()
        self._draw = Draw(model.device)
        self.logit_processor.logits_processor = LogitsProcessorList([self._draw])
        self.logit_processor.do_processing = True
        self._board, self._on_end = board, on_end
        self._tickets: dict[str, Ticket] = self.output_router.tickets
        self._abandoned = False
        self._death: BaseException | None = None
        self.capacity, self.steps = plan.capacity, 0
        self.stepped = time.monotonic()

    def begin(self) -> None:
        """Start the thread: one that does not keep the process alive when it is stuck."""
        self.background_thread_status.clear()
        self._thread = threading.Thread(
            target=self._run_generation_loop, name="engine-loop", daemon=True
        )
        self._generation_thread = self._thread
        self._thread.start()

    def submit(
        self, ids: Sequence[int], sampling: Sampling, slot: int = BASE_SLOT, *, stream: bool = False
    ) -> Ticket:
        """Hand in a prompt. Raises Gone when the loop has ended, EngineError if it never holds it.

        (One request that is larger than the cache would end the loop for everybody.)
        """
        if len(ids) + sampling.max_tokens > self.capacity:
            raise EngineError(f"too long: {len(ids)} tokens and {sampling.max_tokens} to write")
        ticket = Ticket(f"r{next(_numbers)}", slot, sampling, time.monotonic())
        self._tickets[ticket.id] = ticket
        taken = self.add_request(
            list(ids), ticket.id, max_new_tokens=sampling.max_tokens, streaming=stream
        )
        if taken is None or not self.alive():
            self._tickets.pop(ticket.id, None)
            raise Gone("the model has stopped")
        return ticket

    def ask(
        self,
        ids: Sequence[int],
        sampling: Sampling,
        slot: int,
        until: float,
        on_tokens: OnTokens | None = None,
    ) -> tuple[Sequence[int], bool]:
        """All tokens of the answer, and whether it came to its end (else `on_tokens` ended it).

        Raises as `submit`, EngineTimeout at `until` and EngineError when the loop fails. Whatever
        happens, the request is out of the loop afterwards.
        """
        ticket = self.submit(ids, sampling, slot, stream=on_tokens is not None)
        try:
            return follow(ticket, until, on_tokens)
        finally:
            self.drop(ticket)

    def drop(self, ticket: Ticket) -> None:
        """Forget a request; one that still runs is cancelled (its blocks are freed next step)."""
        if not ticket.over:
            ticket.over = True
            self.cancel_request(ticket.id)
        self._tickets.pop(ticket.id, None)

    def alive(self) -> bool:
        """Whether it generates, and means to go on."""
        return self.is_running() and not self._abandoned and self.error() is None

    def error(self) -> BaseException | None:
        """What it crashed with."""
        found: BaseException | None = self.background_thread_status.fatal_error
        return found or self._death

    def stuck_for(self, now: float) -> float:
        """Seconds without a step although there is work."""
        waiting = [ticket.since for ticket in list(self._tickets.values())]
        return now - max(self.stepped, min(waiting)) if waiting else 0.0

    def busy(self) -> int:
        """Requests in the loop."""
        return len(self._tickets)

    def free_blocks(self) -> int | None:
        """Blocks of the cache that nobody holds; None before the cache is there."""
        processor = self.batch_processor
        return None if processor is None else int(processor.cache.get_num_free_blocks())

    def end(self, timeout: float = 5.0) -> None:
        """Stop now; requests fail. A thread that does not stop in time is left behind."""
        self.abandon("the model was stopped")
        self._thread.join(timeout)

    def abandon(self, why: str) -> None:
        """Leave a stuck or dead loop: its requests fail, and it may never step again."""
        self._abandoned = True
        self.background_thread_status.request_stop(self.background_thread_status.HARD_STOP, 0)
        self._has_new_requests.set()
        self.fail_all(why)

    def fail_all(self, why: str) -> None:
        """The last word for every request that still waits for it."""
        for ticket in list(self._tickets.values()):
            ticket.tell(News(failure=why))

    def let_go(self) -> None:
        """Free the cache after the end."""
        error = self.error()
        if error is not None:
            error.__traceback__ = None  # its frames hold the step's tensors
        self.batch_processor = None
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _create_batch_processor(self) -> ContinuousBatchProcessor:
        processor = super()._create_batch_processor()
        processor.__class__ = Processor
        return processor

    def _run_generation_loop(self) -> None:
        try:
            super()._run_generation_loop()
        except BaseException as error:  # what transformers does not catch: the thread was killed
            self._death = error
        finally:
            self._on_end()

    def _generation_step(self) -> None:
        """One step: lay out the slots and the sampling of its tokens just before it is computed."""
        if self._abandoned:
            raise RuntimeError("abandoned")
        processor: Any = self.batch_processor
        inputs = processor.inputs_and_outputs
        if not isinstance(inputs, ContinuousBatchingIOs):
            raise RuntimeError("steps are prepared ahead: their slots are unknown")
        batch = inputs.requests_in_batch
        spans = [(self._slot(each.state.request_id), each.query_length) for each in batch]
        self._board.deal(spans, self.model.device)
        processor.cache.layout = attention.lay_out(
            [(each.query_length, each.state.position_offset - each.query_length) for each in batch]
        )
        if self.model.device.type == "cuda":
            # The inputs were filled on this thread's stream, and are read on the loop's own.
            torch.cuda.current_stream().synchronize()
        drawn = [each.state.request_id for each in batch if each.has_new_token]
        self._draw.rows = [self._sampling(each) for each in drawn]
        super()._generation_step()
        self._note_broken(drawn)
        self.stepped = time.monotonic()
        self.steps += 1

    def _slot(self, request: str) -> int:
        ticket = self._tickets.get(request)
        return ticket.slot if ticket else BASE_SLOT

    def _sampling(self, request: str) -> Sampling:
        ticket = self._tickets.get(request)
        return ticket.sampling if ticket else GREEDY

    def _note_broken(self, drawn: list[str]) -> None:
        if self._draw.broken is None or not self._draw.broken.any():
            return
        for request, broken in zip(drawn, self._draw.broken.tolist(), strict=True):
            if broken and request in self._tickets:
                self._tickets[request].broken = True


def is_out_of_memory(error: BaseException | None) -> bool:
    """Whether a crash was for want of memory, on a GPU or in the computer's own."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    words = str(error).lower()
    return isinstance(error, RuntimeError) and (
        "can't allocate memory" in words or "not enough memory" in words or "out of memory" in words
    )
