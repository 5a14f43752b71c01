"""Where releases lie: half uploads, uploads that go on, damaged copies, two processes at once."""

import importlib.util
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from core.errors import ReleaseRefused, ReleaseUnusable, SettingsError
from tests.storage.given import at_once
from tests.training.given_releases import NOW, open_registry, seal
from training import manifest as manifests
from training.shelf import BEGUN, RemoteShelf, open_shelf

WEIGHTS = "adapter_model.safetensors"


@pytest.fixture(params=["memory", "file"])
def place(request, tmp_path):
    """An address of a file system that shows whole files only, and of one that shows halves."""
    import fsspec

    fsspec.filesystem("memory").store.clear()
    path = f"/{tmp_path.name}/shelf" if request.param == "memory" else f"{tmp_path}/shelf"
    return f"{request.param}://{path}"


@pytest.fixture(params=["folder", "memory", "file", "local"])
def any_place(request, tmp_path):
    """A folder, or an address."""
    import fsspec

    fsspec.filesystem("memory").store.clear()
    path = f"{tmp_path}/shelf"
    return path if request.param == "folder" else f"{request.param}://{path}"


def sealed(folder, name="v1", weights="weights"):
    """A release's folder, its manifest and the manifest's hash."""
    made = seal(folder, name, weights)
    raw = (made / manifests.FILE).read_bytes()
    return made, manifests.parse(raw), "0" * 12


class Line:
    """Another file system behind a slow line: counts uploads, and breaks before a given one."""

    def __init__(self, files: Any, breaks_at: int = 0) -> None:
        self._files, self._breaks_at = files, breaks_at
        self.uploaded: list[str] = []

    def put_file(self, source: str, target: str) -> None:
        if self._breaks_at and len(self.uploaded) + 1 == self._breaks_at:
            raise OSError("the line is cut")
        self.uploaded.append(target.rpartition("/")[2])
        self._files.put_file(source, target)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._files, name)


def through(place, tmp_path, breaks_at=0):
    """A shelf at an address, and the line that leads there."""
    import fsspec

    files, root = fsspec.core.url_to_fs(place)
    line = Line(files, breaks_at)
    return RemoteShelf(line, root.rstrip("/"), tmp_path / "cache"), line


def test_a_second_machine_gets_the_very_files(any_place, store, tmp_path):
    one = open_registry(store, tmp_path / "one", place=any_place)
    one.add(seal(tmp_path / "made", "v1"), actor="t", now=NOW)
    two = open_registry(store, tmp_path / "two", place=any_place)
    folder = Path(two.fetch("v1").folder)
    assert folder.is_relative_to(tmp_path / ("two" if "memory" in any_place else "shelf"))
    assert (folder / WEIGHTS).read_text() == "weights of v1"
    assert two.strays() == []


def test_an_upload_that_breaks_off_is_not_seen_and_goes_on(place, tmp_path):
    folder, manifest, mark = sealed(tmp_path / "made")
    shelf, line = through(place, tmp_path, breaks_at=2)
    with pytest.raises(ReleaseUnusable, match="OSError"):
        shelf.put(folder, manifest)
    assert (shelf.names(), shelf.manifest("v1")) == ([], None)
    shelf, line = through(place, tmp_path)
    shelf.put(folder, manifest)
    assert line.uploaded == [WEIGHTS], "what has been uploaded stays"
    assert shelf.names() == ["v1"]
    assert (shelf.bring(manifest, mark) / WEIGHTS).read_text() == "weights of v1"
    assert not line.exists(f"{shelf._root}/v1/{BEGUN}")


def test_what_another_release_has_left_is_not_taken_for_ours(place, tmp_path):
    """Adapters of one rank are of one size: the size alone does not tell whose a file is."""
    older, its, _ = sealed(tmp_path / "older", weights="WEIGHTS")
    shelf, _ = through(place, tmp_path, breaks_at=2)
    with pytest.raises(ReleaseUnusable):
        shelf.put(older, its)
    folder, manifest, mark = sealed(tmp_path / "made")
    shelf, line = through(place, tmp_path)
    shelf.put(folder, manifest)
    assert len(line.uploaded) == 2
    assert (shelf.bring(manifest, mark) / WEIGHTS).read_text() == "weights of v1"


def test_a_damaged_download_is_refused_and_got_again(place, tmp_path):
    folder, manifest, mark = sealed(tmp_path / "made")
    shelf, line = through(place, tmp_path)
    shelf.put(folder, manifest)
    good = line.cat_file(f"{shelf._root}/v1/{WEIGHTS}")
    line.pipe_file(f"{shelf._root}/v1/{WEIGHTS}", good[:-1] + b"?")
    with pytest.raises(ReleaseUnusable, match="damaged"):
        shelf.bring(manifest, mark)
    assert list((tmp_path / "cache").iterdir()) == []
    line.pipe_file(f"{shelf._root}/v1/{WEIGHTS}", good)
    copy = shelf.bring(manifest, mark)
    (copy / WEIGHTS).write_bytes(good[:-1] + b"?")
    assert (shelf.bring(manifest, mark) / WEIGHTS).read_bytes() == good


def test_two_processes_add_the_same_release_at_once(any_place, tmp_path):
    for number in range(4):
        folder, manifest, mark = sealed(tmp_path / "made", f"v{number}")
        shelves = [open_shelf(any_place, tmp_path / f"cache{i}") for i in range(3)]
        at_once(*(partial(shelf.put, folder, manifest) for shelf in shelves))
        for shelf in shelves:
            assert (shelf.bring(manifest, mark) / WEIGHTS).read_text() == f"weights of v{number}"
    assert shelves[0].names() == ["v0", "v1", "v2", "v3"]
    if "memory" not in any_place:
        assert len(list((tmp_path / "shelf").iterdir())) == 4, "no copies are left"


def test_two_releases_of_one_name_at_once_are_one(any_place, tmp_path):
    """Whatever the shelf holds at the end is whole, and who came too late is told."""
    first, its, _ = sealed(tmp_path / "one", weights="first")
    other, of_it, _ = sealed(tmp_path / "two", weights="other")
    shelf = open_shelf(any_place, tmp_path / "cache")
    shelf.put(first, its)
    with pytest.raises(ReleaseRefused, match="never change"):
        shelf.put(other, of_it)
    assert shelf.manifest("v1") == (first / manifests.FILE).read_bytes()
    assert (tmp_path / "one").exists()


@pytest.mark.skipif(importlib.util.find_spec("s3fs") is not None, reason="s3fs is installed")
def test_a_missing_driver_is_named(tmp_path):
    with pytest.raises(SettingsError, match=r"s3:// cannot be opened here: Install s3fs") as error:
        open_shelf("s3://key:secret@bucket/releases", tmp_path)
    assert "secret" not in str(error.value)
