"""An admin's orders against the real engine: swapped, compared, rolled back, refused, restarted."""

import shutil
import threading
from pathlib import Path

import pytest
from given_engine import loaded, question

from bot.fakes import tiny_mind
from core.errors import EngineAbsent
from inference.engine import BASE, Sampling
from inference.gemma.engine import TransformersEngine
from tests.bot.clinic import Clinic, open_clinic
from tests.training.given_releases import GOOD, NOW
from tests.waiting import until
from training import manifest
from training.manifest import Manifest

ASKED = "Ina jin ciwon kai da zazzabi"
SAMPLING = Sampling(temperature=0.0, max_tokens=8)


@pytest.fixture
def open_(tiny: Path, sqlite_url: str, tmp_path: Path):
    """Opens a service with an engine of its own on the test's database, as a process would."""
    made: list[Clinic] = []

    def open_one() -> Clinic:
        engine = TransformersEngine(
            str(tiny), demo=True, running=8, waiting=16, cache_gb=0.1, loaded=loaded(tiny)
        )
        assert engine.wait(60), engine.status()
        mind = tiny_mind(engine, sampling=lambda: SAMPLING)
        clinic = open_clinic(mind, sqlite_url, tmp_path / "shelf")
        clinic.app.desk.patience = 20.0
        clinic.engine = engine
        made.append(clinic)
        return clinic

    yield open_one
    for clinic in made:
        clinic.app.stop()


@pytest.fixture
def clinic(open_, tiny: Path, adapter_a: Path, adapter_b: Path, tmp_path: Path) -> Clinic:
    """Two releases have passed; `zero` too, though the engine cannot serve it."""
    clinic = open_()
    for name, adapter in (("ra", adapter_a), ("rb", adapter_b), ("zero", adapter_a)):
        folder = tmp_path / "made" / name
        shutil.copytree(adapter, folder)
        if name == "zero":
            (folder / "adapter_model.safetensors").write_bytes(b"no tensors")
        manifest.write(folder, Manifest(name=name, base_model=str(tiny)))
        clinic.registry.add(folder, actor="t", now=NOW)
        clinic.registry.judge(name, GOOD, actor="t", now=NOW)
    clinic.english()
    return clinic


def test_orders_on_the_real_engine(clinic, open_):
    assert "ra is live" in clinic.confirm("/swap ra")
    assert "rb is loaded" in clinic.order("/load rb")
    engine = clinic.engine
    names = (BASE, "ra", "rb")
    words = {name: engine.generate(question(ASKED, release=name)).text for name in names}
    assert len(set(words.values())) == 3
    clinic.app.mind.engine.verbatim = True  # random weights end no sentence
    parts = clinic.order(f"/compare {ASKED}").split("▸ ")[1:]
    assert ["(base)" in parts[0], "(ra)" in parts[1], "(rb)" in parts[2]] == [True] * 3
    assert len({part.partition("\n")[2] for part in parts}) == 3

    stop, wrong, seen, failed = threading.Event(), [], set(), []

    def keep_asking():
        kept = clinic.app.mind.engine
        while not stop.is_set():
            try:
                answer = kept.generate(question(ASKED))
            except Exception as error:
                failed.append(error)
                return
            seen.add(answer.release)
            if answer.text != words[answer.release]:
                wrong.append(answer.release)

    people = [threading.Thread(target=keep_asking) for _ in range(3)]
    for person in people:
        person.start()
    said = clinic.confirm("/swap rb")
    assert "rb is live" in said
    assert "1 of 1" in said
    assert engine.status().release == "rb"
    until(lambda: "rb" in seen)
    assert "cannot be used" in clinic.confirm("/swap zero")
    assert "ra is live" in clinic.confirm("/rollback")
    stop.set()
    for person in people:
        person.join(20)
    assert (failed, wrong) == ([], [])
    assert seen >= {"ra", "rb"}
    assert engine.status().release == "ra"

    again = open_()
    kept = again.app.mind.engine
    with pytest.raises(EngineAbsent, match="ra is live, but not here"):
        kept.generate(question(ASKED))
    again.app.keeper.tick(NOW)
    again.app.keeper.join(20)
    answer = kept.generate(question(ASKED))
    assert (answer.release, answer.text) == ("ra", words["ra"])
