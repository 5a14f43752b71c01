"""Log lines: JSON or plain, ids and numbers, no library's text, no traceback's text."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from core import logs
from core.errors import LafiyaError, SendLater, SendRefused, StoreError


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """What is logged, with the logging of the tests put back afterwards."""
    root, ours = logging.getLogger(), logging.getLogger("lafiya")
    kept = root.handlers[:], root.level, ours.level
    yield io.StringIO()
    root.handlers[:], level, our_level = kept
    root.setLevel(level)
    ours.setLevel(our_level)


def test_an_event_is_one_json_line(stream: io.StringIO) -> None:
    logs.configure(stream=stream)
    logs.event("message.answered", job=7, seconds=0.5, topic=None, urgent=True)
    [line] = stream.getvalue().splitlines()
    row = json.loads(line)
    assert row.pop("at").endswith("Z")
    assert row == {
        "level": "info",
        "action": "message.answered",
        "job": 7,
        "seconds": 0.5,
        "topic": None,
        "urgent": True,
    }


def test_a_plain_line(stream: io.StringIO) -> None:
    logs.configure(form="text", stream=stream)
    logs.event("part.sent", part=3)
    assert stream.getvalue().rstrip().endswith("info    part.sent part=3")


def test_levels(stream: io.StringIO) -> None:
    logs.configure("WARNING", stream=stream)
    logs.event("quiet")
    logs.event("loud", level=logging.ERROR)
    assert [json.loads(line)["action"] for line in stream.getvalue().splitlines()] == ["loud"]


def test_libraries_say_only_who_spoke(stream: io.StringIO) -> None:
    logs.configure(stream=stream)
    logging.getLogger("httpx").info("GET https://api.telegram.org/bot123:SECRET/getMe")
    logging.getLogger("httpx").warning("GET https://api.telegram.org/bot123:SECRET/getMe")
    try:
        raise ValueError("SECRET words")
    except ValueError:
        logging.getLogger("knowledge.triage").exception("on %s", "SECRET")
    rows = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [row["action"] for row in rows] == ["httpx.warning", "knowledge.triage.error"]
    assert "SECRET" not in stream.getvalue()


@pytest.mark.parametrize("name", sorted(logs.FORBIDDEN))
def test_a_field_that_may_be_personal_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        logs.event("x", **{name: "y"})


def test_a_crash_says_what_and_where_but_not_the_words(stream: io.StringIO) -> None:
    logs.configure(stream=stream)

    def fail() -> None:
        raise KeyError("SECRET words")

    try:
        fail()
    except KeyError as error:
        logs.crash("x.failed", error, job=1)
    row = json.loads(stream.getvalue())
    assert (row["level"], row["error"], row["job"]) == ("error", "KeyError", 1)
    assert row["where"].startswith("core/test_logs.py:")
    assert "SECRET" not in stream.getvalue()


def test_an_error_without_words_says_its_own() -> None:
    assert str(StoreError()) == "The store cannot be used."
    assert str(StoreError("database: gone")) == "database: gone"
    assert isinstance(SendLater(after=3), LafiyaError)
    assert (SendLater(after=3).after, SendLater.retryable, SendRefused.retryable) == (
        3,
        True,
        False,
    )


def test_a_burst_of_waiting_requests_is_one_line_a_minute(stream: io.StringIO) -> None:
    logs.configure(stream=stream)
    noisy, other = logging.getLogger("waitress.queue"), logging.getLogger("waitress")
    at = 1_800_000_000.0
    for seconds in (0, 0.1, 59.9, 60, 60.1, 119, 120.5):
        record = noisy.makeRecord(noisy.name, 30, "x", 1, "Task queue depth is %d", (3,), None)
        record.created = at + seconds
        noisy.handle(record)
    for _ in range(2):
        other.warning("another part of it")
        logs.event("ours")
    said = [json.loads(line)["action"] for line in stream.getvalue().splitlines()]
    assert said == ["waitress.queue.warning"] * 3 + ["waitress.warning", "ours"] * 2
