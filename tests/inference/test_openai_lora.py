"""Releases on running servers: put there, tried, made live under load, taken away, and lost."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.errors import EngineAbsent, EngineError, ReleaseUnusable
from inference.engine import BASE, Release, Request
from inference.openai import OpenAIEngine
from inference.openai_fakes import FakeServer
from inference.openai_lora import SGLANG, VLLM, Models, path_of, read_models

#: A server that goes away in the middle of a connect leaves httpcore with a socket to collect.
pytestmark = pytest.mark.filterwarnings("ignore:Exception ignored in. <socket")

ASK = Request("Ina da zazzabi", deadline=5)
SOON = 5.0
Maker = Callable[..., OpenAIEngine]
Releases = Callable[[str], Release]


@pytest.fixture
def release(tmp_path: Path) -> Releases:
    """A release by its name, in a folder that the servers see."""

    def make(name: str) -> Release:
        (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / name / "adapter_config.json").write_text("{}", "utf-8")
        return Release(name, str(tmp_path / name))

    return make


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
    made: list[OpenAIEngine] = []

    def make(
        *servers: FakeServer, every: float = 0.1, linger: float = 0.0, root: str = ""
    ) -> OpenAIEngine:
        urls = ",".join(server.url for server in servers)
        engine = OpenAIEngine(
            urls, "gemma", lora="auto", lora_root=root, check_seconds=every, linger=linger
        )
        made.append(engine)
        return engine

    yield make
    for each in made:
        each.close()


def eventually(true: Callable[[], object]) -> None:
    until = time.monotonic() + SOON
    while not true():
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.02)


def writer(text: str) -> str:
    """Who wrote a fake's answer."""
    return text.removeprefix("amsa daga ").partition(":")[0]


@pytest.mark.parametrize("kind", ["vllm", "sglang"])
def test_a_release_is_put_on_every_server_tried_and_made_live(
    kind: str, engine: Maker, release: Releases
) -> None:
    with FakeServer(kind) as one, FakeServer(kind) as two:
        made = engine(one, two)
        made.load(release("v1"))
        assert [one.orders, two.orders] == [[("load", "v1")]] * 2
        # The canary has been asked for this release on each, and nobody else has seen it.
        name = {"vllm": "v1", "sglang": "gemma:v1"}[kind]
        assert [[body["model"] for body in server.asked] for server in (one, two)] == [[name]] * 2
        assert made.status().release == BASE
        assert made.generate(ASK).release == BASE
        made.activate(release("v1"))
        answers = [made.generate(ASK) for _ in range(4)]
        assert {(answer.release, writer(answer.text)) for answer in answers} == {("v1", "v1")}
        assert made.status().release == "v1"


def test_swaps_under_load_fail_nobody_and_stamp_everybody_right(
    one: FakeServer, two: FakeServer, engine: Maker, release: Releases
) -> None:
    """Twenty swaps among three releases, with people asking all the while on two servers."""
    made, over, seen = engine(one, two, every=0.05), threading.Event(), Counter[str]()
    one.pace = two.pace = 0.001
    releases = [release(f"v{n}") for n in range(3)]

    def ask(number: int) -> list[str]:
        wrong = []
        while not over.is_set():
            answer = made.generate(ASK, (lambda _: True) if number % 2 else None)
            seen[answer.release or ""] += 1
            if writer(answer.text) != answer.release.replace(BASE, "gemma"):  # type: ignore[union-attr]
                wrong.append(f"{answer.release}: {answer.text}")
        return wrong

    with ThreadPoolExecutor(6) as pool:
        asking = [pool.submit(ask, number) for number in range(6)]
        for turn in range(20):
            made.activate(releases[turn % 3])
            time.sleep(0.02)
        over.set()
        assert [asked.result() for asked in asking] == [[]] * 6
    assert min(seen[f"v{n}"] for n in range(3)) > 3
    assert made.status().running == 0
    eventually(lambda: set(one.adapters) == set(two.adapters) == {"v0", "v1"})


