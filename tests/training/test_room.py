"""The room on a GPU: who has it is told by locks, which end with whoever held them."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cli import room as claiming
from core.settings import load_settings
from tests.waiting import until
from training.config import TrainConfig
from training.folder import RunFolder
from training.room import NoRoom, Tenant, claim, needed

NEEDED = [
    # SHARE_GPU, what the run needs, what is free, must the engine go?
    ("auto", 10, 9, True),
    ("auto", 9, 9, False),
    ("auto", 10, None, False),
    ("yes", 10, 0, False),
    ("no", 1, 100, True),
    ("no", 1, None, True),
]


@pytest.mark.parametrize(("share", "need", "free", "expected"), NEEDED)
def test_the_engine_goes_when_both_do_not_fit(
    share: str, need: int, free: int | None, expected: bool
) -> None:
    assert needed(share, lambda: need, lambda: free) is expected  # type: ignore[arg-type]


def test_the_estimate_is_not_made_where_it_does_not_matter() -> None:
    def never() -> int:
        raise AssertionError("asked")

    assert not needed("auto", never, lambda: None)
    assert needed("no", never, never)
    assert not needed("yes", never, never)


@pytest.fixture
def tenant(tmp_path: Path) -> Iterator[Callable[..., Tenant]]:
    """Engines' sides of the room; all have left at the end."""
    made: list[Tenant] = []

    def make(root: Path = tmp_path) -> Tenant:
        made.append(Tenant(root))
        return made[-1]

    yield make
    for one in made:
        one.leave()


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Starts a process that claims the room, becomes something else, and says what it is at."""
    begun: list[subprocess.Popen[str]] = []
    then = "print('became', flush=True); import time; time.sleep(600)"
    code = f"""
import os, sys
from pathlib import Path
from training.room import NoRoom, claim
print("asked", flush=True)
try:
    claim(Path({str(tmp_path)!r}), "run-1", patience=float(sys.argv[1]))
except NoRoom as error:
    sys.exit(str(error))
print("in", flush=True)
sys.stdin.readline()
os.execv(sys.executable, [sys.executable, "-c", {then!r}])
"""

    def start(patience: float = 60.0) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", code, str(patience)]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        begun.append(process)
        assert heard(process) == "asked"
        return process

    yield start
    for process in begun:
        process.kill()
        process.communicate()


def heard(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_a_run_waits_for_every_engine_and_keeps_them_out_till_it_is_gone(
    tenant: Callable[..., Tenant], run: Callable[..., "subprocess.Popen[str]"]
) -> None:
    one, other, late = tenant(), tenant(), tenant()
    assert (one.enter(), other.enter(), one.wanted()) == (True, True, "")
    process = run()
    until(lambda: one.wanted() == "run-1")
    assert not late.enter(), "nobody comes in while one wants the room"
    one.leave()
    other.leave()
    assert heard(process) == "in"
    assert (one.enter(), other.wanted()) == (False, "run-1")
    assert process.stdin is not None
    process.stdin.write("go on\n")
    process.stdin.flush()
    assert heard(process) == "became"
    assert not one.enter(), "what the run became has the room still"
    os.kill(process.pid, signal.SIGKILL)
    until(lambda: one.wanted() == "")
    assert one.enter()
    assert other.enter()


def test_a_run_gives_up_and_says_what_to_do(
    tenant: Callable[..., Tenant], run: Callable[..., "subprocess.Popen[str]"]
) -> None:
    stubborn = tenant()
    assert stubborn.enter()
    process = run(0.3)
    _, said = process.communicate(timeout=30)
    assert "did not step aside" in said
    assert "SHARE_GPU=yes" in said
    assert stubborn.wanted() == ""


def test_an_engine_whose_process_died_is_not_waited_for(tmp_path: Path) -> None:
    code = f"""
from pathlib import Path
from training.room import Tenant
import os
tenant = Tenant(Path({str(tmp_path)!r}))
assert tenant.enter()
os.kill(os.getpid(), 9)
"""
    subprocess.run([sys.executable, "-c", code], check=False)
    check = "from pathlib import Path; from training.room import claim; import sys; "
    check += f"claim(Path({str(tmp_path)!r}), 'r', patience=5)"
    subprocess.run([sys.executable, "-c", check], check=True)


def test_nothing_is_claimed_where_both_fit(tmp_path: Path, tenant: Callable[..., Tenant]) -> None:
    folder = RunFolder.create(tmp_path / "runs" / "r", TrainConfig())
    settings = load_settings({"RUNS": str(tmp_path / "runs"), "SHARE_GPU": "yes"}, None)
    claiming.make(settings, folder, TrainConfig())
    assert tenant(tmp_path / "runs").enter()


def test_a_clock_that_has_run_out_frees_what_was_taken(
    tmp_path: Path, tenant: Callable[..., Tenant]
) -> None:
    here = tenant()
    assert here.enter()
    times = iter([0.0, 1.0, 99.0])
    with pytest.raises(NoRoom):
        claim(tmp_path, "r", patience=10, clock=lambda: next(times), sleep=lambda seconds: None)
    assert here.wanted() == ""
