"""Several servers over real HTTP: who is asked, who is passed over, and how bad answers end."""

import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from core.errors import EngineAbsent, EngineBusy, EngineError, EngineTimeout
from core.messages import Past
from inference.engine import BASE, Generation, Request, Sampling
from inference.openai import OpenAIEngine
from inference.openai_fakes import FakeServer
from inference.openai_server import Server

#: A server that goes away in the middle of a connect leaves httpcore with a socket to collect.
pytestmark = pytest.mark.filterwarnings("ignore:Exception ignored in. <socket")

ASK = Request("Ina da zazzabi", deadline=5)
SOON = 5.0
Maker = Callable[..., OpenAIEngine]


@pytest.fixture
def one() -> Iterator[FakeServer]:
    with FakeServer() as server:
        yield server


@pytest.fixture
def two() -> Iterator[FakeServer]:
    with FakeServer() as server:
        yield server


@pytest.fixture
def engine() -> Iterator[Maker]:
    """Makes an engine on the servers given, which looks after them often."""
    made: list[OpenAIEngine] = []

    def make(*servers: FakeServer, model: str = "gemma", every: float = 0.1) -> OpenAIEngine:
        urls = ",".join(server.url for server in servers)
        made.append(OpenAIEngine(urls, model, "key", check_seconds=every))
        return made[-1]

    yield make
    for each in made:
        each.close()


def eventually(true: Callable[[], object]) -> None:
    until = time.monotonic() + SOON
    while not true():
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.02)


WHOLE = "amsa daga gemma: " + " ".join(f"kalma{n}" for n in range(6))
#: mode, somebody looks on, what comes of it within a deadline of a second
ENDS = [
    ("well", True, Generation(WHOLE, BASE, "stop", 99)),
    ("well", False, Generation(WHOLE, BASE, "stop", 7)),
    ("silent", True, Generation(WHOLE, BASE, "stop", 7)),
    ("plain", True, Generation(WHOLE, BASE, "stop", 7)),
    ("hang", True, EngineTimeout),
    ("hang", False, EngineTimeout),
    ("stall", True, EngineTimeout),
    ("trickle", True, EngineTimeout),
    ("die", True, EngineError),
    ("garbage", True, EngineError),
    ("fault", True, EngineError),
    ("broken", True, EngineError),
    ("busy", True, EngineBusy),
    ("full", False, EngineBusy),
]


@pytest.mark.parametrize(("mode", "look", "end"), ENDS, ids=[f"{m}-{s}" for m, s, _ in ENDS])
def test_how_an_answer_ends(
    one: FakeServer, engine: Maker, mode: str, look: bool, end: Generation | type[EngineError]
) -> None:
    made, threads = engine(one, every=60), threading.active_count()
    one.mode, seen, started = mode, list[str](), time.monotonic()
    see = (lambda text: not seen.append(text)) if look else None
    if isinstance(end, Generation):
        assert made.generate(ASK, see) == end
        assert not look or seen[-1] == WHOLE
    else:
        with pytest.raises(EngineError) as raised:
            made.generate(Request("Ina da zazzabi", deadline=1), see)
        assert type(raised.value) is end
        assert "zazzabi" not in str(raised.value)
    assert time.monotonic() - started < 2
    assert len(one.asked) == 1
    assert made.status().running == 0
    # Nobody keeps waiting for a server that somebody has turned away from.
    if mode != "hang":
        eventually(lambda: threading.active_count() <= threads + 1)


def test_words_are_seen_as_they_come_and_stuck_ones_are_not_waited_for(
    one: FakeServer, engine: Maker
) -> None:
    one.mode, seen = "stall", list[str]()
    started = time.monotonic()
    with pytest.raises(EngineTimeout) as late:
        engine(one, every=60).generate(Request("a", deadline=2), lambda text: not seen.append(text))
    assert late.value.release == BASE
    assert seen[-1] == "amsa daga gemma: kalma0 kalma1"
    # A quarter of the deadline between two words: signs of life are no words.
    assert 0.4 < time.monotonic() - started < 1.5


def test_whoever_has_seen_enough_hangs_up(one: FakeServer, engine: Maker) -> None:
    one.pace, one.words = 0.03, 200
    answer = engine(one).generate(ASK, lambda text: "kalma2" not in text)
    assert answer.end == "stopped"
    assert answer.text.endswith("kalma2")
    eventually(lambda: one.dropped == 1)


def test_an_error_of_whoever_looks_on_hangs_up_too(one: FakeServer, engine: Maker) -> None:
    def look(text: str) -> bool:
        raise ZeroDivisionError

    one.pace, one.words, made = 0.03, 200, engine(one)
    with pytest.raises(ZeroDivisionError):
        made.generate(ASK, look)
    eventually(lambda: one.dropped == 1)
    assert made.status().running == 0


