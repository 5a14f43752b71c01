"""What a release says of itself: `release.json`, written last, with the SHA-256 of every file.

Knows the manifest's form and how to check a folder against it. Knows no store and no network.
A folder without a manifest is not a release yet: a run that died half-way leaves none.
"""

import hashlib
import json
import os
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from core.errors import ReleaseRefused, ReleaseUnusable

FILE = "release.json"
FORM = 1
#: As long as the stamp on an answer; such a name is also a folder, a URL and a chat word.
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,47}")
#: Words that mean something else where a release's name can stand.
RESERVED = frozenset({"base", "live", "candidate", "adapter", "merged", "gguf", "hub"})
#: A manifest names files and numbers; a longer one is none of ours.
MOST_BYTES = 1 << 20
CHUNK = 1 << 20
_HALF = f"{FILE}.part"


@dataclass(frozen=True, slots=True)
class Manifest:
    """A release: what it was made from, how it did, and its files by path with their SHA-256.

    `base_model` and `base_revision` name the model it is an adapter for; `data` is the hash of what
    it was trained on; `created` is in seconds since the epoch.
    """

    name: str
    base_model: str
    base_revision: str = ""
    data: str = ""
    config: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    code_version: str = ""
    created: float = 0.0
    files: dict[str, str] = field(default_factory=dict)

    def json(self) -> bytes:
        """The bytes of release.json."""
        rows = {"form": FORM, **asdict(self)}
        return (json.dumps(rows, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode()


def write(folder: Path, manifest: Manifest) -> Manifest:
    """Seal a folder: hash every file in it and write release.json as the last one.

    Raises ReleaseRefused (sealed, name, empty).
    """
    check_name(manifest.name)
    if (folder / FILE).exists():
        raise ReleaseRefused("sealed", f"{folder} is a release already", manifest.name)
    files = {path: digest(folder / path) for path in contents(folder)}
    if not files:
        raise ReleaseRefused("empty", f"{folder} holds no file", manifest.name)
    sealed = Manifest(**{**asdict(manifest), "files": files})
    put_last(folder, sealed.json())
    return sealed


def put_last(folder: Path, manifest: bytes) -> None:
    """Write release.json whole or not at all, also when the power fails."""
    half = folder / _HALF
    with half.open("wb") as file:
        file.write(manifest)
        file.flush()
        os.fsync(file.fileno())
    half.replace(folder / FILE)


def parse(raw: bytes) -> Manifest:
    """The manifest in these bytes. Raises ReleaseUnusable saying what is wrong with them."""
    try:
        rows = json.loads(raw) if len(raw) <= MOST_BYTES else None
    except (ValueError, RecursionError):
        rows = None
    if not isinstance(rows, dict) or rows.pop("form", None) != FORM:
        raise ReleaseUnusable(f"{FILE} is not a manifest of form {FORM}")
    try:
        manifest = Manifest(**rows)
    except TypeError:
        raise ReleaseUnusable(f"{FILE} has fields that are not known, or lacks some") from None
    return _checked(manifest)


def check_name(name: str) -> None:
    """Refuse what is no name of a release. Raises ReleaseRefused (name)."""
    if not NAME.fullmatch(name) or name in RESERVED:
        wanted = "a-z, 0-9, '.', '_' and '-', at most 48 signs, beginning with a letter or number"
        raise ReleaseRefused("name", f"{name[:64]!r} is no release's name: use {wanted}")


def verify(folder: Path, manifest: Manifest) -> None:
    """Check every file against its hash. Raises ReleaseUnusable naming the first that is wrong."""
    for path, expected in manifest.files.items():
        file = folder / path
        if not file.is_file():
            raise ReleaseUnusable(f"{manifest.name}: {path} is missing")
        if digest(file) != expected:
            raise ReleaseUnusable(
                f"{manifest.name}: {path} is damaged or was changed (its checksum is another one)"
            )
    strange = sorted(set(contents(folder)) - set(manifest.files) - {FILE})
    if strange:
        raise ReleaseUnusable(f"{manifest.name}: {strange[0]} does not belong to the release")


def contents(folder: Path) -> list[str]:
    """The files of a folder as paths inside it, sorted; not a manifest that was never finished."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != _HALF)
    return sorted(path.relative_to(folder).as_posix() for path in files)


def digest(file: Path) -> str:
    """The SHA-256 of a file."""
    whole = hashlib.sha256()
    with file.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            whole.update(chunk)
    return whole.hexdigest()


def _checked(manifest: Manifest) -> Manifest:
    try:
        check_name(str(manifest.name))
    except ReleaseRefused as error:
        raise ReleaseUnusable(str(error)) from None
    maps = (manifest.config, manifest.metrics, manifest.files)
    if not all(isinstance(part, dict) for part in maps) or not manifest.files:
        raise ReleaseUnusable(f"{manifest.name}: {FILE} names no files")
    for path, expected in manifest.files.items():
        inside = path and not path.startswith(("/", "\\")) and ".." not in path.split("/")
        if not inside or not re.fullmatch(r"[0-9a-f]{64}", str(expected)):
            raise ReleaseUnusable(f"{manifest.name}: {FILE} names a file that cannot be")
    if not isinstance(manifest.base_model, str) or not isinstance(manifest.created, int | float):
        raise ReleaseUnusable(f"{manifest.name}: {FILE} does not say what it was made from")
    return manifest
