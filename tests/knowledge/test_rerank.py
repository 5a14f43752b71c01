"""Re-ranking orders what is unsure and changes nothing else, in time or not at all."""

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from knowledge.library import Match, Outcome, Passage
from knowledge.rerank import Reranked, Reranker
from knowledge.rerank_fakes import FakeReranker

PASSAGES = tuple(Passage(key, 0.5 - 0.1 * at, f"text {key}") for at, key in enumerate("abc"))


class Shelf:
    """A library that always finds the same."""

    topics: dict[str, object] = {}  # noqa: RUF012

    def __init__(self, outcome: Outcome, passages: tuple[Passage, ...] = PASSAGES) -> None:
        self.match = Match(outcome, passages, off_topic=False, likely=outcome == "context")

    def search(self, text: str) -> Match:
        return self.match


made: list[Reranked] = []


def reranked(shelf: Shelf, reranker: Reranker, **changes: float) -> Reranked:
    made.append(Reranked(shelf, lambda: reranker, **changes))  # type: ignore[arg-type]
    return made[-1]


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while made:
        made.pop().close()


def ids(match: Match) -> str:
    return "".join(passage.id for passage in match.passages)


def test_unsure_candidates_are_put_in_order_and_none_is_lost() -> None:
    shelf = Shelf("context")
    match = reranked(shelf, FakeReranker(favourite="text c")).search("tambaya")
    assert (match.outcome, ids(match), match.likely) == ("context", "cab", False)
    assert sorted(match.passages, key=lambda p: p.id) == list(PASSAGES)


def test_ties_keep_the_order_of_the_words() -> None:
    match = reranked(Shelf("context"), FakeReranker(given=[0.0, 0.0, 0.0])).search("tambaya")
    assert (ids(match), match.likely) == ("abc", True)


def test_a_clear_lead_of_the_words_is_not_undone() -> None:
    ahead = (replace(PASSAGES[0], score=0.9), *PASSAGES[1:])
    match = reranked(Shelf("context", ahead), FakeReranker(favourite="text c")).search("tambaya")
    assert (ids(match), match.likely) == ("acb", True)


@pytest.mark.parametrize("outcome", ["certain", "nothing"])
def test_what_is_certain_or_nothing_is_left_alone(outcome: Outcome) -> None:
    reranker = FakeReranker(favourite="text c")
    shelf = Shelf(outcome, PASSAGES if outcome == "certain" else ())
    assert reranked(shelf, reranker).search("tambaya") is shelf.match
    assert not reranker.asked


@pytest.mark.parametrize(
    ("label", "reranker"),
    [
        ("it fails", FakeReranker(fault=RuntimeError("ciwon kai"))),
        ("too few numbers", FakeReranker(given=[1.0])),
        ("no number", FakeReranker(given=[1.0, float("nan"), 0.0])),
    ],
)
def test_what_fails_leaves_the_order_and_is_logged(
    label: str, reranker: FakeReranker, caplog: pytest.LogCaptureFixture
) -> None:
    shelf = Shelf("context")
    assert reranked(shelf, reranker).search("ciwon kai") is shelf.match
    assert [record.message for record in caplog.records] == ["rerank.failed"]
    assert "ciwon kai" not in str([record.__dict__ for record in caplog.records])


def test_what_is_late_leaves_the_order_and_holds_up_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    gate = threading.Event()
    shelf, reranker = Shelf("context"), FakeReranker(favourite="text c", gate=gate)
    library = reranked(shelf, reranker, deadline=0.05)
    assert library.search("daya") is shelf.match
    assert [record.message for record in caplog.records] == ["rerank.late"]
    assert library.search("biyu") is shelf.match
    gate.set()
    while ids(library.search("uku")) != "cab":
        pass
    assert "biyu" not in reranker.asked


def test_one_that_cannot_be_loaded_is_tried_once(caplog: pytest.LogCaptureFixture) -> None:
    tries = []

    def load() -> Reranker:
        tries.append(1)
        raise OSError("no such folder")

    made.append(Reranked(Shelf("context"), load))  # type: ignore[arg-type]
    for _ in range(3):
        assert ids(made[-1].search("tambaya")) == "abc"
    assert len(tries) == 1
    assert [record.message for record in caplog.records] == ["rerank.failed"]
