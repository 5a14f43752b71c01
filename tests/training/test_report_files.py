"""Reports on the shelf: whole or not shown, of the standing verdict, the same on every machine."""

from functools import partial

import pytest

from core.errors import ReleaseRefused, ReleaseUnusable
from storage import releases
from tests.storage.given import at_once
from tests.training.given_releases import BAD, GOOD, NOW, added, seal
from training import report_files
from training.registry import Registry, Report
from training.report_files import PAGE, PICTURE, ROOM
from training.shelf import RemoteShelf, open_shelf

FILES = {PAGE: b"# v1: passed\n", PICTURE: b"\x89PNG one"}
FIRST = Report(True, {"chrf": 31.5}, files=FILES)
AGAIN = Report(False, {"chrf": 3.0}, ("chrf",), {PAGE: b"# v1: failed\n", PICTURE: b"\x89PNG two"})


@pytest.fixture(params=["folder", "memory", "file"])
def place(request, tmp_path):
    """Where releases lie: a folder, or an address of either kind (see `test_shelf`)."""
    import fsspec

    fsspec.filesystem("memory").store.clear()
    path = f"{tmp_path}/shelf"
    return path if request.param == "folder" else f"{request.param}://{path}"


def shelf_at(place, folder):
    """A file: address too is reached as another machine's would be."""
    import fsspec

    if "://" not in place:
        return open_shelf(place, folder)
    files, root = fsspec.core.url_to_fs(place)
    return RemoteShelf(files, root, folder / "cache")


@pytest.fixture
def registry(store, tmp_path, place):
    """v1 is a candidate."""
    registry = Registry(store, shelf_at(place, tmp_path))
    added(registry, tmp_path, "v1", report=None)
    return registry


@pytest.fixture
def runs(tmp_path):
    """Where nothing was examined."""
    return tmp_path / "runs"


def lying(place):
    """What lies on a shelf, its releases' own files left out."""
    import fsspec

    files, root = fsspec.core.url_to_fs(place)
    files.invalidate_cache()
    found = (path.partition(f"{root}/")[2] for path in files.find(root))
    return sorted(path for path in found if path.startswith("_"))


def other(place, path, content):
    """Put another content in a file's place; None removes it."""
    import fsspec

    files, root = fsspec.core.url_to_fs(place)
    files.rm(f"{root}/{path}") if content is None else files.pipe_file(f"{root}/{path}", content)


class Shelf:
    """A shelf on which something happens before the nth file is written or read."""

    def __init__(self, shelf, *, on_write=None, on_read=None, nth=1):
        self._shelf, self._on_write, self._on_read, self._nth = shelf, on_write, on_read, nth

    def write(self, path, content):
        self._happens(self._on_write)
        self._shelf.write(path, content)

    def read(self, path):
        self._happens(self._on_read)
        return self._shelf.read(path)

    def _happens(self, what):
        if what:
            self._nth -= 1
            if self._nth == 0:
                what()

    def __getattr__(self, name):
        return getattr(self._shelf, name)


def broken():
    raise ReleaseUnusable("RELEASES cannot be reached: OSError")


def test_another_machine_shows_the_report(registry, store, place, tmp_path, runs):
    registry.judge("v1", FIRST, actor="t", now=NOW)
    two = Registry(store, shelf_at(place, tmp_path / "two"))
    assert {file: two.report_file("v1", file, runs) for file in FILES} == FILES
    registry.label("v1", "hausa", actor="t", now=NOW)
    assert two.report_file("hausa", PAGE, runs) == FILES[PAGE]
    assert two.report_file("v1", "release.json", runs) is None
    with pytest.raises(ReleaseRefused, match="no release called v9"):
        two.report_file("v9", PAGE, runs)