def test_who_has_begun_ends_with_the_release_that_began(
    one: FakeServer, engine: Maker, release: Releases
) -> None:
    made = engine(one)
    made.activate(release("v1"))
    one.pace, one.words, begun = 0.02, 400, threading.Event()
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(made.generate, ASK, lambda _: not begun.set())
        assert begun.wait(SOON)
        one.words = 6
        for name in ("v2", "v3"):
            made.activate(release(name))
        assert not answer.done()
        assert ("unload", "v1") not in one.orders
        one.pace = 0.0
        assert (answer.result().release, writer(answer.result().text)) == ("v1", "v1")
    eventually(lambda: ("unload", "v1") in one.orders)


def test_live_previous_and_candidate_stay_and_older_ones_leave(
    one: FakeServer, engine: Maker, release: Releases
) -> None:
    made = engine(one)
    for name in ("v1", "v2", "v3"):
        made.activate(release(name))
    eventually(lambda: set(one.adapters) == {"v2", "v3"})
    made.load(release("v4"))
    made.load(release("v5"))
    eventually(lambda: set(one.adapters) == {"v2", "v3", "v5"})
    assert sorted(made.status().resident) == [BASE, "v2", "v3", "v5"]
    for name in (BASE, "v2", "v5"):
        answer = made.generate(Request("a", release=name))
        assert (answer.release, writer(answer.text)) == (name, name.replace(BASE, "gemma"))
    with pytest.raises(EngineError, match="v4 is not resident"):
        made.generate(Request("a", release="v4"))
    loads = one.orders.count(("load", "v2"))
    made.activate(release("v2"))
    assert writer(made.generate(ASK).text) == "v2"
    assert one.orders.count(("load", "v2")) == loads  # it was resident: rolling back takes nothing
    made.activate(Release(BASE))
    assert made.generate(ASK).release == BASE


def test_a_release_on_its_way_in_is_not_taken_for_one_that_was_left(
    one: FakeServer, engine: Maker, release: Releases
) -> None:
    """Between being put on a server and being wanted, a server is looked after."""
    made = engine(one, every=60)
    fleet = made._fleet
    for _ in range(2):
        fleet.hold(release("v1"))
        fleet.tend(fleet.servers[0])
        assert set(one.adapters) == {"v1"}
        fleet.want([release("v1")])
        fleet.want([])
    fleet.tend(fleet.servers[0])
    assert one.adapters == {}


def test_what_nobody_wants_any_more_lingers_for_those_who_have_not_heard(
    one: FakeServer, engine: Maker, release: Releases
) -> None:
    made = engine(one, linger=60)
    for name in ("v1", "v2", "v3"):
        made.activate(release(name))
    time.sleep(0.3)
    assert set(one.adapters) == {"v1", "v2", "v3"}


@pytest.mark.parametrize("kind", ["vllm", "sglang", "sglang that lists nothing"])
def test_a_server_that_comes_back_gets_its_releases_before_anybody_asks_it(
    kind: str, engine: Maker, release: Releases
) -> None:
    with FakeServer(kind[:6]) as one, FakeServer(kind[:6]) as two:
        one.lists = two.lists = kind != "sglang that lists nothing"
        made = engine(one, two)
        for name in ("v1", "v2"):
            made.activate(release(name))
        one.stop()
        assert {writer(made.generate(ASK).text) for _ in range(3)} == {"v2"}
        eventually(lambda: "1 of 2" in made.status().detail)
        one.asked, one.load_seconds = [], 0.2
        one.start()
        while "1 of 2" in made.status().detail:
            assert writer(made.generate(ASK).text) == "v2"
        eventually(lambda: set(one.adapters) == {"v1", "v2"})
        assert all(body["model"].endswith(("v1", "v2")) for body in one.asked)


@pytest.mark.parametrize("kind", ["vllm", "sglang"])
def test_a_release_that_a_server_has_lost_is_put_there_again(
    kind: str, engine: Maker, release: Releases
) -> None:
    """It was restarted between two looks: the question finds out."""
    with FakeServer(kind) as one:
        made = engine(one, every=60)
        made.activate(release("v1"))
        one.stop()
        one.start()
        answer = made.generate(ASK)
        assert (answer.release, writer(answer.text)) == ("v1", "v1")


