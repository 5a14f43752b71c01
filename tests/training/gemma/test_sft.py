"""A run on the tiny model: it learns, is resumed, cancelled and cut smaller, and says so."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import AutoTokenizer, TrainerCallback

from core.errors import LafiyaError
from inference.engine import Release
from inference.gemma.adapter import read
from inference.gemma.load import load
from tests.training.gemma.conftest import small, split
from training import data
from training.folder import RunFolder
from training.gemma import sft
from training.gemma.tokens import encode
from training.gemma.watch import Watch
from training.rows import Conversation

Make = Callable[..., RunFolder]


class At(TrainerCallback):
    """Does something at the beginning of a step."""

    def __init__(self, step: int, act: Callable[[Any], None]) -> None:
        self.step, self.act = step, act

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step == self.step:
            self.act(args)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, tiny: Any, talks: Any) -> RunFolder:
    """A run from beginning to end."""
    run = RunFolder.create(tmp_path_factory.mktemp("runs") / "whole", small(tiny))
    data.save(split(talks), run.data)
    assert sft.run(run)
    return run


def test_a_run_learns_and_leaves_an_adapter_that_can_be_served(undisturbed: RunFolder) -> None:
    result, state = undisturbed.result(), undisturbed.state()
    assert result is not None
    assert result["held_out_loss"] < result["base_loss"]
    assert (result["steps"], state.phase, state.step, state.steps) == (8, "trained", 8, 8)
    model = load(undisturbed.config().model).model
    adapter = read(Release("r", str(undisturbed.adapter)), model.config)
    assert len(adapter.weights) == 7 * model.config.num_hidden_layers


def test_progress_is_written_line_by_line(undisturbed: RunFolder) -> None:
    lines = list(undisturbed.progress())
    losses = [line for line in lines if "loss" in line]
    assert {line["step"] for line in losses} == set(range(1, 9))
    assert [line["step"] for line in lines if "held_out_loss" in line] == [0, 2, 4, 6, 8]
    statistics = [line for line in lines if "data" in line]
    assert {"tokens", "learnt_tokens", "too_long"} <= set(statistics[0])


def test_a_cancelled_run_stops_within_a_step_and_goes_on_to_the_same_loss(
    make_run: Make, undisturbed: RunFolder
) -> None:
    run = make_run("stopped")
    assert sft.run(run, callbacks=[At(5, lambda args: run.ask_to_stop())]) is None
    state = run.state()
    assert state.phase == "cancelled"
    assert state.step <= 6
    assert run.result() is None
    run.forget_stop()
    result, whole = sft.run(run), undisturbed.result()
    assert result is not None
    assert whole is not None
    assert result["held_out_loss"] == pytest.approx(whole["held_out_loss"], rel=1e-4)


class AtGrading(TrainerCallback):
    """Asks a run to stop while it is graded after so many steps."""

    def __init__(self, step: int, run: RunFolder) -> None:
        self.step, self.run, self.graded = step, run, 0

    def on_prediction_step(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step == self.step:
            self.graded += 1
            self.run.ask_to_stop()


def test_a_grading_can_be_stopped_and_costs_nothing_that_was_saved(
    make_run: Make, undisturbed: RunFolder
) -> None:
    run = make_run("stopped-grading")
    asking = AtGrading(4, run)
    assert sft.run(run, callbacks=[asking]) is None
    assert asking.graded == 1, "at once"
    assert run.state().phase == "cancelled"
    run.forget_stop()
    result, whole = sft.run(run), undisturbed.result()
    assert result is not None
    assert whole is not None
    assert result["held_out_loss"] == pytest.approx(whole["held_out_loss"], rel=1e-4)


def test_a_grading_says_how_far_it_is(make_run: Make) -> None:
    run, now = make_run("graded"), [0.0]
    watch = Watch(run, clock=lambda: now[0])
    args = SimpleNamespace(eval_batch_size=4, world_size=1, device="cpu")
    state = SimpleNamespace(is_world_process_zero=True)
    rows = SimpleNamespace(dataset=range(10))
    said = []
    for _ in range(3):
        now[0] += 2
        watch.on_prediction_step(args, state, None, eval_dataloader=rows)
        said.append((run.state().phase, run.state().count))
    assert said == [("grading", (4, 10)), ("grading", (8, 10)), ("grading", (10, 10))]
    assert run.state().share == 1.0
    watch.on_evaluate(args, state, None)
    assert (run.state().phase, run.state().count) == ("training", (0, 0))


def test_out_of_memory_halves_the_batch_and_keeps_the_step(make_run: Make) -> None:
    def full(args: Any) -> None:
        if args.per_device_train_batch_size > 1:
            raise torch.OutOfMemoryError("told to fail")

    run = make_run("full", max_steps=2, checks=1)
    result = sft.run(run, callbacks=[At(0, full)])
    assert result is not None
    assert (result["batch"], result["accumulation"], result["checkpointing"]) == (1, 4, False)


def test_memory_that_never_suffices_ends_with_what_to_do(make_run: Make) -> None:
    def full(args: Any) -> None:
        raise torch.OutOfMemoryError("told to fail")

    run = make_run("always-full", max_steps=2, checks=1)
    with pytest.raises(LafiyaError, match="smaller max_length"):
        sft.run(run, callbacks=[At(0, full)])


def test_a_run_that_fails_says_why_where_it_is_looked_for(make_run: Make, tmp_path: Any) -> None:
    run = make_run("gone", model=str(tmp_path / "no-model"))
    assert sft.main(run) == 1
    assert run.state().phase == "failed"
    assert "MODEL" in run.state().detail or "no-model" in run.state().detail


def test_a_packed_row_sees_only_itself(tiny: Any, talks: list[Conversation]) -> None:
    """Rows that share a line, told apart by their positions, give the losses of rows alone."""
    model = load(str(tiny)).model
    tokenizer = AutoTokenizer.from_pretrained(tiny)
    rows = [row for talk in talks[:3] if (row := encode(talk, tokenizer, 512))]
    alone = [model(torch.tensor([row.input_ids])).logits[0] for row in rows]
    packed = model(
        torch.tensor([[token for row in rows for token in row.input_ids]]),
        position_ids=torch.tensor([[i for row in rows for i in range(len(row.input_ids))]]),
        use_cache=False,
    ).logits[0]
    torch.testing.assert_close(packed, torch.cat(alone), atol=1e-4, rtol=1e-4)


def test_packing_trains_too(make_run: Make) -> None:
    run = make_run("packed", packing=True, max_steps=2, max_length=512, checks=1)
    result = sft.run(run)
    assert result is not None
    assert result["held_out_loss"] < result["base_loss"]
