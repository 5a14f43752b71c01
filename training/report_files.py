"""The report of an examination on the shelf, beside the releases: a page and a picture.

A release's own folder is sealed: a file too many in it takes the release out of service. So the
report, which is made later and may be made again, lies beside it, where no release can. The verdict
in the store names its files by their checksums. What no verdict names was never finished, or is
that of another verdict, and is shown to nobody: nothing has to be replaced in its place, and two
machines that examine one release at once do not get into each other's way.

    _reports/NAME/MARK/report.md, report.png    MARK: what both checksums come to
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from core.errors import ReleaseUnusable
from storage.releases import Listed
from training.jobs import examination
from training.shelf import Shelf

PAGE: Final = "report.md"
PICTURE: Final = "report.png"
#: No release's name begins so (`training.manifest.NAME`).
ROOM: Final = "_reports"
_MARK: Final = 16


def keep(shelf: Shelf, name: str, files: Mapping[str, bytes]) -> dict[str, str]:
    """Put the files of a report on the shelf; each one's SHA-256, for the verdict to name.

    Raises ReleaseUnusable when the shelf does not take them, ValueError when there is no page.
    """
    if PAGE not in files:
        raise ValueError(f"{name}: a verdict needs its report")
    kept = {file: _digest(content) for file, content in files.items()}
    for file, content in files.items():
        shelf.write(f"{folder(name, kept)}/{file}", content)
    return kept


def read(shelf: Shelf, name: str, kept: Mapping[str, str], file: str) -> bytes:
    """A file that a verdict names. Raises ReleaseUnusable: gone, changed, out of reach."""
    content = shelf.read(f"{folder(name, kept)}/{file}")
    if content is None:
        raise ReleaseUnusable(f"{name}: {file} is not where RELEASES points")
    if _digest(content) != kept[file]:
        raise ReleaseUnusable(f"{name}: {file} was changed (its checksum is another one)")
    return content


def drop(shelf: Shelf, name: str, kept: Mapping[str, str]) -> None:
    """Remove a report that no verdict names. Raises ReleaseUnusable."""
    shelf.remove(folder(name, kept))


def folder(name: str, kept: Mapping[str, str]) -> str:
    """Where on the shelf the files with these checksums lie."""
    mark = _digest("".join(kept[file] for file in sorted(kept)).encode())[:_MARK]
    return f"{ROOM}/{name}/{mark}"


def named(report: Mapping[str, Any]) -> dict[str, str]:
    """The files that a verdict names in its row; none when it is from before reports were kept."""
    return dict(report.get("files") or {})


def here(row: Listed, runs: Path, file: str) -> bytes | None:
    """The copy of the machine that examined the release, if it is this one and the very file.

    A verdict from before reports were kept names nothing that it could be compared with.
    """
    try:
        content = (examination(runs / row.name).path / file).read_bytes()
    except OSError:
        return None
    kept = named(row.report)
    return content if not kept or kept.get(file) == _digest(content) else None


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