def test_a_release_that_is_lost_for_good_is_never_the_base_model(
    one: FakeServer, two: FakeServer, engine: Maker, release: Releases
) -> None:
    made = engine(one, two, every=60)
    made.activate(release("v1"))
    for server in (one, two):
        server.stop()
        server.broken_paths = {release("v1").folder}
        server.start()
    asked = len(one.asked) + len(two.asked)
    with pytest.raises(EngineAbsent, match="max_lora_rank"):
        made.generate(ASK)
    models = {body["model"] for body in (one.asked + two.asked)[asked:]}
    assert models == {"v1"}
    assert not made.status().ready
    assert made.generate(Request("a", release=BASE)).release == BASE


def test_a_server_that_cannot_load_is_out_with_its_reason_while_others_answer(
    one: FakeServer, two: FakeServer, engine: Maker, release: Releases
) -> None:
    made = engine(one, two)
    one.broken_paths = {release("v1").folder}
    made.activate(release("v1"))
    before = len(one.asked)
    assert {writer(made.generate(ASK).text) for _ in range(4)} == {"v1"}
    assert len(one.asked) == before
    status = made.status()
    assert status.ready
    assert "1 of 2 servers up" in status.detail
    assert f"127.0.0.1:{one.port} cannot load it: HTTP 500 LoRA rank 64" in status.detail


def break_folder(server: FakeServer, release: Release) -> None:
    Path(release.folder, "adapter_config.json").unlink()


def break_rank(server: FakeServer, release: Release) -> None:
    server.broken_paths = {release.folder}


def break_canary(server: FakeServer, release: Release) -> None:
    server.mode = "full"


def answer_as_base(server: FakeServer, release: Release) -> None:
    server.mode = "base"


def take_the_name(server: FakeServer, release: Release) -> None:
    server.adapters = {**server.adapters, release.name: "/elsewhere/v2"}


def stop(server: FakeServer, release: Release) -> None:
    server.stop()


UNUSABLE = [
    ("no folder there", break_folder, "HTTP 404 Loading lora v2 failed: No adapter found"),
    ("cannot be served", break_rank, "HTTP 500 LoRA rank 64 is greater than max_lora_rank 32"),
    ("fails when it is tried", break_canary, "127.0.0.1"),
    ("the base model answers for it", answer_as_base, "canary: another model answered"),
    ("another adapter of that name", take_the_name, "holds another adapter of this name, from /e"),
    ("nobody is up", stop, "cannot be reached"),
]


@pytest.mark.parametrize(("label", "spoil", "reason"), UNUSABLE, ids=[case[0] for case in UNUSABLE])
def test_a_release_that_no_server_takes_leaves_the_live_one_live(
    one: FakeServer,
    engine: Maker,
    release: Releases,
    label: str,
    spoil: Callable[[FakeServer, Release], None],
    reason: str,
) -> None:
    made = engine(one, every=60)
    made.activate(release("v1"))
    candidate = release("v2")
    spoil(one, candidate)
    with pytest.raises(ReleaseUnusable, match=reason):
        made.activate(candidate)
    assert made.status().release == "v1"
    assert "v2" not in made.status().resident
    assert label == "another adapter of that name" or "v2" not in one.adapters
    one.mode = "well"
    if label != "nobody is up":
        assert writer(made.generate(ASK).text) == "v1"


NAMES = [
    ("MODEL itself", Release("gemma", "/r/gemma"), "the name of MODEL"),
    ("a path", Release("a/b", "/r/a"), "cannot be the name"),
    ("SGLang's mark", Release("a:b", "/r/a"), "cannot be the name"),
    ("a way out", Release("..", "/r/a"), "cannot be the name"),
    ("too long", Release("v" * 65, "/r/a"), "cannot be the name"),
    ("no name", Release("", "/r/a"), "cannot be the name"),
    ("no folder", Release("v1"), "no folder is known"),
]


@pytest.mark.parametrize(("label", "wrong", "reason"), NAMES, ids=[case[0] for case in NAMES])
def test_a_name_that_could_mean_something_else_is_refused(
    one: FakeServer, engine: Maker, label: str, wrong: Release, reason: str
) -> None:
    with pytest.raises(ReleaseUnusable, match=reason):
        engine(one).load(wrong)
    assert one.orders == []


@pytest.mark.parametrize("kind", ["vllm", "sglang"])
def test_a_server_that_was_started_without_adapters_says_how_to_start_it(
    kind: str, engine: Maker, release: Releases
) -> None:
    with FakeServer(kind) as one:
        one.lora = False
        with pytest.raises(ReleaseUnusable, match="--enable-lora"):
            engine(one).load(release("v1"))


