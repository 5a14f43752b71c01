"""The real engine gives its memory to a run, and is back with the live release after its crash."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from given_engine import loaded, question

from bot.fakes import tiny_mind
from core.errors import EngineAbsent
from inference.aside import Aside
from inference.engine import Sampling
from inference.gemma.engine import TransformersEngine
from tests.bot.clinic import open_clinic
from tests.bot.test_sharing import CLAIM
from tests.training.given_releases import GOOD, NOW
from tests.waiting import until
from training import manifest
from training.manifest import Manifest

ASKED = "Ina jin ciwon kai da zazzabi"


@pytest.fixture
def engine(tiny: Path) -> Aside:
    return Aside(
        lambda: TransformersEngine(
            str(tiny), demo=True, running=4, waiting=8, cache_gb=0.1, loaded=loaded(tiny)
        )
    )


def test_it_steps_aside_for_a_run_and_comes_back_after_its_crash(
    tiny: Path, adapter_a: Path, engine: Aside, sqlite_url: str, tmp_path: Path
) -> None:
    mind = tiny_mind(engine, sampling=lambda: Sampling(temperature=0.0, max_tokens=8))
    runs = tmp_path / "runs"
    clinic = open_clinic(mind, sqlite_url, tmp_path / "shelf", runs=str(runs))
    shutil.copytree(adapter_a, tmp_path / "made" / "ra")
    manifest.write(tmp_path / "made" / "ra", Manifest(name="ra", base_model=str(tiny)))
    clinic.registry.add(tmp_path / "made" / "ra", actor="t", now=NOW)
    clinic.registry.judge("ra", GOOD, actor="t", now=NOW)
    clinic.registry.promote("ra", actor="t", now=NOW)
    answering = clinic.app.mind.engine

    def served() -> bool:
        clinic.app._share()
        clinic.app.keeper.tick(NOW)
        clinic.app.keeper.join(20)
        return answering.status().ready

    until(served)
    before = answering.generate(question(ASKED))
    assert before.release == "ra"
    command = [sys.executable, "-c", CLAIM, str(runs)]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        until(lambda: not served() and not engine.here)
        assert run.stdout is not None
        assert run.stdout.readline().strip() == "in"
        assert not served()  # at its first look the run may not have signed what it claims
        with pytest.raises(EngineAbsent):
            answering.generate(question(ASKED))
        assert "lent to run-1" in answering.status().detail
        os.kill(run.pid, signal.SIGKILL)
        until(served)
        assert answering.generate(question(ASKED)) == before
    finally:
        run.kill()
        run.communicate()
        clinic.app.stop()
