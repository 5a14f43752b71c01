"""Runs as processes: one at a time, told by a lock, stopped and taken up again. No model needed."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.errors import SettingsError
from tests.waiting import until
from training.config import TrainConfig, config
from training.folder import RunFolder, State
from training.jobs import Jobs, RunRefused, wait
from training.rows import DataError

#: A run that counts to a hundred, from where it was, and stops when it is asked to.
COUNTER = """
import os, sys, time
from pathlib import Path
from training.folder import RunFolder
run = RunFolder(Path(sys.argv[1]))
run.update(phase="training", steps=100, pid=os.getpid())
for step in range(run.state().step, 100):
    if run.asked_to_stop():
        run.update(phase="cancelled")
        sys.exit(3)
    if "crash" in sys.argv:
        sys.exit(1)
    run.update(step=step + 1)
    time.sleep(0.01 if "slow" in sys.argv else 0)
run.finish({"steps": 100})
run.update(phase="done")
"""


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Jobs]]:
    (tmp_path / "counter.py").write_text(COUNTER, "utf-8")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{Path.cwd()}")

    def make(*arguments: str) -> Jobs:
        return Jobs(tmp_path / "runs", "counter", arguments)

    yield make
    active = make().active()
    if active:
        os.kill(active.state().pid, signal.SIGKILL)


def ended(run: RunFolder, jobs: Jobs) -> State:
    return list(wait(run, jobs, every=0.01))[-1]


def test_a_run_is_followed_to_its_end(jobs: Callable[..., Jobs]) -> None:
    runs = jobs()
    run = runs.start(TrainConfig(), name="one")
    assert ended(run, runs).phase == "done"
    until(lambda: runs.active() is None)
    with pytest.raises(RunRefused, match="one is done"):
        runs.resume("one")
    with pytest.raises(RunRefused, match="there is a run called one"):
        runs.start(TrainConfig(), name="one")


def test_one_run_at_a_time_also_after_whoever_began_it_is_gone(jobs: Callable[..., Jobs]) -> None:
    runs = jobs("slow")
    run = runs.start(TrainConfig(), name="one")
    with pytest.raises(RunRefused, match="one is running"):
        Jobs(runs.root, "counter").start(TrainConfig(), name="two")
    assert not (runs.root / "two").exists()
    runs.cancel("one")
    assert ended(run, runs).phase == "cancelled"
    assert run.state().step < 100


def test_a_killed_run_is_called_interrupted_and_goes_on(jobs: Callable[..., Jobs]) -> None:
    runs = jobs("slow")
    run = runs.start(TrainConfig(), name="one")
    until(lambda: run.state().step >= 5)
    os.kill(run.state().pid, signal.SIGKILL)
    until(lambda: runs.state(run).phase == "interrupted")
    with pytest.raises(RunRefused, match="not running"):
        runs.cancel("one")
    again = jobs().resume("one")
    assert ended(again, runs).phase == "done"
    assert run.state().step == 100


def test_a_killed_run_is_not_taken_for_what_goes_on_after_it(jobs: Callable[..., Jobs]) -> None:
    runs = jobs("slow")
    run = runs.start(TrainConfig(), name="one")
    until(lambda: run.state().step >= 2)
    os.kill(run.state().pid, signal.SIGKILL)
    until(lambda: runs.state(run).phase == "interrupted")
    examined = Jobs(runs.root, examiner="counter", arguments=("slow",)).examine("v1")
    assert (runs.active(), runs.working()) == (None, examined)
    assert runs.state(run).phase == "interrupted"
    with pytest.raises(RunRefused, match="v1 is running"):
        runs.resume("one")
    with pytest.raises(RunRefused, match="not running"):
        runs.cancel("one")
    runs.stop(examined)
    until(lambda: runs.state(examined).phase == "cancelled")
    until(lambda: runs.working() is None)
    assert runs.task("v1/evaluation") == examined
    assert runs.task("v2/evaluation") is None


def test_a_run_that_was_killed_after_training_is_taken_to_its_end(
    jobs: Callable[..., Jobs], tmp_path: Path
) -> None:
    """Trained, but not registered or examined yet: only what is done cannot go on."""
    run = RunFolder.create(tmp_path / "runs" / "one", TrainConfig())
    run.finish({"steps": 100})
    run.update(phase="evaluating")
    assert jobs().state(run).phase == "interrupted"
    assert ended(jobs().resume("one"), jobs()).phase == "done"


def test_a_run_that_dies_at_once_is_not_waited_for(jobs: Callable[..., Jobs]) -> None:
    runs = jobs("crash")
    run = runs.start(TrainConfig(), name="one")
    assert ended(run, runs).phase == "interrupted"


def test_what_is_no_run_is_named(jobs: Callable[..., Jobs], tmp_path: Path) -> None:
    for name in ("gone", "../elsewhere", ""):
        with pytest.raises(RunRefused, match="no run called"):
            jobs().find(name)
    assert jobs().all() == []
    run = RunFolder.create(tmp_path / "runs" / "broken", TrainConfig())
    (run.path / "state.json").write_text("[", "utf-8")
    with pytest.raises(DataError, match=r"state\.json: cannot be read"):
        run.state()


def test_a_reader_never_sees_half_a_state(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "run", TrainConfig())
    for step in range(50):
        run.update(step=step)
        assert run.state().step == step
    assert sorted(path.name for path in run.path.iterdir()) == ["config.json", "state.json"]


def test_progress_of_a_resumed_run_has_each_step_once(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "run", TrainConfig())
    for step, loss in ((1, 3.0), (2, 2.0), (3, 1.0), (2, 1.9), (3, 0.9)):
        run.log({"step": step, "loss": loss})
    with (run.path / "progress.jsonl").open("a") as file:
        file.write('{"step": 4, "lo')
    assert [(line["step"], line["loss"]) for line in run.progress()] == [
        (1, 3.0),
        (2, 1.9),
        (3, 0.9),
    ]


OUT_OF_RANGE = [
    ({"epochs": 11}, "epochs"),
    ({"epochs": 0}, "epochs"),
    ({"batch": 65}, "batch"),
    ({"rank": 7}, "rank"),
    ({"rank": 129}, "rank"),
    ({"learning_rate": 2e-3}, "learning_rate"),
    ({"learning_rate": "fast"}, "learning_rate"),
    ({"data": []}, "data"),
    ({"evaluate": "perhaps"}, "evaluate"),
    ({"typo": 1}, "typo"),
]


@pytest.mark.parametrize(("values", "name"), OUT_OF_RANGE)
def test_a_knob_out_of_range_is_named(values: dict[str, object], name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        config(values)


def test_the_defaults_are_the_origins() -> None:
    wanted = TrainConfig()
    assert (wanted.rank, wanted.alpha, wanted.dropout, wanted.batch, wanted.accumulation) == (
        32,
        32,
        0,
        2,
        4,
    )
    assert (wanted.learning_rate, wanted.warmup, wanted.weight_decay) == (2e-4, 5, 0.01)
    assert (wanted.seed, wanted.max_length, wanted.epochs, wanted.schedule) == (
        3407,
        2048,
        1,
        "linear",
    )
