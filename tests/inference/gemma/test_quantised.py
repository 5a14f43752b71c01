"""Weights of 8 and 4 bits, where bitsandbytes is installed (`pip install bitsandbytes`)."""

from pathlib import Path

import pytest
import torch
from given_engine import greedy, prompts, question
from peft import PeftModel

from inference.engine import BASE, Release, Sampling
from inference.gemma.engine import TransformersEngine
from inference.gemma.load import Loaded, load

pytest.importorskip("bitsandbytes", reason="bitsandbytes is not installed: QUANTIZE is not tried")

#: How near the answers' scores are to those of whole weights, at least: the correlation.
NEAR = {"8bit": 0.995, "4bit": 0.9}
LONG = 20


@pytest.fixture(scope="module", params=sorted(NEAR))
def bits(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def quantised(tiny: Path, bits: str) -> Loaded:
    return load(str(tiny), quantize=bits)


@torch.no_grad()
def test_it_is_smaller_and_says_about_the_same(tiny: Path, bits: str, quantised: Loaded) -> None:
    whole, ids = load(str(tiny)), torch.tensor([prompts()[-1]])
    scores = torch.stack([each.model(ids).logits.flatten() for each in (whole, quantised)])
    assert float(torch.corrcoef(scores)[0, 1]) > NEAR[bits]
    assert quantised.bytes < 0.95 * whole.bytes


def test_it_answers_with_releases_as_peft_does(
    tiny: Path, quantised: Loaded, adapter_a: Path, bits: str
) -> None:
    ids, anybody = prompts()[3], load(str(tiny), quantize=bits).model
    expected = {BASE: greedy(anybody, ids, LONG)}
    expected["a"] = greedy(PeftModel.from_pretrained(anybody, adapter_a), ids, LONG)
    engine = TransformersEngine(
        str(tiny), demo=True, running=4, waiting=4, cache_gb=0.1, loaded=quantised
    )
    try:
        assert engine.wait(60), engine.status()
        engine.activate(Release("a", str(adapter_a)))
        assert engine.generate(question()).release == "a"
        loop = engine.supervisor.loop  # type: ignore[union-attr]
        for slot, name in enumerate((BASE, "a")):
            ticket = loop.submit(ids, Sampling(temperature=0.0, max_tokens=LONG), slot)
            assert list(ticket.news.get(timeout=60).tokens) == expected[name]
            loop.drop(ticket)
    finally:
        engine.close()
