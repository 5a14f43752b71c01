"""The OpenAI engine against vLLM and llama.cpp, where somebody has installed them.

Neither is in this project's environment (`docs/deploy.md` has the commands). `LAFIYA_VLLM` names
the folder of vLLM's programs, `LAFIYA_LLAMACPP` a Python with llama-cpp-python's server and
`LAFIYA_GGUF` a model for it.
"""

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from core.errors import ReleaseUnusable
from core.messages import Past
from inference.engine import BASE, Release, Request, Sampling
from inference.gemma import tiny as small
from inference.openai import OpenAIEngine
from inference.openai_sse import TooLong
from tests.inference.gemma.served import Served, free_port, serving
from tests.waiting import until

GREEDY = Sampling(temperature=0.0, max_tokens=16)
ASK = Request("Ina da zazzabi", deadline=60, sampling=GREEDY)
VLLM_FLAGS = (
    "--enable-lora --max-lora-rank 16 --max-loras 2 --max-cpu-loras 4 --dtype float32 "
    "--max-model-len 1024 --enforce-eager --host 127.0.0.1"
)


def named(variable: str) -> str:
    value = os.environ.get(variable, "")
    if not value:
        pytest.skip(f"{variable} is not set (see docs/deploy.md)")
    return value


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory, tiny_texts: list[str]) -> Path:
    """As tiny as vLLM takes it: its heads have at least 32 numbers each."""
    folder = tmp_path_factory.mktemp("models") / "gemma-tiny"
    small.build(folder, tiny_texts, shape=replace(small.TINY, head=32))
    return folder


@pytest.fixture(scope="module")
def adapter_a(tmp_path_factory: pytest.TempPathFactory, tiny: Path) -> Path:
    """An adapter of that."""
    folder = tmp_path_factory.mktemp("adapters") / "a"
    small.adapter(tiny, folder, seed=1)
    return folder


@pytest.fixture(scope="module")
def adapter_b(tmp_path_factory: pytest.TempPathFactory, tiny: Path) -> Path:
    """Another one."""
    folder = tmp_path_factory.mktemp("adapters") / "b"
    small.adapter(tiny, folder, seed=2)
    return folder


@pytest.fixture(scope="module")
def vllm(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder, port = tmp_path_factory.mktemp("vllm"), free_port()
    program = str(Path(named("LAFIYA_VLLM")) / "vllm")
    command = [program, "serve", str(tiny), *VLLM_FLAGS.split(), "--port", str(port)]
    env = {"VLLM_ALLOW_RUNTIME_LORA_UPDATING": "True", "VLLM_CPU_KVCACHE_SPACE": "1"}
    with serving(command, port, folder, 400, env) as running:
        yield running


@pytest.fixture
def engine(vllm: Served, tiny: Path) -> Iterator[OpenAIEngine]:
    made = OpenAIEngine(vllm.url, str(tiny), lora="auto", check_seconds=0.5, linger=0)
    yield made
    made.close()


@pytest.mark.vllm
def test_vllm_serves_base_live_and_candidate_and_each_writes_its_own(
    engine: OpenAIEngine, adapter_a: Path, adapter_b: Path
) -> None:
    engine.activate(Release("a1", str(adapter_a)))
    engine.load(Release("b1", str(adapter_b)))
    texts = {}
    for name in (BASE, "a1", "b1"):
        answer = engine.generate(Request("Ina da zazzabi", sampling=GREEDY, release=name))
        assert answer.release == name
        texts[name] = answer.text
    assert len(set(texts.values())) == 3
    assert engine.generate(ASK, lambda _: True).text == texts["a1"]


@pytest.mark.vllm
def test_vllm_swaps_under_load_without_a_failure(
    engine: OpenAIEngine, adapter_a: Path, adapter_b: Path
) -> None:
    releases = [Release("a1", str(adapter_a)), Release("b1", str(adapter_b))]
    engine.activate(releases[0])
    over, seen = threading.Event(), list[tuple[str | None, str]]()

    def ask() -> None:
        while not over.is_set():
            answer = engine.generate(ASK)
            seen.append((answer.release, answer.text))

    with ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(ask) for _ in range(4)]
        for turn in range(20):
            engine.activate(releases[turn % 2])
            before = len(seen)
            until(lambda: releases[turn % 2].name in dict(seen[before:]), 60)  # noqa: B023
        over.set()
        for asked in asking:
            asked.result()
    # Near-ties of random weights may end differently in another batch; beginnings tell them apart.
    begun = {name: {text[:8] for stamp, text in seen if stamp == name} for name in ("a1", "b1")}
    assert begun["a1"]
    assert begun["b1"]
    assert begun["a1"].isdisjoint(begun["b1"])
    assert {stamp for stamp, _ in seen} == {"a1", "b1"}


@pytest.mark.vllm
def test_vllm_that_lost_a_release_gets_it_back(
    engine: OpenAIEngine, vllm: Served, adapter_a: Path
) -> None:
    engine.activate(Release("a1", str(adapter_a)))
    before = engine.generate(ASK)
    gone = httpx.post(f"{vllm.url}/v1/unload_lora_adapter", json={"lora_name": "a1"}, timeout=30)
    assert gone.status_code == 200, gone.text
    after = engine.generate(ASK)
    assert (after.release, after.text) == (before.release, before.text)


@pytest.mark.vllm
def test_vllm_refuses_what_it_cannot_serve(engine: OpenAIEngine, tmp_path: Path) -> None:
    with pytest.raises(ReleaseUnusable, match="cannot load it: HTTP"):
        engine.activate(Release("x1", str(tmp_path)))
    assert engine.status().release == BASE


@pytest.mark.vllm
def test_vllm_cuts_the_memory_and_refuses_a_question_that_is_too_long(
    engine: OpenAIEngine,
) -> None:
    past = tuple(Past(role, "ruwa da abinci " * 30) for role in ("user", "assistant") * 10)
    assert engine.generate(Request("a", past=past, sampling=GREEDY)).tokens
    with pytest.raises(TooLong):
        engine.generate(Request("ƙwarai " * 2000, sampling=GREEDY))


@pytest.mark.llamacpp
def test_llama_cpp_answers_whole_and_streamed(tmp_path: Path) -> None:
    python, model, port = named("LAFIYA_LLAMACPP"), named("LAFIYA_GGUF"), free_port()
    flags = f"--model_alias tiny --n_ctx 1024 --host 127.0.0.1 --port {port}"
    command = [python, "-m", "llama_cpp.server", "--model", model, *flags.split()]
    with serving(command, port, tmp_path, 120, {}, ready="/v1/models") as served:
        engine = OpenAIEngine(served.url, "tiny", lora="auto", check_seconds=0.5)
        assert engine.status().ready
        seen: list[str] = []
        assert engine.generate(ASK).text
        assert engine.generate(ASK, lambda text: not seen.append(text)).text == seen[-1]
        assert engine.generate(ASK, lambda text: False).end == "stopped"
        assert engine.generate(ASK).text
        with pytest.raises(ReleaseUnusable, match="--enable-lora"):
            engine.load(Release("v1", str(tmp_path)))
        engine.close()
