"""Where the files of releases lie: a folder, or any address that fsspec opens (s3, gs, hf ...).

Knows how files are put there and brought here. Does not know which release may be used.
"""

import contextlib
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol

from core.errors import ReleaseRefused, ReleaseUnusable, SettingsError
from training import manifest as manifests
from training.manifest import FILE, NAME, Manifest

#: On a remote shelf beside the files of a release that is being uploaded: its manifest. It says
#: whose the files are that an upload which broke off has left.
BEGUN: Final = ".begun"


class Shelf(Protocol):
    """A place for the folders of releases."""

    def names(self) -> list[str]:
        """The releases that are there whole: their manifest, which is put last, is there."""

    def manifest(self, name: str) -> bytes | None:
        """A release's manifest; None when the release is not there."""

    def put(self, folder: Path, manifest: Manifest) -> None:
        """Copy a release here, its manifest last. What a broken copy left is replaced.

        Raises ReleaseRefused (taken) when another release has got this name meanwhile.
        """

    def bring(self, manifest: Manifest, fingerprint: str) -> Path:
        """The local folder of a release, every file checked. Raises ReleaseUnusable."""

    def write(self, path: str, content: bytes) -> None:
        """Put a small file beside the releases (`training.report_files`). Raises ReleaseUnusable.

        It may be seen half: nobody looks for it before it is whole.
        """

    def read(self, path: str) -> bytes | None:
        """Such a file; None when there is none. Raises ReleaseUnusable."""

    def remove(self, path: str) -> None:
        """Remove a folder of such files, if it is there. Raises ReleaseUnusable."""


def open_shelf(place: str, cache: Path) -> Shelf:
    """The shelf at a folder or URL; `cache` keeps local copies of what lies elsewhere.

    Raises SettingsError for a URL that cannot be opened here.
    """
    if "://" not in place:
        return FolderShelf(Path(place))
    scheme = place.partition("://")[0]
    try:
        import fsspec

        files, root = fsspec.core.url_to_fs(place)  # type: ignore[no-untyped-call]
    except (ImportError, ValueError) as error:
        # An ImportError names the driver; another error may repeat the address and a key in it.
        said = str(error) if isinstance(error, ImportError) else "fsspec knows no such address"
        raise SettingsError(
            f"RELEASES: {scheme}:// cannot be opened here: {said}. Install what is missing "
            "(.venv/bin/python -m pip install s3fs, gcsfs ...), or use a folder"
        ) from None
    if scheme in ("file", "local"):
        return FolderShelf(Path(root))
    return RemoteShelf(files, root.rstrip("/"), cache)


