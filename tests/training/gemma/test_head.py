"""The loss that is worked out with its gradient is the one of the textbook, and of TRL."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import TrainerCallback

from tests.training.gemma.conftest import small
from training.gemma.head import learnt_loss
from training.gemma.models import prepare
from training.gemma.tokens import IGNORED, encode_all
from training.gemma.trainer import Fit, make
from training.rows import Conversation


def plainly(hidden: torch.Tensor, weight: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Every score of every token at once."""
    scores = (hidden[:, :-1] @ weight.T).float().flatten(0, 1)
    loss = torch.nn.functional.cross_entropy
    return loss(scores, labels[:, 1:].flatten(), ignore_index=IGNORED, reduction="sum")


def drawn(rows: int, tokens: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(7)
    hidden = torch.randn(rows, tokens, 16, generator=draw)
    weight = torch.randn(50, 16, generator=draw)
    labels = torch.randint(50, (rows, tokens), generator=draw)
    labels[torch.rand(rows, tokens, generator=draw) < 0.4] = IGNORED
    return hidden, weight, labels


@pytest.mark.parametrize("chunk", [1, 7, 64, 256])
@pytest.mark.parametrize("rows", [1, 3])
def test_loss_and_gradient_are_the_textbooks(rows: int, chunk: int) -> None:
    hidden, weight, labels = drawn(rows, 40)
    ours, theirs = (hidden.clone().requires_grad_() for _ in range(2))
    one, other = learnt_loss(ours, weight, labels, chunk) / 5, plainly(theirs, weight, labels) / 5
    assert one.item() == pytest.approx(other.item(), rel=1e-6)
    one.backward()
    other.backward()
    torch.testing.assert_close(ours.grad, theirs.grad)


def test_half_the_bits_are_as_near_as_they_can_be() -> None:
    hidden, weight, labels = drawn(2, 40)
    whole, half = hidden.clone().requires_grad_(), hidden.bfloat16().requires_grad_()
    plainly(whole, weight, labels).backward()
    loss = learnt_loss(half, weight, labels)
    loss.backward()
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(plainly(hidden, weight, labels).item(), rel=0.01)
    assert half.grad is not None
    torch.testing.assert_close(half.grad.float(), whole.grad, atol=0.1, rtol=0.05)


def test_where_nothing_is_learnt_nothing_is_lost() -> None:
    hidden, weight, labels = drawn(1, 8)
    hidden.requires_grad_()
    loss = learnt_loss(hidden, weight, torch.full_like(labels, IGNORED))
    loss.backward()
    assert loss.item() == 0
    assert hidden.grad is not None
    assert not hidden.grad.any()


class Step(TrainerCallback):
    """Keeps the gradient of the first step."""

    def __init__(self) -> None:
        self.slopes: dict[str, torch.Tensor] = {}

    def on_pre_optimizer_step(
        self, args: Any, state: Any, control: Any, model: Any = None, **_: Any
    ) -> None:
        if not state.global_step:
            of = model.named_parameters()
            self.slopes = {name: weight.grad.clone() for name, weight in of if weight.requires_grad}


def test_a_step_is_the_one_that_trl_makes(
    tiny: Path, talks: list[Conversation], tmp_path: Path
) -> None:
    """Over several passes of padded rows, so that the mean is over the tokens of all of them."""
    steps, losses, wanted = [], [], small(tiny, max_steps=1, checks=1)
    for name in ("peft", "another"):
        prepared = replace(prepare(wanted), trainer=name)
        rows = encode_all(talks[:8], prepared.tokenizer, 512).rows
        steps.append(Step())
        made = make(tmp_path / name, wanted, prepared, rows, rows[:3], Fit(2, 2), steps[-1:])
        losses += [made.train().training_loss, made.evaluate()["eval_loss"]]
    assert losses[:2] == pytest.approx(losses[2:], rel=1e-5)
    ours, theirs = (step.slopes for step in steps)
    assert ours.keys() == theirs.keys()
    assert len(ours) >= 14
    assert any(slope.any() for slope in ours.values())
    for name, slope in ours.items():
        torch.testing.assert_close(slope, theirs[name], atol=1e-6, rtol=1e-4)
