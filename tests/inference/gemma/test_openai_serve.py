"""The OpenAI engine against a server that is none of ours: `transformers serve`, tiny model, CPU.

It refuses fields that it does not know, stumbles over its list of models without a hub's cache, and
closes its line after that: each has cost a question once.
"""

import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from core.errors import EngineAbsent, EngineTimeout, ReleaseUnusable
from inference.engine import BASE, Release, Request, Sampling
from inference.openai import OpenAIEngine
from tests.inference.gemma.served import Served, free_port, serving

FLAGS = (
    "--continuous-batching --attn-implementation sdpa --device cpu --dtype float32 "
    "--cb-num-blocks 64 --cb-block-size 32 --cb-max-batch-tokens 256 --host 127.0.0.1"
)
#: The likeliest words: among what random weights draw are tokens that the server cannot decode one
#: by one ("Invalid prefix encountered while decoding stream").
ASK = Request("Ina da zazzabi", deadline=60, sampling=Sampling(temperature=0.0, max_tokens=12))
LONG = replace(ASK, sampling=replace(ASK.sampling, max_tokens=400))


@pytest.fixture(scope="module")
def served(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder, port = tmp_path_factory.mktemp("serve"), free_port()
    program = Path(sys.executable).with_name("transformers")
    command = [str(program), "serve", str(tiny), *FLAGS.split(), "--port", str(port)]
    with serving(command, port, folder, 120, {"HF_HOME": str(folder)}) as running:
        yield running


@pytest.fixture(scope="module")
def engine(served: Served, tiny: Path) -> Iterator[OpenAIEngine]:
    made = OpenAIEngine(served.url, str(tiny), lora="auto", check_seconds=1)
    yield made
    made.close()


def test_a_real_server_answers_whole_and_streamed(engine: OpenAIEngine) -> None:
    assert engine.status().ready, engine.status()
    whole = engine.generate(ASK)
    assert whole.text.strip()
    assert (whole.release, whole.end) in ((BASE, "length"), (BASE, "stop"))
    seen: list[str] = []
    grown = engine.generate(ASK, lambda text: not seen.append(text))
    assert 0 < grown.tokens <= 12
    assert len(seen) > 2
    assert all(after.startswith(before) for before, after in pairwise(seen))
    assert grown.text == seen[-1]


def test_a_real_stream_can_be_stopped_and_the_next_question_is_answered(
    engine: OpenAIEngine,
) -> None:
    assert engine.generate(LONG, lambda text: len(text) < 10).end == "stopped"
    assert engine.generate(ASK).text


def test_many_ask_a_real_server_at_once(engine: OpenAIEngine) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(engine.generate, [ASK] * 8))
    assert all(answer.text for answer in answers)


def test_a_real_server_without_adapters_refuses_them(engine: OpenAIEngine, tmp_path: Path) -> None:
    with pytest.raises(ReleaseUnusable, match="--enable-lora"):
        engine.load(Release("v1", str(tmp_path)))


def test_a_real_server_that_hangs_and_dies(engine: OpenAIEngine, served: Served) -> None:
    served.freeze()
    started = time.monotonic()
    with pytest.raises(EngineTimeout):
        engine.generate(Request("a", deadline=0.5), lambda text: True)
    assert time.monotonic() - started < 2
    served.thaw()
    assert engine.generate(ASK).text
    served.process.kill()
    served.process.wait(10)
    # A line that was kept may break before it is known that there is nobody to call.
    with pytest.raises(EngineAbsent, match=r"cannot be reached|line broke"):
        engine.generate(ASK)
    assert not engine.status().ready
