"""A release as one file that can be handed on: the sealed folder, its checksums, what it is.

The folder inside is the very one that `lafiya releases add` takes in elsewhere: every byte of it is
named in release.json. Beside it lie a model card, the licence's notice and SHA256SUMS.
"""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from training.manifest import FILE, Manifest, digest

SUMS: Final = "SHA256SUMS"
#: The same release gives the same archive, byte for byte: its files carry no date of their own.
_DATE: Final = (1980, 1, 1, 0, 0, 0)


def pack(folder: Path, manifest: Manifest, beside: Mapping[str, str], target: Path) -> None:
    """Write the archive of a checked release folder; `beside` is texts by file name.

    Weights are noise to a compressor: the files are stored as they are.
    """
    paths = [*sorted(manifest.files), FILE]
    sums = {**manifest.files, FILE: digest(folder / FILE)}
    lines = (f"{sums[path]}  {manifest.name}/{path}\n" for path in paths)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, text in {**beside, SUMS: "".join(lines)}.items():
            archive.writestr(_entry(name), text.encode())
        for path in paths:
            entry = _entry(f"{manifest.name}/{path}")
            entry.file_size = (folder / path).stat().st_size
            with archive.open(entry, "w") as out, (folder / path).open("rb") as source:
                while chunk := source.read(1 << 20):
                    out.write(chunk)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _DATE)
    entry.external_attr = 0o644 << 16
    return entry
