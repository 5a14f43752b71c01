"""Exports: who may leave in which form, what is written where, and what becomes of a broken one."""

import hashlib
import os
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from core.errors import ReleaseRefused, SettingsError
from inference.engine import Release
from inference.prompt import SYSTEM
from tests.training.given_releases import BAD, GOOD, added, open_registry, seal
from training import manifest, model_card
from training.export import ExportConfig, Exports, check_leave
from training.exporting import Export
from training.folder import RunFolder, Stopped
from training.hub import Hub
from training.jobs import Jobs, RunRefused
from training.manifest import FILE
from training.model_card import Facts, card

FACTS = Facts("v1", "adapter", "google/gemma-3-4b-it", passed=True)


class Shelfless(Hub):
    """A hub that keeps what it was handed."""

    def __init__(self):
        self.pushed = {}

    def push(self, folder, repo, *, public, message):
        paths = (path for path in folder.rglob("*") if path.is_file())
        files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
        self.pushed[repo] = (public, files)
        return f"https://hub.test/{repo}"


@pytest.fixture
def make(tmp_path):
    """make(form, ...) -> an export of a sealed release, which nobody has begun."""
    folder = seal(tmp_path / "made", "v1")
    made = manifest.parse((folder / FILE).read_bytes())

    def make_(form="adapter", **more):
        wanted = ExportConfig(release="v1", form=form, **more)
        run = RunFolder.create(tmp_path / "exports" / wanted.name, wanted)
        facts = replace(FACTS, form=wanted.made)
        return Export(run, wanted, Release("v1", str(folder)), made, facts, Shelfless())

    return make_


def test_an_adapter_is_one_file_that_another_installation_takes(make, store, tmp_path):
    one = make()
    one.work()
    result = one.run.result()
    assert one.run.state().phase == "done"
    [row] = result["files"]
    file = Path(result["folder"]) / row["path"]
    assert (file.name, row["bytes"]) == ("v1-adapter.zip", file.stat().st_size)
    assert row["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    with zipfile.ZipFile(file) as archive:
        archive.extractall(tmp_path / "out")
    there = {path.name for path in (tmp_path / "out").iterdir()}
    assert there == {"README.md", "NOTICE", "SHA256SUMS", "v1"}
    done = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=tmp_path / "out", check=False)
    assert done.returncode == 0
    registry = open_registry(store, tmp_path / "elsewhere")
    assert registry.add(tmp_path / "out" / "v1", actor="t", now=0) == "v1"


def test_the_same_release_gives_the_same_archive(make, tmp_path):
    one = make()
    one.work()
    again = Export(
        RunFolder.create(tmp_path / "again", one.wanted),
        one.wanted,
        one.release,
        one.manifest,
        one.facts,
        one.hub,
    )
    again.work()
    assert one.run.result()["files"] == again.run.result()["files"]


def test_a_file_that_is_there_is_not_written_over(make, tmp_path):
    place = tmp_path / "usb"
    make(to=str(place)).work()
    assert [path.name for path in place.iterdir()] == ["v1-adapter.zip"]
    (tmp_path / "exports").rename(tmp_path / "before")
    with pytest.raises(SettingsError, match="exists already"):
        make(to=str(place)).work()
    (tmp_path / "a-file").write_text("x")
    (tmp_path / "exports").rename(tmp_path / "before2")
    with pytest.raises(SettingsError, match="cannot be written"):
        make(to=str(tmp_path / "a-file")).work()


def test_an_export_that_is_stopped_leaves_nothing(make):
    one = make()
    one.run.ask_to_stop()
    with pytest.raises(Stopped):
        one.work()
    assert one.run.result() is None
    assert list((one.run.path / "files").iterdir()) == []


def test_the_hub_gets_the_sealed_files_the_card_and_the_notice(make):
    one = make("hub", to="clinic/hausa")
    one.work()
    public, files = one.hub.pushed["clinic/hausa"]
    assert public is False
    assert set(files) == {*one.manifest.files, FILE, "README.md", "NOTICE"}
    assert files["README.md"].startswith(b"---\nlicense: gemma\n")
    assert one.run.result()["url"] == "https://hub.test/clinic/hausa"


def test_a_card_that_was_sealed_gives_way_to_ours(tmp_path):
    """PEFT writes a template as README.md; with another one, the checksums would not hold."""
    folder = tmp_path / "old"
    folder.mkdir()
    for name in ("adapter_model.safetensors", "README.md"):
        (folder / name).write_text("template")
    made = manifest.write(folder, manifest.Manifest(name="old", base_model="tiny"))
    wanted = ExportConfig(release="old", form="hub")
    run = RunFolder.create(tmp_path / "run", wanted)
    one = Export(run, wanted, Release("old", str(folder)), made, FACTS, Shelfless())
    one.work()
    _, files = one.hub.pushed["lafiya-old"]
    assert set(files) == {"adapter_model.safetensors", "README.md", "NOTICE"}
    assert files["README.md"] != b"template"


# Who may leave.


def why_not(registry, wanted):
    """The code with which a release is refused; None when it is not."""
    try:
        check_leave(registry.find("v1"), wanted)
    except ReleaseRefused as refused:
        return refused.code
    return None