@pytest.mark.parametrize("kind", ["vllm", "sglang"])
def test_what_another_process_of_ours_has_put_there_is_taken_as_it_is(
    kind: str, engine: Maker, release: Releases
) -> None:
    with FakeServer(kind) as one:
        first, second = engine(one), engine(one)
        for made in (first, second):
            made.activate(release("v1"))
        assert one.orders == [("load", "v1")] * 2
        assert {writer(made.generate(ASK).text) for made in (first, second)} == {"v1"}


def test_a_process_that_has_not_heard_of_the_swap_is_answered_too(
    one: FakeServer, engine: Maker, release: Releases
) -> None:
    """The first has unloaded what the second still asks for: it is put back by the question."""
    first, second = engine(one), engine(one, every=60)
    for made in (first, second):
        made.activate(release("v1"))
    for name in ("v2", "v3"):
        first.activate(release(name))
    eventually(lambda: "v1" not in one.adapters)
    answer = second.generate(ASK)
    assert (answer.release, writer(answer.text)) == ("v1", "v1")


def test_a_slow_load_holds_nobody_up(one: FakeServer, engine: Maker, release: Releases) -> None:
    made, slowest = engine(one), 0.0
    made.activate(release("v1"))
    one.load_seconds = 0.5
    with ThreadPoolExecutor(1) as pool:
        swap = pool.submit(made.activate, release("v2"))
        while not swap.done():
            started = time.monotonic()
            assert writer(made.generate(ASK).text) in ("v1", "v2")
            slowest = max(slowest, time.monotonic() - started)
        swap.result()
    assert slowest < 0.4


def test_the_servers_may_see_the_releases_elsewhere(
    one: FakeServer, engine: Maker, tmp_path: Path, release: Releases
) -> None:
    seen = tmp_path / "seen by the server"
    (seen / "v1").mkdir(parents=True)
    (seen / "v1" / "adapter_config.json").write_text("{}", "utf-8")
    engine(one, root=f"{seen}/").load(Release("v1", "/data/releases/v1"))
    assert one.adapters == {"v1": str(seen / "v1")}


PATHS = [
    ("ours", "/data/releases/v1", "", "/data/releases/v1"),
    ("ours, with a slash", "/data/releases/v1/", "", "/data/releases/v1"),
    ("theirs", "/data/releases/v1", "/mnt/releases", "/mnt/releases/v1"),
    ("a store", "/data/releases/v1", "s3://bucket/releases/", "s3://bucket/releases/v1"),
]


@pytest.mark.parametrize(("label", "folder", "root", "path"), PATHS, ids=[p[0] for p in PATHS])
def test_where_the_server_sees_a_release(label: str, folder: str, root: str, path: str) -> None:
    assert path_of(Release("v1", folder), root) == path


def test_how_a_release_is_named_in_a_question() -> None:
    assert VLLM.model_of("google/gemma-3-4b-it", "v1") == "v1"
    assert SGLANG.model_of("google/gemma-3-4b-it", "v1") == "google/gemma-3-4b-it:v1"


VLLM_LIST = [
    {"id": "m", "owned_by": "vllm", "parent": None, "max_model_len": 8192},
    {"id": "v1", "root": "/r/v1/", "parent": "m"},
]
LLAMA_LIST = [{"id": "t.gguf", "owned_by": "llamacpp", "meta": {}}]
LISTS = [
    ("vllm", {"data": VLLM_LIST}, Models("vllm", ("m", "v1"), {"v1": "/r/v1"}, 8192)),
    ("llama.cpp", {"data": LLAMA_LIST}, Models("llamacpp", ("t.gguf",))),
    ("transformers serve", {"data": []}, Models()),
    ("nonsense", {"data": "x"}, Models()),
    ("strange entries", {"data": ["x", {}, {"id": 3}]}, Models("", ("None", "3"))),
    ("a page", "<html>", Models()),
]


@pytest.mark.parametrize(("label", "value", "models"), LISTS, ids=[case[0] for case in LISTS])
def test_what_a_list_of_models_tells(label: str, value: object, models: Models) -> None:
    assert read_models(value) == models
