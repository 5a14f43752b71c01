"""A second look at what the library found: a re-ranker helps to order unsure candidates.

Knows the port, a deadline and what a re-ranker may not do: only the outcome "context" is asked
about, nothing is added or dropped, nothing becomes certain, and a slow or broken re-ranker leaves
the order as it was. It speaks beside the words, not in their place: a model that has never read
Hausa would otherwise undo what they know. Knows no model; `knowledge.rerank_fakes` has one that
obeys.
"""

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from dataclasses import replace
from typing import Final, Protocol

from core import logs
from knowledge.library import Match, Passage
from knowledge.topic import Topic

DEADLINE: Final = 1.0
#: How much a number of the re-ranker counts beside the library's own score of a passage. The
#: library's first two are seldom 0.3 apart where it is unsure, and so are two cosines.
SHARE: Final = 0.3


class Reranker(Protocol):
    """Says how well passages fit a question."""

    def scores(self, question: str, passages: Sequence[str]) -> Sequence[float]:
        """One number a passage from -1 to 1, as a cosine; higher is better. May raise anything."""


class Searcher(Protocol):
    """What is put in order (`knowledge.library.Library`, or a fake)."""

    @property
    def topics(self) -> Mapping[str, Topic]:
        """Every topic that may be served, by id."""

    def search(self, text: str) -> Match:
        """The topics that fit, best first."""


class Reranked:
    """A library whose unsure findings a re-ranker puts in order; in its place wherever it goes."""

    def __init__(
        self, library: Searcher, load: Callable[[], Reranker], *, deadline: float = DEADLINE
    ) -> None:
        """`load` gives the re-ranker; it is called at the first question, beside the answer."""
        self._library = library
        self._load = load
        self._deadline = deadline
        self._reranker: Reranker | None = None
        self._broken = False
        self._one = ThreadPoolExecutor(max_workers=1, thread_name_prefix="rerank")
        self._busy = threading.Lock()

    @property
    def topics(self) -> Mapping[str, Topic]:
        """The library's."""
        return self._library.topics

    def search(self, text: str) -> Match:
        """Search the library; order its candidates anew when it is unsure. Never raises more."""
        match = self._library.search(text)
        if match.outcome != "context" or len(match.passages) < 2 or self._broken:
            return match
        order = self._order(text, match.passages)
        if order is None:
            return match
        found = tuple(match.passages[place] for place in order)
        # What was well ahead by its words is likely only while nothing speaks for another.
        return replace(match, passages=found, likely=match.likely and order[0] == 0)

    def close(self) -> None:
        """Wait for nothing more."""
        self._one.shutdown(wait=False, cancel_futures=True)

    def _order(self, text: str, passages: Sequence[Passage]) -> list[int] | None:
        """The places of `passages`, best first; None when that could not be told in time."""
        # A question behind one that is late would be late too.
        if not self._busy.acquire(blocking=False):
            return None
        asked = self._one.submit(self._ask, text, [passage.text for passage in passages])
        try:
            scores = asked.result(timeout=self._deadline)
        except TooLate:
            logs.event("rerank.late", deadline=self._deadline)
            return None
        except Exception as error:
            logs.crash("rerank.failed", error)
            return None
        both = [
            passage.score + SHARE * said for passage, said in zip(passages, scores, strict=True)
        ]
        return sorted(range(len(both)), key=lambda place: -both[place])

    def _ask(self, text: str, passages: Sequence[str]) -> list[float]:
        try:
            return self._scores(text, passages)
        finally:
            self._busy.release()

    def _scores(self, text: str, passages: Sequence[str]) -> list[float]:
        if self._reranker is None:
            self._reranker = self._loaded()
        scores = [float(score) for score in self._reranker.scores(text, passages)]
        if len(scores) != len(passages) or not all(map(math.isfinite, scores)):
            raise ValueError("a re-ranker gives one finite number for each passage")
        return scores

    def _loaded(self) -> Reranker:
        try:
            return self._load()
        except Exception:
            # It would fail again at every question, and cost each of them the time.
            self._broken = True
            raise