class FolderShelf:
    """A folder of this machine, or one that several machines share."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def names(self) -> list[str]:
        """Folders with a manifest."""
        found = (path.parent.name for path in self._root.glob(f"*/{FILE}"))
        return sorted(name for name in found if NAME.fullmatch(name))

    def manifest(self, name: str) -> bytes | None:
        """The bytes of release.json."""
        file = self._root / name / FILE
        return file.read_bytes() if file.is_file() else None

    def put(self, folder: Path, manifest: Manifest) -> None:
        """Copy beside its place and move it there whole; a folder that lies here stays."""
        target = self._root / manifest.name
        if target.resolve() == folder.resolve():
            return
        self._root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._root, prefix=".part-") as part:
            copy = Path(part) / "release"
            for path in manifest.files:
                (copy / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(folder / path, copy / path)
            manifests.put_last(copy, (folder / FILE).read_bytes())
            self._place(copy, target, Path(part) / "old")

    def _place(self, copy: Path, target: Path, aside: Path) -> None:
        """Move a whole copy to its place, unless another process was faster."""
        if not (target / FILE).exists():
            with contextlib.suppress(FileNotFoundError):
                target.rename(aside)
        try:
            copy.rename(target)
        except OSError:
            check_same((target / FILE).read_bytes(), (copy / FILE).read_bytes(), target.name)

    def bring(self, manifest: Manifest, fingerprint: str) -> Path:
        """The folder itself."""
        folder = (self._root / manifest.name).resolve()
        manifests.verify(folder, manifest)
        return folder

    def write(self, path: str, content: bytes) -> None:
        """On the disk before it returns: the store will say that it is there."""
        file = self._root / path
        with _reached():
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())

    def read(self, path: str) -> bytes | None:
        """The bytes of a file."""
        with _reached(), contextlib.suppress(FileNotFoundError):
            return (self._root / path).read_bytes()
        return None

    def remove(self, path: str) -> None:
        """What another process has removed meanwhile is gone as well."""
        with _reached(), contextlib.suppress(FileNotFoundError):
            shutil.rmtree(self._root / path)


class RemoteShelf:
    """An object store or another machine, through fsspec."""

    def __init__(self, files: Any, root: str, cache: Path) -> None:
        self._files, self._root, self._cache = files, root, cache

    def names(self) -> list[str]:
        """What has a manifest. Raises ReleaseUnusable when the place cannot be reached."""
        with _reached():
            self._files.invalidate_cache()
            found = self._files.glob(f"{self._root}/*/{FILE}")
        names = (str(path).rsplit("/", 2)[-2] for path in found)
        return sorted(name for name in names if NAME.fullmatch(name))

    def manifest(self, name: str) -> bytes | None:
        """The bytes of release.json. Raises ReleaseUnusable when the place cannot be reached."""
        with _reached():
            # A listing that fsspec kept may be older than the release.
            self._files.invalidate_cache()
            path = f"{self._root}/{name}/{FILE}"
            return bytes(self._files.cat_file(path)) if self._files.exists(path) else None

    def put(self, folder: Path, manifest: Manifest) -> None:
        """Upload, going on where an upload of the same release broke off.

        Raises ReleaseUnusable when that fails, ReleaseRefused (taken).
        """
        target, raw = f"{self._root}/{manifest.name}", (folder / FILE).read_bytes()
        with _reached():
            self._files.makedirs(target, exist_ok=True)
            there = self._uploaded(target, raw)
            self._files.pipe_file(f"{target}/{BEGUN}", raw)
            for path in manifest.files:
                if there.get(path) != (folder / path).stat().st_size:
                    self._files.makedirs(f"{target}/{path}".rpartition("/")[0], exist_ok=True)
                    self._files.put_file(str(folder / path), f"{target}/{path}")
        faster = self.manifest(manifest.name)
        if faster is not None:
            check_same(faster, raw, manifest.name)
        with _reached():
            # Not every place shows a file only when it is whole; every place can rename.
            half = f"{target}/.{uuid.uuid4().hex}"
            self._files.pipe_file(half, raw)
            self._files.mv(half, f"{target}/{FILE}")
            with contextlib.suppress(FileNotFoundError):
                self._files.rm_file(f"{target}/{BEGUN}")

    def _uploaded(self, target: str, raw: bytes) -> dict[str, int]:
        """What an earlier try to upload this very release has left: path and bytes."""
        begun = f"{target}/{BEGUN}"
        if not self._files.exists(begun) or self._files.cat_file(begun) != raw:
            return {}
        found = self._files.find(target, detail=True)
        return {path.partition(f"{target}/")[2]: each["size"] for path, each in found.items()}

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

    def write(self, path: str, content: bytes) -> None:
        """Upload a file."""
        with _reached():
            self._files.makedirs(f"{self._root}/{path}".rpartition("/")[0], exist_ok=True)
            self._files.pipe_file(f"{self._root}/{path}", content)

    def read(self, path: str) -> bytes | None:
        """Download a file."""
        with _reached(), contextlib.suppress(FileNotFoundError):
            return bytes(self._files.cat_file(f"{self._root}/{path}"))
        return None

    def remove(self, path: str) -> None:
        """Remove a folder; a store of objects has none that is empty."""
        with _reached(), contextlib.suppress(FileNotFoundError):
            self._files.invalidate_cache()
            self._files.rm(f"{self._root}/{path}", recursive=True)

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


def check_same(there: bytes, ours: bytes, name: str) -> None:
    """Two processes may add one release at once; two releases may not have one name.

    Raises ReleaseRefused (taken).
    """
    if there != ours:
        raise ReleaseRefused(
            "taken", f"{name}: another release has this name; releases never change", name
        )


@contextmanager
def _reached() -> Iterator[None]:
    """Every store's client has its own errors; an address may hold a key, so it is not repeated."""
    try:
        yield
    except Exception as error:
        raise ReleaseUnusable(f"RELEASES cannot be reached: {type(error).__name__}") from None
