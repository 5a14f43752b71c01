"""A run in two processes: the loss of one, nobody left behind by a kill, all stop together."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.waiting import until
from training.folder import Follower, RunFolder, State
from training.gemma import sft
from training.gemma.watch import agreed
from training.run import train

Make = Callable[..., RunFolder]


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes on two cores, and warnings of libraries that are not ours."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "false")
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()))


#: What accelerate begins, from one process that has imported everything: that takes longest.
TWO = """
import os, sys
from pathlib import Path
import accelerate, datasets, trl
from training.folder import RunFolder
from training.gemma import sft
first = os.fork()
os.environ["RANK"] = os.environ["LOCAL_RANK"] = "0" if first else "1"
status = sft.main(RunFolder(Path(sys.argv[1])))
if first:
    status = status or os.waitpid(first, 0)[1]
os._exit(status)
"""


def shared_by_two(run: RunFolder) -> int:
    """The run in two processes; 0 when both are done."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    where = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    command = [sys.executable, "-c", TWO, str(run.path)]
    return subprocess.run(command, env={**os.environ, **where}, check=False).returncode


def test_two_processes_come_to_the_loss_of_one(make_run: Make, quiet: None) -> None:
    """The same rows make each step, whoever computes them."""
    alone, together = make_run("alone"), make_run("together", processes=2)
    whole = sft.run(alone)
    assert shared_by_two(together) == 0
    shared, state = together.result(), together.state()
    assert whole is not None
    assert shared is not None
    assert (shared["batch"], shared["accumulation"]) == (2, 1)
    assert (state.phase, state.step) == ("trained", 8)
    assert shared["train_loss"] == pytest.approx(whole["train_loss"], rel=1e-4)
    # Several processes average over the tokens of all, one over each batch's.
    assert shared["held_out_loss"] == pytest.approx(whole["held_out_loss"], rel=0.02)
    losses = [
        [line["loss"] for line in run.progress() if "loss" in line] for run in (alone, together)
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4), "every step, from the first to the last"
    steps = [line["step"] for line in together.progress() if "loss" in line]
    assert steps == list(range(1, 9)), "each step is written once"


def begun(run: RunFolder) -> "subprocess.Popen[bytes]":
    """The run in a process that can be killed, as `training.jobs` starts it."""
    code = "import sys; from pathlib import Path; from training import run; "
    code += "from training.folder import RunFolder; run.train(RunFolder(Path(sys.argv[1])))"
    return subprocess.Popen([sys.executable, "-c", code, str(run.path)])


def workers(run: RunFolder) -> list[str]:
    """The processes that work on a run."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if str(run.path).encode() in command:
            found.append(folder.name)
    return found


@pytest.mark.heavy
def test_a_kill_leaves_nobody_and_the_run_goes_on_to_the_same_loss(
    make_run: Make, quiet: None
) -> None:
    undisturbed = make_run("whole", processes=2, max_steps=40, checks=10)
    assert train(undisturbed)
    run = make_run("killed", processes=2, max_steps=40, checks=10)
    process = begun(run)
    until(lambda: run.state().step >= 12, 120)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    until(lambda: not workers(run))
    assert run.result() is None
    assert train(run)
    result, whole = run.result(), undisturbed.result()
    assert whole is not None
    assert result is not None
    assert result["held_out_loss"] == pytest.approx(whole["held_out_loss"], rel=0.02)


@pytest.mark.heavy
def test_all_stop_together_when_they_are_asked_to(make_run: Make, quiet: None) -> None:
    run = make_run("stopped", processes=2, max_steps=2000)
    process = begun(run)
    until(lambda: run.state().step >= 5, 120)
    run.ask_to_stop()
    process.wait(60)
    assert run.state().phase == "cancelled"
    assert run.state().step < 2000


def test_what_one_process_wishes_all_do(tmp_path: Path) -> None:
    assert agreed((True, False), "cpu") == (True, False)
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{tmp_path}/meet", rank=0, world_size=1
    )
    try:
        assert agreed((False, True), "cpu") == (False, True)
    finally:
        torch.distributed.destroy_process_group()


def test_only_the_first_process_writes(tmp_path: Path, make_run: Make) -> None:
    run = make_run("one")
    other = Follower(run.path)
    before = run.state()
    other.update(phase="training", step=3)
    other.log({"step": 1})
    other.finish({"steps": 1})
    assert (run.state(), run.result(), list(run.progress())) == (before, None, [])
    assert isinstance(other.state(), State)


def test_memory_that_was_short_once_is_remembered(make_run: Make) -> None:
    def full(args: Any) -> None:
        if args.per_device_train_batch_size > 1:
            raise torch.OutOfMemoryError("told to fail")

    from tests.training.gemma.test_sft import At

    run = make_run("short", max_steps=1, checks=1)
    assert run.fit() is None
    sft.run(run, callbacks=[At(0, full)])
    assert run.fit() == {"batch": 1, "accumulation": 4, "checkpointing": False}


def test_one_of_several_whose_memory_is_short_ends_so_that_all_begin_anew(
    make_run: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(args: Any) -> None:
        raise torch.OutOfMemoryError("told to fail")

    from tests.training.gemma.test_sft import At

    run = make_run("short-of-two", max_steps=1, checks=1)
    monkeypatch.setattr(sft, "_world", lambda: 2)
    with pytest.raises(SystemExit) as ended:
        sft.run(run, callbacks=[At(0, full)])
    assert ended.value.code == sft.AGAIN
    assert run.fit() == {"batch": 1, "accumulation": 4, "checkpointing": False}
