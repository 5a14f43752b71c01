"""Releases from a sealed folder to an engine's hands: checksums, half folders, a remote shelf."""

import json
import shutil
from pathlib import Path

import pytest

from core.errors import ReleaseRefused, ReleaseUnusable, SettingsError
from core.settings import Settings
from tests.training.given_releases import BAD, NOW, added, open_registry, seal
from training import manifest
from training.manifest import Manifest
from training.registry import open_registry as from_settings

WEIGHTS = "adapter_model.safetensors"


@pytest.fixture(params=["folder", "memory"])
def shelf(request, tmp_path):
    """(registry's place, how to reach the files of a release there)."""
    if request.param == "folder":
        return "", lambda path: tmp_path / "shelf" / path
    import fsspec

    root = f"/{tmp_path.name}"
    fsspec.filesystem("memory").store.clear()
    return f"memory:/{root}", lambda path: f"{root}/{path}"


@pytest.fixture
def registry(store, tmp_path, shelf):
    return open_registry(store, tmp_path, place=shelf[0])


def overwrite(there, content):
    """Change a file on either kind of shelf; None removes it."""
    if isinstance(there, Path):
        there.unlink() if content is None else there.write_bytes(content)
        return
    import fsspec

    memory = fsspec.filesystem("memory")
    memory.rm(there) if content is None else memory.pipe_file(there, content)


def test_what_was_added_can_be_fetched(registry, tmp_path):
    added(registry, tmp_path, "v1")
    fetched = registry.fetch("v1")
    assert (fetched.name, Path(fetched.folder).is_absolute()) == ("v1", True)
    assert (Path(fetched.folder) / WEIGHTS).read_text() == "weights of v1"
    assert registry.find("v1").manifest["metrics"] == {"loss": 1.5}
    assert registry.find("v1").report["metrics"]["chrf"] == 31.5
    shutil.rmtree(tmp_path / "made")
    assert registry.fetch("v1") == fetched
    assert registry.fetch("base").folder == ""


# (label, file, its new content, words of the error)
TAMPERED = [
    ("another byte", WEIGHTS, b"weightz of v1", "adapter_model.safetensors is damaged"),
    ("a file cut short", WEIGHTS, b"", "is damaged"),
    ("a file gone", WEIGHTS, None, "adapter_model.safetensors"),
    ("the manifest gone", "release.json", None, "not where RELEASES points"),
    ("the manifest exchanged", "release.json", b"{}", "not the one that was added"),
]


@pytest.mark.parametrize(("label", "file", "content", "words"), TAMPERED)
def test_a_changed_release_is_not_loaded_and_not_promoted(
    registry, shelf, tmp_path, label, file, content, words
):
    added(registry, tmp_path, "v1")
    overwrite(shelf[1](f"v1/{file}"), content)
    if shelf[0] and file == WEIGHTS and content is None:
        words = "cannot be reached"
    for order in (registry.fetch, lambda n: registry.promote(n, actor="a", now=NOW)):
        with pytest.raises(ReleaseUnusable, match=words):
            order("v1")
    assert registry.pointer().release is None
    assert not list((tmp_path / "cache").glob("*")) or shelf[0] == ""


def test_a_file_that_does_not_belong(registry, shelf, tmp_path):
    if shelf[0]:
        pytest.skip("only what the manifest names is downloaded")
    added(registry, tmp_path, "v1")
    overwrite(shelf[1]("v1/handler.py"), b"import os")
    with pytest.raises(ReleaseUnusable, match=r"handler\.py does not belong"):
        registry.fetch("v1")


def test_a_damaged_cache_is_made_anew(store, tmp_path):
    import fsspec

    fsspec.filesystem("memory").store.clear()
    registry = open_registry(store, tmp_path, place=f"memory://{tmp_path.name}")
    added(registry, tmp_path, "v1")
    folder = Path(registry.fetch("v1").folder)
    (folder / WEIGHTS).write_text("half")
    assert Path(registry.fetch("v1").folder) == folder
    assert (folder / WEIGHTS).read_text() == "weights of v1"
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [folder.name], "no leftovers"


def test_a_half_written_folder_is_no_release(registry, tmp_path):
    half = tmp_path / "half"
    half.mkdir()
    (half / WEIGHTS).write_text("begun")
    with pytest.raises(ReleaseUnusable, match="written last"):
        registry.add(half, actor="t", now=NOW)
    assert registry.listed() == []
    assert registry.strays() == []


def test_a_copy_that_broke_off_is_replaced(store, tmp_path):
    registry = open_registry(store, tmp_path)
    begun = tmp_path / "shelf" / "v1"
    begun.mkdir(parents=True)
    (begun / "old-part").write_text("x")
    assert registry.strays() == [], "no manifest: not there"
    added(registry, tmp_path, "v1")
    assert registry.fetch("v1").folder == str(begun)


