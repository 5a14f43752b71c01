"""Where the files of releases lie: a folder, or any address that fsspec opens (s3, gs, hf ...).

Knows how files are put there and brought here. Does not know which release may be used.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from core.errors import ReleaseUnusable, SettingsError
from training import manifest as manifests
from training.manifest import FILE, Manifest


class Shelf(Protocol):
    """A place for the folders of releases."""

    def names(self) -> list[str]:
        """The releases that are there whole: their manifest, which is put last, is there."""

    def manifest(self, name: str) -> bytes | None:
        """A release's manifest; None when the release is not there."""

    def put(self, folder: Path, manifest: Manifest) -> None:
        """Copy a release here, its manifest last. What a broken copy left is replaced."""

    def bring(self, manifest: Manifest, fingerprint: str) -> Path:
        """The local folder of a release, every file checked. Raises ReleaseUnusable."""


def open_shelf(place: str, cache: Path) -> Shelf:
    """The shelf at a folder or URL; `cache` keeps local copies of what lies elsewhere.

    Raises SettingsError for a URL that cannot be opened here.
    """
    if "://" not in place:
        return FolderShelf(Path(place))
    try:
        import fsspec

        files, root = fsspec.core.url_to_fs(place)  # type: ignore[no-untyped-call]
    except (ImportError, ValueError) as error:
        scheme = place.partition("://")[0]
        raise SettingsError(
            f"RELEASES: {scheme}:// cannot be opened here ({type(error).__name__}); "
            "install the package that fsspec wants for it, or use a folder"
        ) from None
    return RemoteShelf(files, root.rstrip("/"), cache)


class FolderShelf:
    """A folder of this machine, or one that several machines share."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def names(self) -> list[str]:
        """Folders with a manifest."""
        return sorted(path.parent.name for path in self._root.glob(f"*/{FILE}"))

    def manifest(self, name: str) -> bytes | None:
        """The bytes of release.json."""
        file = self._root / name / FILE
        return file.read_bytes() if file.is_file() else None

    def put(self, folder: Path, manifest: Manifest) -> None:
        """Copy; nothing to do for a folder that lies here already."""
        target = self._root / manifest.name
        if target.resolve() == folder.resolve():
            return
        if target.exists():
            shutil.rmtree(target)
        for path in manifest.files:
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folder / path, target / path)
        manifests.put_last(target, (folder / FILE).read_bytes())

    def bring(self, manifest: Manifest, fingerprint: str) -> Path:
        """The folder itself."""
        folder = (self._root / manifest.name).resolve()
        manifests.verify(folder, manifest)
        return folder


class RemoteShelf:
    """An object store or another machine, through fsspec."""

    def __init__(self, files: Any, root: str, cache: Path) -> None:
        self._files, self._root, self._cache = files, root, cache

    def names(self) -> list[str]:
        """What has a manifest. Raises ReleaseUnusable when the place cannot be reached."""
        with _reached():
            found = self._files.glob(f"{self._root}/*/{FILE}")
        return sorted(str(path).rsplit("/", 2)[-2] for path in found)

    def manifest(self, name: str) -> bytes | None:
        """The bytes of release.json. Raises ReleaseUnusable when the place cannot be reached."""
        with _reached():
            # A listing that fsspec kept may be older than the release.
            self._files.invalidate_cache()
            path = f"{self._root}/{name}/{FILE}"
            return bytes(self._files.cat_file(path)) if self._files.exists(path) else None

    def put(self, folder: Path, manifest: Manifest) -> None:
        """Upload. Raises ReleaseUnusable when that fails."""
        target = f"{self._root}/{manifest.name}"
        with _reached():
            for path in (*manifest.files, FILE):
                self._files.makedirs(f"{target}/{path}".rpartition("/")[0], exist_ok=True)
                self._files.put_file(str(folder / path), f"{target}/{path}")

    def bring(self, manifest: Manifest, fingerprint: str) -> Path:
        """A copy in the cache: downloaded beside it and moved there once every file is right."""
        target = (self._cache / f"{manifest.name}-{fingerprint[:12]}").resolve()
        if target.is_dir():
            try:
                manifests.verify(target, manifest)
            except ReleaseUnusable:
                shutil.rmtree(target, ignore_errors=True)
        if not target.is_dir():
            self._download(manifest, target)
        return target

    def _download(self, manifest: Manifest, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".part-") as part:
            folder = Path(part) / "release"
            for path in (*manifest.files, FILE):
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                with _reached():
                    self._files.get_file(f"{self._root}/{manifest.name}/{path}", folder / path)
            manifests.verify(folder, manifest)
            try:
                folder.rename(target)
            except OSError:
                # Another process was faster; the same files have the same checksums.
                manifests.verify(target, manifest)


@contextmanager
def _reached() -> Iterator[None]:
    """Every store's client has its own errors; an address may hold a key, so it is not repeated."""
    try:
        yield
    except Exception as error:
        raise ReleaseUnusable(f"RELEASES cannot be reached: {type(error).__name__}") from None
