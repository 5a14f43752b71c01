"""Two hundred swaps under load: nobody fails, every answer is the words of the release it names."""

import gc
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
import torch
from given_engine import loaded, question

from inference.engine import BASE, Release
from inference.gemma.engine import TransformersEngine
from tests.waiting import until

SWAPS = 200
TEXTS = ["Ina jin zazzabi", "Ciwon kai", "Yarona yana tari sosai tun jiya da dare"]


@pytest.fixture(scope="module")
def engine(tiny: Path, adapter_a: Path, adapter_b: Path):
    made = TransformersEngine(
        str(tiny),
        demo=True,
        running=8,
        waiting=8,
        cache_gb=0.1,
        loaded=loaded(tiny),
        release=Release("a", str(adapter_a)),
    )
    assert made.wait(60), made.status()
    made.load(Release("b", str(adapter_b)))
    yield made
    made.close()


def tensors() -> int:
    gc.collect()
    return sum(type(each) in (torch.Tensor, torch.nn.Parameter) for each in gc.get_objects())


def test_two_hundred_swaps_under_load(engine, adapter_a, adapter_b):
    releases = [Release("a", str(adapter_a)), Release("b", str(adapter_b))]
    names = (BASE, "a", "b")
    expected = {
        (name, text): engine.generate(question(text, new=4, release=name)).text
        for name in names
        for text in TEXTS
    }
    assert len(set(expected.values())) == len(expected)
    stop = threading.Event()

    def keep_asking(number: int) -> list[tuple[str, str]]:
        wrong = []
        while not stop.is_set():
            text = TEXTS[number % 3]
            answer = engine.generate(question(text, new=4))
            if answer.text != expected[answer.release, text]:
                wrong.append((answer.release, answer.text))
            seen.add(answer.release)
            done.append(1)
        return wrong

    seen: set[str | None] = set()
    done: list[int] = []
    held, memory = tensors(), psutil.Process().memory_info().rss
    with ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(keep_asking, number) for number in range(4)]
        for swap in range(SWAPS):
            before = len(done)
            engine.activate(releases[swap % 2])
            if swap % 5 == 4:  # answers end between the swaps, and begin and end across them
                until(lambda before=before: len(done) > before)
            else:
                time.sleep(0.002)
        stop.set()
        wrong = [each for asked in asking for each in asked.result()]
    assert wrong == []
    assert seen == {"a", "b"}
    assert len(done) > SWAPS // 5
    assert tensors() <= held + 20
    assert psutil.Process().memory_info().rss < memory + 30_000_000
    assert engine.status().release == "b"


def test_an_answer_ends_with_the_release_that_began_it(engine, adapter_a, adapter_b):
    engine.activate(Release("a", str(adapter_a)))
    expected = engine.generate(question(new=16)).text
    began = threading.Event()

    def look(text: str) -> bool:
        began.set()
        return True

    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(engine.generate, question(new=16), look)
        assert began.wait(20)
        engine.activate(Release("b", str(adapter_b)))
        after = engine.generate(question(new=16))
        answer = asked.result()
    assert (answer.release, answer.text) == ("a", expected)
    assert after.release == "b"
    assert after.text != expected


def test_all_releases_are_asked_at_once_for_a_comparison(engine, adapter_b):
    engine.activate(Release("b", str(adapter_b)))
    names = (None, BASE, "a", "b")
    alone = [engine.generate(question(release=name)) for name in names]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda name: engine.generate(question(release=name)), names))
    assert together == alone
    assert [answer.release for answer in together] == ["b", BASE, "a", "b"]
    assert len({answer.text for answer in together}) == 3


def test_a_fourth_release_comes_in_while_all_others_stay_right(engine, adapter_a, adapter_b):
    engine.activate(Release("a", str(adapter_a)))
    expected = engine.generate(question(new=10)).text
    with ThreadPoolExecutor(1) as pool:
        beside = pool.submit(engine.generate, question(new=10))
        engine.load(Release("c", str(adapter_b)))
        engine.load(Release("d", str(adapter_b)))
        assert beside.result().text == expected
    # c goes: a is live, and b is what a rollback wants at once
    assert engine.status().resident == (BASE, "a", "b", "d")
    assert engine.generate(question(new=10)).text == expected
    with_b = engine.generate(question(new=10, release="b")).text
    assert engine.generate(question(new=10, release="d")).text == with_b