def test_a_release_made_on_the_shelf_is_added_where_it_lies(store, tmp_path):
    registry = open_registry(store, tmp_path)
    folder = seal(tmp_path / "shelf", "v1")
    assert registry.strays() == ["v1"]
    assert registry.add(folder, actor="t", now=NOW) == "v1"
    assert registry.strays() == []
    assert registry.fetch("v1").folder == str(folder)


def test_a_name_is_one_release_for_ever(registry, tmp_path):
    added(registry, tmp_path, "v1")
    registry.add(tmp_path / "made" / "v1", actor="t", now=NOW)
    other = seal(tmp_path / "other", "v1", "other weights")
    with pytest.raises(ReleaseRefused, match="never change"):
        registry.add(other, actor="t", now=NOW)
    assert registry.find("v1").state == "passed"


def test_damaged_before_it_was_added(registry, tmp_path):
    folder = seal(tmp_path, "v1")
    (folder / WEIGHTS).write_text("changed after sealing")
    with pytest.raises(ReleaseUnusable, match="damaged"):
        registry.add(folder, actor="t", now=NOW)
    assert registry.listed() == []


def test_force_needs_more_than_blanks(registry, tmp_path):
    added(registry, tmp_path, "bad", report=BAD)
    with pytest.raises(ReleaseRefused) as refused:
        registry.promote("bad", actor="a", now=NOW, force_reason="  ")
    assert refused.value.code == "failed"
    assert registry.find("bad").report["reasons"] == ["chrf under 20"]
    assert registry.promote("bad", actor="a", now=NOW, force_reason="tried by hand").live


def test_rolling_back_without_saying_from_where(registry, tmp_path):
    added(registry, tmp_path, "v1", "v2")
    for name in ("v1", "v2"):
        registry.promote(name, actor="a", now=NOW)
    assert registry.rollback(actor="a", now=NOW).release == "v1"
    assert registry.rollback(actor="a", now=NOW).release is None


@pytest.mark.parametrize("place", ["nonsense://x", "s4://bucket/x"])
def test_an_address_that_cannot_be_opened(store, place):
    with pytest.raises(SettingsError, match="RELEASES"):
        from_settings(Settings(releases=place), store)


# The manifest.


@pytest.mark.parametrize(
    "name", ["v1", "2026-11-22.hausa", "a_b", "x" * 48], ids=["short", "dated", "low", "longest"]
)
def test_names_that_are_fine(tmp_path, name):
    assert manifest.parse((seal(tmp_path, name) / "release.json").read_bytes()).name == name


@pytest.mark.parametrize(
    "name", ["", "V1", "base", "live", "candidate", ".x", "../x", "a/b", "a b", "x" * 49, "ƙari"]
)
def test_names_that_are_not(tmp_path, name):
    (tmp_path / "f").write_text("x")
    with pytest.raises(ReleaseRefused) as refused:
        manifest.write(tmp_path, Manifest(name=name, base_model="tiny"))
    assert refused.value.code == "name"
    assert not (tmp_path / "release.json").exists()


def test_a_sealed_folder_is_not_sealed_again(tmp_path):
    folder = seal(tmp_path, "v1")
    with pytest.raises(ReleaseRefused, match="already"):
        manifest.write(folder, Manifest(name="v2", base_model="tiny"))
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ReleaseRefused, match="no file"):
        manifest.write(empty, Manifest(name="v3", base_model="tiny"))


GOOD = {
    "form": 1,
    "name": "v1",
    "base_model": "tiny",
    "files": {"a.safetensors": "0" * 64},
}
# (label, changes)
UNREADABLE = [
    ("another form", {"form": 2}),
    ("no name", {"name": None}),
    ("a name that leads away", {"name": "../v1"}),
    ("no files", {"files": {}}),
    ("files as a list", {"files": ["a"]}),
    ("a path that leads away", {"files": {"../../etc/passwd": "0" * 64}}),
    ("a path from the root", {"files": {"/etc/passwd": "0" * 64}}),
    ("no hash", {"files": {"a": "sha"}}),
    ("a field that we do not know", {"surprise": 1}),
    ("a base model that is a number", {"base_model": 7}),
]


def test_a_good_manifest_is_read():
    assert manifest.parse(json.dumps(GOOD).encode()).files == GOOD["files"]


@pytest.mark.parametrize(("label", "changes"), UNREADABLE, ids=[row[0] for row in UNREADABLE])
def test_a_manifest_that_cannot_be(label, changes):
    with pytest.raises(ReleaseUnusable):
        manifest.parse(json.dumps({**GOOD, **changes}).encode())


@pytest.mark.parametrize("raw", [b"", b"\xff\xfe", b"[]", b"7", b"{" * 99_999, b" " * (2 << 20)])
def test_bytes_that_are_no_manifest(raw):
    with pytest.raises(ReleaseUnusable):
        manifest.parse(raw)