def test_headers_that_trickle_in_do_not_pass_the_deadline() -> None:
    done = threading.Event()

    def drip(listener: socket.socket) -> None:
        line, _ = listener.accept()
        with line:
            while not done.wait(0.05):
                line.send(b"H")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip, args=(listener,))
        thread.start()
        made = OpenAIEngine(f"http://127.0.0.1:{listener.getsockname()[1]}", "m", check_seconds=0)
        started = time.monotonic()
        with pytest.raises(EngineTimeout):
            made.generate(Request("a", deadline=0.4))
        assert time.monotonic() - started < 1.5
        done.set()
        thread.join()
    made.close()


def test_a_line_that_the_server_closes_after_its_answer_costs_no_question(
    one: FakeServer, engine: Maker
) -> None:
    """As uvicorn does after an error of its own: a kept line would be a lost question."""
    made = engine(one, every=0.01)
    for look in (None, lambda _: True) * 10:
        assert made.generate(ASK, look).text == WHOLE
    assert one.lines > 20


def test_no_question_takes_over_the_line_of_one_that_is_being_cut(
    one: FakeServer, engine: Maker
) -> None:
    """The cut of the first would end the second, which its server may have begun to answer."""
    made, interval = engine(one, every=60), sys.getswitchinterval()
    eventually(lambda: one.lines)
    looks = one.lines
    # Threads that take turns this often met on one line about once in 25 questions.
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(32) as pool:
            answers = list(pool.map(lambda _: made.generate(ASK, lambda _: True), range(64)))
    finally:
        sys.setswitchinterval(interval)
    assert {answer.text for answer in answers} == {WHOLE}
    assert one.lines - looks >= 64


def test_questions_are_shared_out(one: FakeServer, two: FakeServer, engine: Maker) -> None:
    made = engine(one, two, every=60)
    one.pace = two.pace = 0.02
    with ThreadPoolExecutor(8) as pool:
        assert {answer.text for answer in pool.map(made.generate, [ASK] * 16)} == {WHOLE}
    assert min(len(one.asked), len(two.asked)) >= 6


def test_a_server_that_dies_is_passed_over_and_comes_back(
    one: FakeServer, two: FakeServer, engine: Maker
) -> None:
    made = engine(one, two, every=0.3)
    one.stop()
    assert {made.generate(ASK).text for _ in range(4)} == {WHOLE}
    status = made.status()
    assert status.ready
    assert f"1 of 2 servers up; 127.0.0.1:{one.port} cannot be reached" in status.detail
    one.start()
    eventually(lambda: "2 of 2" in made.status().detail)
    before = len(one.asked)
    for _ in range(2):
        made.generate(ASK)
    assert len(one.asked) == before + 1


def test_all_down_is_said_at_once_and_ends(one: FakeServer, two: FakeServer, engine: Maker) -> None:
    made = engine(one, two)
    one.stop()
    two.stop()
    started = time.monotonic()
    for _ in range(3):
        with pytest.raises(EngineAbsent, match="cannot be reached"):
            made.generate(ASK)
    assert time.monotonic() - started < 1
    assert not made.status().ready
    assert "0 of 2 servers up" in made.status().detail
    two.start()
    eventually(lambda: made.status().ready)
    assert made.generate(ASK).text == WHOLE


def test_nobody_there_at_the_start_is_known_from_the_start(engine: Maker) -> None:
    server = FakeServer().start()
    server.stop()
    made = engine(server)
    assert not made.status().ready
    server.start()
    eventually(lambda: made.status().ready)


def test_a_busy_server_sends_the_question_on(
    one: FakeServer, two: FakeServer, engine: Maker
) -> None:
    made = engine(one, two, every=60)
    one.mode = "full"
    assert {made.generate(ASK).text for _ in range(3)} == {WHOLE}
    two.mode = "busy"
    with pytest.raises(EngineBusy):
        made.generate(ASK)


def test_a_question_that_was_begun_is_asked_nobody_else(
    one: FakeServer, two: FakeServer, engine: Maker
) -> None:
    made = engine(one, two, every=60)
    for mode in ("die", "broken", "garbage"):
        one.mode = two.mode = mode
        before = len(one.asked) + len(two.asked)
        with pytest.raises(EngineError):
            made.generate(ASK, lambda text: True)
        assert len(one.asked) + len(two.asked) == before + 1


def test_a_server_that_is_loading_is_not_ready(one: FakeServer, engine: Maker) -> None:
    one.mode = "busy"
    made = engine(one)
    assert "is not ready (/health: HTTP 503)" in made.status().detail
    one.mode = "well"
    eventually(lambda: made.status().ready)