def test_releases_are_as_they_were(registry, place, tmp_path):
    """Only what lies in the release's own folder can spoil it, as before."""
    registry.judge("v1", FIRST, actor="t", now=NOW)
    assert registry.strays() == []
    assert registry.add(tmp_path / "made" / "v1", actor="t", now=NOW) == "v1"
    assert registry.promote("v1", actor="a", now=NOW).live
    if "://" not in place:
        (tmp_path / "shelf" / "v1" / PAGE).write_bytes(FILES[PAGE])
        with pytest.raises(ReleaseUnusable, match=r"report\.md does not belong"):
            registry.fetch("v1")


def test_no_release_lies_where_reports_lie(registry, place, tmp_path):
    """A release may be called as a manifest is: its report's folder makes no release of others."""
    added(registry, tmp_path, "release.json")
    assert lying(place)[0].startswith("_reports/release.json/")
    assert shelf_at(place, tmp_path).names() == ["release.json", "v1"]
    assert registry.strays() == []


def test_a_report_that_no_verdict_names_is_not_shown(registry, store, place, tmp_path, runs):
    """The process died, or the shelf, between the first of its files and the verdict."""
    shelf = shelf_at(place, tmp_path)
    with pytest.raises(ReleaseUnusable):
        Registry(store, Shelf(shelf, on_write=broken, nth=2)).judge("v1", FIRST, actor="t", now=NOW)
    assert [path.rpartition("/")[2] for path in lying(place)] == [PAGE]
    assert (registry.find("v1").verdict, registry.find("v1").state) == (None, "candidate")
    report_files.keep(shelf, "v1", FILES)
    assert registry.report_file("v1", PAGE, runs) is None
    registry.judge("v1", AGAIN, actor="t", now=NOW)
    assert registry.report_file("v1", PAGE, runs) == AGAIN.files[PAGE]


def test_a_verdict_without_its_report_is_none(registry, place):
    with pytest.raises(ValueError, match="needs its report"):
        registry.judge("v1", Report(True, {"chrf": 31.5}), actor="t", now=NOW)
    with pytest.raises(ValueError, match="needs its report"):
        registry.judge("v1", Report(True, files={PICTURE: b"\x89PNG"}), actor="t", now=NOW)
    assert registry.find("v1").verdict is None
    assert lying(place) == []
    registry.judge("v1", GOOD, actor="t", now=NOW)
    assert registry.find("v1").verdict, "a page is enough where nothing can be drawn"


def test_an_examination_made_anew_replaces_the_report(registry, place, runs):
    for report in (FIRST, FIRST, AGAIN):
        registry.judge("v1", report, actor="t", now=NOW)
        assert registry.report_file("v1", PICTURE, runs) == report.files[PICTURE]
        assert len(lying(place)) == 2, "the earlier one is gone"


def test_a_verdict_that_is_refused_leaves_the_report(registry, place, runs):
    registry.judge("v1", FIRST, actor="t", now=NOW)
    registry.promote("v1", actor="a", now=NOW)
    for report in (AGAIN, FIRST):
        with pytest.raises(ReleaseRefused, match="live"):
            registry.judge("v1", report, actor="t", now=NOW)
        assert registry.report_file("v1", PAGE, runs) == FILES[PAGE]
        assert len(lying(place)) == 2


def test_what_cannot_be_removed_does_no_harm(registry, store, place, tmp_path, runs):
    class Stuck(Shelf):
        def remove(self, path):
            broken()

    registry.judge("v1", FIRST, actor="t", now=NOW)
    Registry(store, Stuck(shelf_at(place, tmp_path))).judge("v1", AGAIN, actor="t", now=NOW)
    assert len(lying(place)) == 4
    assert registry.report_file("v1", PAGE, runs) == AGAIN.files[PAGE]


