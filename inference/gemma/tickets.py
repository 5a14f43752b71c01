"""A request in the batch loop, and the way of its tokens to whoever waits for them.

Knows transformers' outputs; no model, no text, no release.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue

from transformers.generation.continuous_batching.continuous_api import OutputRouter
from transformers.generation.continuous_batching.requests import GenerationOutput, RequestStatus

from core.errors import EngineError, EngineTimeout
from inference.engine import Sampling

#: Called with all tokens so far; False ends the request.
OnTokens = Callable[[Sequence[int]], bool]


class Gone(EngineError):
    """This loop takes no more requests; the next one may."""


@dataclass(frozen=True, slots=True)
class News:
    """What became of a request since: all tokens so far, whether that was all, or why it failed."""

    tokens: Sequence[int] = field(default=(), repr=False)
    done: bool = False
    failure: str = ""


@dataclass(slots=True)
class Ticket:
    """A request in the loop. `news` gets the last word exactly once, whatever happens."""

    id: str
    slot: int
    sampling: Sampling
    since: float
    news: "SimpleQueue[News]" = field(default_factory=SimpleQueue, repr=False)
    broken: bool = False
    over: bool = False

    def tell(self, news: News) -> None:
        """Pass on, unless the last word was said."""
        if not self.over:
            self.over = news.done or bool(news.failure)
            self.news.put(news)


class Router(OutputRouter):
    """Hands outputs to the tickets' own queues; what nobody waits for any more is dropped."""

    def __init__(self) -> None:
        super().__init__()
        self.tickets: dict[str, Ticket] = {}

    def deliver(self, output: GenerationOutput) -> None:
        """One output. A failure is passed on without its words, which may quote a prompt."""
        ticket = self.tickets.get(output.request_id)
        if ticket is None:
            return
        if ticket.broken:
            ticket.tell(News(failure="the model's output was no number"))
        elif output.status == RequestStatus.FAILED:
            ticket.tell(News(failure="the model failed"))
        else:
            ticket.tell(News(output.generated_tokens, output.is_finished()))

    def deliver_batch(self, outputs: list[GenerationOutput]) -> None:
        """The outputs of one step."""
        for output in outputs:
            self.deliver(output)


def follow(ticket: Ticket, until: float, on_tokens: OnTokens | None) -> tuple[Sequence[int], bool]:
    """A request to its end: all tokens, and whether it ended by itself (else by `on_tokens`).

    Raises EngineTimeout at `until` (time.monotonic), EngineError for a failure.
    """
    while True:
        news = _newest(ticket, until)
        if news.failure:
            raise EngineError(news.failure)
        if news.done:
            return news.tokens, True
        if on_tokens is not None and not on_tokens(news.tokens):
            return news.tokens, False


def _newest(ticket: Ticket, until: float) -> News:
    """Wait for news; of several only the last counts, for each holds all tokens so far."""
    try:
        news = ticket.news.get(timeout=max(0.0, until - time.monotonic()))
    except Empty:
        raise EngineTimeout("the deadline passed while the model was writing") from None
    while not ticket.news.empty():
        news = ticket.news.get()
    return news