# (verdict, form, what else, why not)
LEAVE = [
    (GOOD, "merged", {}, None),
    (GOOD, "hub", {}, None),
    (BAD, "adapter", {}, None),
    (None, "adapter", {}, None),
    (BAD, "merged", {}, "unfit"),
    (BAD, "gguf", {}, "unfit"),
    (BAD, "hub", {}, "unfit"),
    (None, "gguf", {}, "unfit"),
    (BAD, "gguf", {"forced": "to look at"}, None),
]


@pytest.mark.parametrize(("report", "form", "more", "why"), LEAVE)
def test_a_whole_model_leaves_after_its_gate_only(store, tmp_path, report, form, more, why):
    registry = open_registry(store, tmp_path)
    added(registry, tmp_path, "v1", report=report)
    wanted = ExportConfig(release="v1", form=form, **more)
    assert why_not(registry, wanted) == why


@pytest.mark.parametrize(
    ("sources", "public", "why"),
    [
        (["starter"], True, None),
        (["starter", "store"], False, None),
        (["starter", "store"], True, "private_data"),
        (["store:2"], True, "private_data"),
    ],
)
def test_peoples_words_do_not_go_into_a_public_model(store, tmp_path, sources, public, why):
    folder = tmp_path / "made" / "v1"
    folder.mkdir(parents=True)
    (folder / "a").write_text("x")
    manifest.write(folder, manifest.Manifest("v1", "tiny", config={"data": sources}))
    registry = open_registry(store, tmp_path)
    registry.add(folder, actor="t", now=0)
    registry.judge("v1", GOOD, actor="t", now=0)
    wanted = ExportConfig(release="v1", form="hub", public=public, forced="no matter")
    assert why_not(registry, wanted) == why


# Exports as processes.

WRITER = """
import sys, time
from pathlib import Path
from training.folder import RunFolder
run = RunFolder(Path(sys.argv[1]))
while (Path(__file__).parent / "wait").exists():
    time.sleep(0.01)
(run.path / "files").mkdir()
(run.path / "files" / "v1.zip").write_text("x")
row = {"path": "v1.zip", "bytes": 1, "sha256": ""}
run.finish({"folder": str(run.path / "files"), "url": "", "files": [row]})
run.update(phase="done")
"""


@pytest.fixture
def exports(tmp_path, monkeypatch):
    """Exports that write one file, as long as no file called `wait` is there."""
    (tmp_path / "writer.py").write_text(WRITER)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{Path.cwd()}")
    return Exports(Jobs(tmp_path / "exports", "writer"))


def ended(exports, run):
    from training.jobs import wait

    return list(wait(run, exports.jobs, every=0.01))[-1].phase


def test_what_is_there_already_is_not_made_again(exports):
    wanted = ExportConfig(release="v1")
    run = exports.begin(wanted)
    assert ended(exports, run) == "done"
    product = exports.product(run)
    assert (product.bytes, product.file().name) == (1, "v1.zip")
    before = product.file().stat().st_mtime_ns
    assert exports.product(exports.begin(wanted)).file().stat().st_mtime_ns == before
    product.file().unlink()
    assert exports.product(run) is None, "somebody has removed it"
    assert ended(exports, exports.begin(wanted)) == "done"
    assert exports.product(run) is not None


def test_one_at_a_time_and_the_same_one_is_the_same(exports, tmp_path):
    (tmp_path / "wait").touch()
    run = exports.begin(ExportConfig(release="v1"))
    assert exports.begin(ExportConfig(release="v1")) == run
    with pytest.raises(RunRefused) as refused:
        exports.begin(ExportConfig(release="v1", form="merged"))
    assert (refused.value.code, refused.value.run) == ("busy", "v1-adapter")
    (tmp_path / "wait").unlink()
    assert ended(exports, run) == "done"


# The card.


def test_the_card_is_yaml_and_says_what_is_known():
    facts = Facts(
        "v1",
        "merged",
        "google/gemma-3-4b-it",
        "abc123",
        data="d" * 64,
        config={"data": ["starter", "a|b"], "rank": 32, "epochs": 1.0},
        metrics={"chrf": 31.5, "base.chrf": 20.0, "limit.danger": 1.0, "loss": 1.25},
        passed=True,
        created=1_800_000_000.0,
    )
    text = card(facts)
    matter = yaml.safe_load(text.split("---\n")[1])
    assert (matter["license"], matter["base_model"]) == ("gemma", "google/gemma-3-4b-it")
    for line in (
        "| Revision | abc123 |",
        f"| Hash of the data | {'d' * 64} |",
        "| Data | starter, a\\|b |",
        "| rank | 32 |",
        "| chrf | 31.5 | 20 |",
        "| loss | 1.25 | |",
        "passed its gate",
        "drafts",
        model_card.NOTICE.strip(),
        f"> {SYSTEM}",
    ):
        assert line in text, line
    assert "limit" not in text


def test_the_card_of_what_failed_warns():
    text = card(replace(FACTS, passed=False, reasons=("chrf under 20",), forced="to look at"))
    for words in ("FAILED its gate. Reasons: chrf under 20.", "because: to look at", "Do not let"):
        assert words in text
    assert "NOT been examined" in card(replace(FACTS, passed=None))
    assert "random" in card(replace(FACTS, random=True))
    assert "base_model" not in card(replace(FACTS, base_model="gemma-tiny")).split("---")[1]
