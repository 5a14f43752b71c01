"""The OpenAI-compatible engine against servers that answer well, badly, late or not at all."""

import json
import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from core.errors import EngineBusy, EngineError, EngineTimeout
from core.messages import Past
from inference.engine import Generation, Request
from inference.openai import MOST_BYTES, OpenAIEngine

ASK = Request("Ina da zazzabi", past=(Past("user", "sannu"), Past("assistant", "barka")))


def engine(handle: Callable[[httpx.Request], httpx.Response], key: str = "") -> OpenAIEngine:
    transport = httpx.MockTransport(handle)
    return OpenAIEngine("http://127.0.0.1:9/", "gemma", key, transport=transport)


def said(content: object) -> dict[str, object]:
    return {"choices": [{"message": {"role": "assistant", "content": content}}]}


def test_a_question_is_asked_and_its_answer_taken() -> None:
    asked: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json=said("A sha ruwa."))

    assert engine(handle, "secret").generate(ASK) == Generation("A sha ruwa.", "gemma")
    [request] = asked
    body = json.loads(request.content)
    assert str(request.url) == "http://127.0.0.1:9/v1/chat/completions"
    assert request.headers["Authorization"] == "Bearer secret"
    assert [turn["role"] for turn in body["messages"]] == ["system", "user", "assistant", "user"]
    assert (body["model"], body["max_tokens"] > 0) == ("gemma", True)


@pytest.mark.parametrize("base", ["http://h:1", "http://h:1/", "http://h:1/v1", "http://h:1/v1/"])
def test_the_address_may_end_in_v1(base: str) -> None:
    urls: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        urls.append(str(request.url))
        return httpx.Response(200, json=said("a"))

    OpenAIEngine(base, "m", transport=httpx.MockTransport(handle)).generate(ASK)
    assert urls == ["http://h:1/v1/chat/completions"]


def test_without_a_key_none_is_sent() -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        assert "Authorization" not in request.headers
        return httpx.Response(200, json=said("a"))

    engine(handle).generate(ASK)


ANSWERS = [
    ("queue full", httpx.Response(429), EngineBusy),
    ("loading", httpx.Response(503), EngineBusy),
    ("server error", httpx.Response(500, text="CUDA out of memory"), EngineError),
    ("no such model", httpx.Response(404, json={"error": "x"}), EngineError),
    ("redirect", httpx.Response(307, headers={"Location": "http://elsewhere/"}), EngineError),
    ("not JSON", httpx.Response(200, text="<html>"), EngineError),
    ("nothing", httpx.Response(200), EngineError),
    ("not UTF-8", httpx.Response(200, content=b"\xff\xfe{"), EngineError),
    ("a list", httpx.Response(200, json=[]), EngineError),
    ("null", httpx.Response(200, json=None), EngineError),
    ("no choices", httpx.Response(200, json={"choices": []}), EngineError),
    ("choices of another shape", httpx.Response(200, json={"choices": "abc"}), EngineError),
    ("no message", httpx.Response(200, json={"choices": [{}]}), EngineError),
    ("content null", httpx.Response(200, json=said(None)), EngineError),
    ("content a list", httpx.Response(200, json=said([{"text": "a"}])), EngineError),
    ("deep", httpx.Response(200, text="[" * 100_000), EngineError),
    ("endless", httpx.Response(200, content=b" " * (MOST_BYTES + 1)), EngineError),
]


@pytest.mark.parametrize(("label", "answer", "error"), ANSWERS, ids=[case[0] for case in ANSWERS])
def test_a_bad_answer_has_a_name(
    label: str, answer: httpx.Response, error: type[EngineError]
) -> None:
    with pytest.raises(EngineError) as raised:
        engine(lambda _: answer).generate(ASK)
    assert type(raised.value) is error
    assert "CUDA" not in str(raised.value)


FAULTS = [
    (httpx.ConnectError("refused"), EngineError),
    (httpx.ConnectTimeout("late"), EngineTimeout),
    (httpx.ReadTimeout("late"), EngineTimeout),
    (httpx.WriteTimeout("late"), EngineTimeout),
    (httpx.PoolTimeout("late"), EngineTimeout),
    (httpx.ReadError("reset"), EngineError),
    (httpx.RemoteProtocolError("garbage"), EngineError),
]


@pytest.mark.parametrize(("fault", "error"), FAULTS, ids=[type(f).__name__ for f, _ in FAULTS])
def test_a_broken_line_has_a_name_and_is_not_asked_twice(
    fault: Exception, error: type[EngineError]
) -> None:
    calls = []

    def handle(request: httpx.Request) -> httpx.Response:
        calls.append(request)
        raise fault

    with pytest.raises(EngineError) as raised:
        engine(handle).generate(ASK)
    assert (type(raised.value), len(calls)) == (error, 1)


def test_the_deadline_is_the_clients_timeout() -> None:
    timeouts: list[dict[str, float]] = []

    def handle(request: httpx.Request) -> httpx.Response:
        timeouts.append(request.extensions["timeout"])
        return httpx.Response(200, json=said("a"))

    for deadline in (2.0, 60.0):
        engine(handle).generate(Request("a", deadline=deadline))
    assert [(timeout["connect"], timeout["read"]) for timeout in timeouts] == [(2, 2), (5, 60)]


def test_a_trickle_does_not_pass_the_deadline() -> None:
    def trickle() -> Iterator[bytes]:
        while True:
            time.sleep(0.02)
            yield b" "

    started = time.monotonic()
    with pytest.raises(EngineTimeout):
        engine(lambda _: httpx.Response(200, content=trickle())).generate(
            Request("a", deadline=0.1)
        )
    assert time.monotonic() - started < 2


def test_status_never_asks_the_server() -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        raise AssertionError("asked")

    made = engine(handle)
    assert (made.status().name, made.status().ready, made.status().release) == (
        "openai",
        True,
        "gemma",
    )
    made.close()
