"""SIGKILL of the service, then of a run, as an admin sees it in their chat.

The run counts instead of training, with a checkpoint now and then: that real training reaches the
same loss is tests/training/gemma/test_sft.py's, and all of it together that of
tests/acceptance/test_training_killed.py.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.bot.watched_service import TOLD
from tests.payloads import press, update
from tests.providers import Providers
from tests.waiting import until
from training.config import TrainConfig
from training.folder import RunFolder
from training.jobs import Jobs

ROOT = Path(__file__).parents[2]
ADMIN = "1"
STEPS = 150
#: Loses a hundredth of its loss a step, and what it learnt since its last checkpoint when killed.
LEARNER = """
import json, os, sys, time
from pathlib import Path
from training.folder import RunFolder
run = RunFolder(Path(sys.argv[1]))
saved = run.path / "checkpoint.json"
step, loss = json.loads(saved.read_text()) if saved.exists() else (0, 11.0)
run.update(phase="training", step=step, steps=150, pid=os.getpid(), loss=loss)
while step < 150:
    step, loss = step + 1, loss * 0.99
    run.update(step=step, loss=loss)
    if step % 10 == 0:
        saved.write_text(json.dumps([step, loss]))
    time.sleep(0.03)
run.finish({"base_loss": 11.0, "held_out_loss": loss, "seconds": 5})
run.update(phase="done")
"""


class Talk:
    """What an admin writes to a service, and what their phone shows."""

    def __init__(self, providers: Providers) -> None:
        self.providers, self._ids = providers, count(1)

    def write(self, text: str) -> None:
        self.providers.give(update(next(self._ids), int(ADMIN), text=text))

    def press(self, data: str) -> None:
        self.providers.give(press(next(self._ids), data, int(ADMIN)))

    def heard(self, words: str) -> list[str]:
        """Whatever was said with these words, by the provider's ids."""
        return [s.provider_id for s in self.providers.taken(ADMIN) if words in s.text]

    def shown(self, number: str) -> str:
        """What a message says now."""
        return self.providers.shown[number][0]


@pytest.fixture
def talk() -> Iterator[Talk]:
    with Providers() as providers:
        yield Talk(providers)


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Path]:
    """Where runs lie; one that a failed test has left is ended."""
    (tmp_path / "learner.py").write_text(LEARNER, "utf-8")
    yield tmp_path / "runs"
    for state in (tmp_path / "runs").glob("*/state.json"):
        run = RunFolder(state.parent)
        if run.result() is None:
            os.kill(run.state().pid, signal.SIGKILL)


@pytest.fixture
def serve(
    talk: Talk, runs: Path, sqlite_url: str
) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    begun: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        command = (sys.executable, "-m", "tests.bot.watched_service")
        base = talk.providers.base
        path = os.pathsep.join([str(runs.parent), str(ROOT)])
        environment = {**os.environ, "PYTHONPATH": path}
        begun.append(
            subprocess.Popen((*command, sqlite_url, base, str(runs), "learner"), env=environment)
        )
        return begun[-1]

    yield start
    for process in begun:
        process.kill()
        process.wait()


def newest(runs: Path) -> RunFolder:
    return RunFolder(max(runs.glob("r2*")))


@pytest.mark.slow
def test_both_are_killed_and_nothing_is_lost(
    serve: Callable[[], subprocess.Popen[bytes]], talk: Talk, runs: Path
) -> None:
    first = serve()
    talk.write("/english")
    talk.write("/train evaluate=no")
    until(lambda: talk.heard("has begun on"))
    [message] = talk.heard("has begun on")
    until(lambda: "/150 · loss" in talk.shown(message))

    # The service is killed: the run goes on, and so does the message, by the next service.
    whole = newest(runs)
    first.kill()
    first.wait()
    at_kill, said = whole.state().step, talk.shown(message)
    serve()
    until(lambda: whole.state().step > at_kill)
    until(lambda: talk.shown(message) != said)
    talk.write("zazzabi")
    until(lambda: talk.heard("fever-adult"))
    until(lambda: talk.heard(f"Training of {whole.name} is done."))
    until(lambda: talk.shown(message).startswith(f"{whole.name}: done"))

    # The run is killed: the bot answers, says so where it is looked for, and offers to go on.
    talk.write("/train evaluate=no")
    until(lambda: len(talk.heard("has begun on")) == 2)
    killed = newest(runs)
    message = talk.heard("has begun on")[-1]
    until(lambda: killed.state().step > 45)
    os.kill(killed.state().pid, signal.SIGKILL)
    talk.write("sukari")
    until(lambda: talk.heard("diabetes-diet"))
    until(lambda: talk.heard("stopped in the middle"))
    until(lambda: "stopped in the middle" in talk.shown(message))
    assert f"resume:{killed.name}:ask" in talk.providers.taken(ADMIN)[-1].data["reply_markup"]
    talk.press(f"resume:{killed.name}:ask")
    until(lambda: talk.heard(f"Training of {killed.name} is done."))

    results = [run.result() for run in (whole, killed)]
    losses = [result["held_out_loss"] for result in results if result]
    assert losses[1] == pytest.approx(losses[0], rel=0.02)
    time.sleep(2.5)  # as long as two more looks take
    for run in (whole, killed):
        assert len(talk.heard(f"Training of {run.name} is done.")) == 1
    assert len(talk.heard("stopped in the middle")) == 1


@pytest.mark.slow
def test_a_run_that_no_chat_has_begun_is_told_at_its_end(
    serve: Callable[[], subprocess.Popen[bytes]],
    talk: Talk,
    runs: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    serve()
    talk.write("/english")
    until(lambda: talk.heard("English"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(runs.parent), str(ROOT)]))
    run = Jobs(runs, "learner").start(TrainConfig(), name="r2")
    until(lambda: run.state().step > 5)
    os.kill(run.state().pid, signal.SIGKILL)
    until(lambda: talk.heard("Training of r2 stopped in the middle"))
    Jobs(runs, "learner").resume("r2")
    until(lambda: talk.heard("Training of r2 is done."))
    time.sleep(3 * TOLD)
    assert len(talk.heard("Training of r2")) == 2