def test_two_machines_examine_at_once(registry, store, place, tmp_path, runs):
    """Whose verdict stands, his report is shown, and no other one is left."""
    machines = [Registry(store, shelf_at(place, tmp_path / str(n))) for n in range(3)]
    for turn in range(4):
        pages = [b"%d of %d" % (n, turn) for n in range(3)]
        reports = [
            Report(n % 2 == 0, {"n": float(n)}, files={PAGE: page, PICTURE: b"p"})
            for n, page in enumerate(pages)
        ]
        at_once(
            *(
                partial(machine.judge, "v1", report, actor="t", now=NOW)
                for machine, report in zip(machines, reports, strict=True)
            )
        )
        stands = int(registry.find("v1").report["metrics"]["n"])
        assert registry.report_file("v1", PAGE, runs) == pages[stands]
        assert len(lying(place)) == 2


def test_whoever_looks_while_it_is_examined_anew(registry, store, place, tmp_path, runs):
    def anew():
        registry.judge("v1", AGAIN, actor="t", now=NOW)

    registry.judge("v1", FIRST, actor="t", now=NOW)
    looking = Registry(store, Shelf(shelf_at(place, tmp_path), on_read=anew))
    assert looking.report_file("v1", PAGE, runs) == AGAIN.files[PAGE]


# (label, content, words)
WRONG = [
    ("gone", None, "not where RELEASES points"),
    ("half", b"# v1: pas", "was changed"),
    ("better than it is", b"# v1: passed!\n", "was changed"),
]


@pytest.mark.parametrize(("label", "content", "words"), WRONG)
def test_a_report_that_is_not_the_very_one(registry, place, runs, label, content, words):
    registry.judge("v1", FIRST, actor="t", now=NOW)
    [page] = [path for path in lying(place) if path.endswith(PAGE)]
    other(place, page, content)
    with pytest.raises(ReleaseUnusable, match=words):
        registry.report_file("v1", PAGE, runs)
    assert registry.report_file("v1", PICTURE, runs) == FILES[PICTURE]


def test_a_shelf_out_of_reach(registry, store, place, tmp_path, runs):
    away = Registry(store, Shelf(shelf_at(place, tmp_path), on_write=broken, on_read=broken))
    with pytest.raises(ReleaseUnusable, match="cannot be reached"):
        away.judge("v1", FIRST, actor="t", now=NOW)
    assert registry.find("v1").verdict is None
    registry.judge("v1", FIRST, actor="t", now=NOW)
    away = Registry(store, Shelf(shelf_at(place, tmp_path), on_read=broken))
    with pytest.raises(ReleaseUnusable, match="cannot be reached"):
        away.report_file("v1", PAGE, runs)


def examined_here(runs, content):
    """What the examination of v1 wrote on this machine."""
    (runs / "v1" / "evaluation").mkdir(parents=True, exist_ok=True)
    (runs / "v1" / "evaluation" / PAGE).write_bytes(content)


def test_the_machine_that_examined_needs_no_shelf(registry, store, place, tmp_path, runs):
    registry.judge("v1", FIRST, actor="t", now=NOW)
    away = Registry(store, Shelf(shelf_at(place, tmp_path), on_read=broken))
    examined_here(runs, FILES[PAGE])
    assert away.report_file("v1", PAGE, runs) == FILES[PAGE]
    examined_here(runs, b"of an examination that came to no verdict")
    assert registry.report_file("v1", PAGE, runs) == FILES[PAGE]


def test_a_report_from_before_they_were_kept(registry, store, runs):
    examined_here(runs, b"# old\n")
    assert registry.report_file("v1", PAGE, runs) is None, "no verdict, no report"
    releases.judge(store, "v1", True, {"metrics": {"chrf": 1.0}}, actor="t", now=NOW)
    assert registry.report_file("v1", PAGE, runs) == b"# old\n"
    assert registry.report_file("v1", PICTURE, runs) is None
    registry.judge("v1", BAD, actor="t", now=NOW)
    assert registry.report_file("v1", PAGE, runs) == BAD.files[PAGE]


def test_it_lies_where_no_release_can(tmp_path):
    with pytest.raises(ReleaseRefused, match="no release's name"):
        seal(tmp_path, ROOM)
