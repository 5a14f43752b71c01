"""One OpenAI-compatible server, as httpx sees it: what is asked, and what each answer means."""

import json
import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from core.errors import EngineAbsent, EngineBusy, EngineError, EngineTimeout, ReleaseUnusable
from core.messages import Past
from inference.engine import BASE, Generation, Release, Request, Sampling
from inference.openai import OpenAIEngine
from inference.openai_sse import TooLong
from inference.openai_wire import MOST_BYTES

#: A server that goes away in the middle of a connect leaves httpcore with a socket to collect.
pytestmark = pytest.mark.filterwarnings("ignore:Exception ignored in. <socket")

ASK = Request("Ina da zazzabi", past=(Past("user", "sannu"), Past("assistant", "barka")))


def engine(handle: Callable[[httpx.Request], httpx.Response], key: str = "") -> OpenAIEngine:
    transport = httpx.MockTransport(handle)
    return OpenAIEngine("http://127.0.0.1:9/", "gemma", key, check_seconds=0, transport=transport)


def said(content: object) -> dict[str, object]:
    return {"choices": [{"message": {"role": "assistant", "content": content}}]}


def test_a_question_is_asked_and_its_answer_taken() -> None:
    asked: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json=said("A sha ruwa."))

    assert engine(handle, "secret").generate(ASK) == Generation("A sha ruwa.", BASE, tokens=1)
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

    transport = httpx.MockTransport(handle)
    OpenAIEngine(base, "m", check_seconds=0, transport=transport).generate(ASK)
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
    ("no such model", httpx.Response(404, json={"error": "x"}), EngineAbsent),
    ("wrong key", httpx.Response(401, json={"error": "x"}), EngineAbsent),
    ("no right", httpx.Response(403, json={"error": "x"}), EngineAbsent),
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
    (httpx.ConnectError("refused"), EngineAbsent),
    (httpx.ConnectTimeout("late"), EngineAbsent),
    (httpx.ReadTimeout("late"), EngineTimeout),
    (httpx.WriteTimeout("late"), EngineTimeout),
    (httpx.PoolTimeout("late"), EngineBusy),
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
    seen = [(timeout["connect"], round(timeout["read"], 1)) for timeout in timeouts]
    assert seen == [(pytest.approx(2, abs=0.1), 2), (4, 60)]


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
    status = made.status()
    assert (status.name, status.ready, status.release) == ("openai", False, BASE)
    assert "127.0.0.1:9 not asked yet" in status.detail
    made.close()


def test_what_an_admin_sets_is_asked_for_and_nothing_that_the_server_may_not_know() -> None:
    bodies: list[dict[str, object]] = []

    def handle(request: httpx.Request) -> httpx.Response:
        bodies.append(json.loads(request.content))
        return httpx.Response(200, json=said("a"))

    engine(handle).generate(Request("a", sampling=Sampling(0.7, 50, 0.8, 20)))
    [body] = bodies
    del body["messages"]
    assert body == {"model": "gemma", "max_tokens": 50, "temperature": 0.7, "top_p": 0.8}


@pytest.mark.parametrize("stream", [False, True])
def test_a_memory_that_is_too_long_is_halved_once(stream: bool) -> None:
    """A server whose room nobody knows: the estimate was wrong, half of it is not."""
    sizes: list[int] = []

    def handle(request: httpx.Request) -> httpx.Response:
        sizes.append(len(request.content))
        if len(sizes) == 1:
            return httpx.Response(400, json={"error": {"message": "maximum context length is 9"}})
        return httpx.Response(200, json=said("a"))

    past = tuple(Past(role, "ruwa " * 60) for role in ("user", "assistant") * 20)
    look = (lambda text: True) if stream else None
    assert engine(handle).generate(Request("a", past=past), look).text == "a"
    assert sizes[1] < 0.7 * sizes[0]


def test_a_question_that_is_too_long_itself_says_so() -> None:
    calls = []

    def handle(request: httpx.Request) -> httpx.Response:
        calls.append(request)
        return httpx.Response(400, json={"error": {"message": "the prompt is too long"}})

    with pytest.raises(TooLong, match="too long"):
        engine(handle).generate(ASK)
    assert len(calls) == 2


def test_a_wrong_key_stands_in_the_status() -> None:
    made = engine(lambda _: httpx.Response(401), "wrong")
    with pytest.raises(EngineAbsent, match=r"refuses OPENAI_API_KEY \(HTTP 401\)"):
        made.generate(ASK)
    assert "refuses OPENAI_API_KEY (HTTP 401)" in made.status().detail
    assert "wrong" not in made.status().detail.replace("OPENAI", "")


def test_a_password_in_an_address_is_shown_to_nobody() -> None:
    made = OpenAIEngine("http://sarki:siri@127.0.0.1:9/v1", "m", check_seconds=0)
    with pytest.raises(EngineAbsent) as raised:
        made.generate(ASK)
    assert "siri" not in f"{made.status()} {raised.value}"
    made.close()


def test_a_server_without_adapters_says_how_to_start_one() -> None:
    made = engine(lambda _: httpx.Response(404))
    with pytest.raises(ReleaseUnusable, match="--enable-lora"):
        made.load(Release("v1", "/releases/v1"))
    made.activate(Release(BASE))
    assert made.status().release == BASE


def test_a_release_that_is_not_there_is_never_the_base_model() -> None:
    made = engine(lambda _: httpx.Response(200, json=said("a")))
    with pytest.raises(EngineError, match="v7 is not resident"):
        made.generate(Request("a", release="v7"))