def test_a_key_that_is_refused_is_told_by_its_setting(one: FakeServer, engine: Maker) -> None:
    one.key = "another"
    made = engine(one)
    assert not made.status().ready
    assert "refuses OPENAI_API_KEY (HTTP 401)" in made.status().detail
    one.key = "key"
    eventually(lambda: made.status().ready)
    assert made.generate(ASK).text == WHOLE


def test_a_model_that_is_not_served_is_told_by_name(one: FakeServer, engine: Maker) -> None:
    made = engine(one, model="gemma-3")
    with pytest.raises(EngineAbsent):
        made.generate(ASK)
    time.sleep(0.3)
    assert not made.status().ready
    assert "has no model gemma-3; it serves gemma" in made.status().detail
    one.model = "gemma-3"
    eventually(lambda: made.status().ready)


def test_the_memory_is_cut_to_the_room_that_the_server_names(
    one: FakeServer, engine: Maker
) -> None:
    one.room = 1200
    past = tuple(Past(role, "ruwa da abinci " * 20) for role in ("user", "assistant") * 20)
    answer = engine(one).generate(Request("a", past=past, sampling=Sampling(max_tokens=100)))
    assert (answer.text, len(one.asked)) == (WHOLE, 1)
    assert 4 < len(one.asked[0]["messages"]) < 40


def test_top_k_goes_to_those_who_know_it(one: FakeServer, engine: Maker) -> None:
    engine(one).generate(Request("a", sampling=Sampling(top_k=20)))
    assert one.asked[0]["top_k"] == 20


def test_many_at_once_leave_nothing_behind(one: FakeServer, two: FakeServer, engine: Maker) -> None:
    made, threads = engine(one, two, every=60), threading.active_count()
    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(lambda n: made.generate(ASK, lambda _: n % 7 > 0), range(96)))
    assert sum(answer.end == "stopped" for answer in answers) == 14
    assert made.status().running == 0
    made.close()
    one.stop()
    two.stop()
    eventually(lambda: threading.active_count() <= threads)


LOOKS = [
    ("all is well", 200, 200, True, ""),
    ("no /health, as OpenAI itself", 404, 200, True, ""),
    ("no list of models", 200, 404, True, ""),
    ("stumbles over its list", 200, 500, True, ""),
    ("neither", 404, 404, True, ""),
    ("loading", 503, 200, False, "is not ready (/health: HTTP 503)"),
    ("a proxy before nobody", 404, 502, False, "is not ready (/v1/models: HTTP 502)"),
    ("another key", 200, 401, False, "refuses OPENAI_API_KEY (HTTP 401)"),
    ("no right", 200, 403, False, "refuses OPENAI_API_KEY (HTTP 403)"),
    ("http for https", 200, 301, False, "sends us elsewhere (HTTP 301): mend OPENAI_BASE_URL"),
]


@pytest.mark.parametrize(
    ("label", "health", "models", "up", "reason"), LOOKS, ids=[case[0] for case in LOOKS]
)
def test_how_a_server_is_seen_to_be(
    label: str, health: int, models: int, up: bool, reason: str
) -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(health if request.url.path == "/health" else models)

    server = Server("http://127.0.0.1:9/v1", "m", "", "auto", httpx.MockTransport(handle))
    server.look()
    server.look()
    assert (server.up, server.reason) == (up, reason)


def slow(alive: bool) -> Server:
    """A server that has been up, and is now too slow to say so."""
    mood = {"late": False}

    def handle(request: httpx.Request) -> httpx.Response:
        if mood["late"]:
            raise httpx.ReadTimeout("late")
        return httpx.Response(200, json={"data": []})

    server = Server("http://127.0.0.1:9", "m", "", "none", httpx.MockTransport(handle))
    server.look()
    if alive:
        server.lives()
    mood["late"] = True
    return server


@pytest.mark.parametrize(("alive", "ups"), [(True, [True] * 3), (False, [True, False, False])])
def test_a_server_at_work_may_be_slow_to_say_that_it_lives(alive: bool, ups: list[bool]) -> None:
    server = slow(alive)
    seen = []
    for _ in ups:
        server.look()
        seen.append(server.up)
    assert seen == ups


def test_what_happens_is_logged_with_its_server_and_no_word_of_anybody(
    one: FakeServer, engine: Maker, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "lafiya")
    made = engine(one, every=60)
    one.stop()
    with pytest.raises(EngineAbsent):
        made.generate(ASK)
    fields = {record.msg: record.fields for record in caplog.records}  # type: ignore[attr-defined]
    # "at" is the time of a log line.
    assert fields["engine.server_up"] == {"server": f"127.0.0.1:{one.port}", "kind": "vllm"}
    assert fields["engine.server_down"]["reason"] == "cannot be reached"
    assert "zazzabi" not in str(fields)
