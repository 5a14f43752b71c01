"""An export's work: makes the files, moves them to their place or pushes them, says what there is.

Everything is made beside its place and moved there whole: an export that dies leaves nothing that
looks finished. Knows no settings and no database; what needs torch is in `training.gemma.merge`.
"""

import shutil
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from core.errors import SettingsError
from inference.engine import Release
from training import archive, gguf, model_card
from training.export import ExportConfig
from training.folder import RunFolder, Stopped
from training.hub import Hub
from training.manifest import FILE, Manifest, contents, digest
from training.model_card import NOTICE, Facts

#: Seconds between two words on how far an export is.
EVERY: Final = 0.5
CARD, NOTICE_FILE, LOG = "README.md", "NOTICE", "convert.txt"


@dataclass(frozen=True, slots=True)
class Export:
    """One export; `facts` is what the card says, `llama_cpp` the setting of that name."""

    run: RunFolder
    wanted: ExportConfig
    release: Release
    manifest: Manifest
    facts: Facts
    hub: Hub
    llama_cpp: str = ""

    def work(self) -> None:
        """Make it and finish the run's folder.

        Raises SettingsError (what another setting would mend), EngineError, Stopped.
        """
        if self.wanted.form == "hub":
            self._finish("", *self._pushed())
        else:
            place = Path(self.wanted.to or self.run.path / "files").expanduser().resolve()
            self._finish(str(place), "", self._placed(place))

    def _placed(self, place: Path) -> list[dict[str, Any]]:
        """The files at their place, whole. Raises SettingsError when something is there."""
        kind = ".zip" if self.wanted.form == "adapter" else ""
        target = place / f"{self.wanted.name}{kind}"
        if target.exists():
            raise SettingsError(f"{target} exists already: move it away, or choose another --to")
        try:
            place.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=place, prefix=".part-") as part:
                made = Path(part) / target.name
                self._make(made)
                rows = _listed(made)
                made.rename(target)
        except OSError as error:
            raise SettingsError(f"{place} cannot be written: {error.strerror or error}") from None
        return rows

    def _pushed(self) -> tuple[str, list[dict[str, Any]]]:
        """The address on the hub, and what lies there."""
        wanted = self.wanted
        with tempfile.TemporaryDirectory(dir=self.run.path, prefix=".part-") as part:
            made = Path(part) / wanted.name
            if wanted.content == "merged":
                self._merge(made)
            else:
                self._copy(made)
            rows = _listed(made)
            self._tell(f"pushing to {wanted.repository}")
            message = f"{self.release.name} ({wanted.content})"
            url = self.hub.push(made, wanted.repository, public=wanted.public, message=message)
        return url, rows

    def _finish(self, folder: str, url: str, rows: list[dict[str, Any]]) -> None:
        told = {"release": self.release.name, "form": self.wanted.form, "folder": folder}
        self.run.finish({**told, "url": url, "files": rows})
        self.run.update(
            phase="done", detail=url or str(Path(folder, rows[0]["path"].partition("/")[0]))
        )

    def _make(self, target: Path) -> None:
        match self.wanted.form:
            case "adapter":
                self._tell("packing the adapter")
                texts = {CARD: model_card.card(self.facts), NOTICE_FILE: NOTICE}
                archive.pack(Path(self.release.folder), self.manifest, texts, target)
            case "gguf":
                self._gguf(target)
            case _:
                self._merge(target)

    def _merge(self, target: Path) -> Facts:
        # torch takes seconds, and is not there in a light installation.
        try:
            from training.gemma.merge import merge
        except ImportError:
            raise SettingsError("merging needs: .venv/bin/pip install -e '.[model]'") from None
        told = _Pace(self.run)
        done = merge(self.release, self.manifest.base_model, target, on_step=told)
        facts = replace(self.facts, merged_revision=done.revision)
        _label(target, facts)
        return facts

    def _gguf(self, target: Path) -> None:
        tools = gguf.find_tools(self.llama_cpp, self.wanted.bits)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix="merged-") as part:
            whole = Path(part) / "model"
            facts = self._merge(whole)
            self._tell(f"converting to GGUF ({self.wanted.bits})")
            target.mkdir()
            file = target / f"{self.release.name}-{self.wanted.bits}.gguf"
            gguf.convert(whole, file, self.wanted.bits, tools, self.run.path / LOG)
        _label(target, facts)

    def _copy(self, target: Path) -> None:
        """The sealed folder with our card. A card that was sealed with it gives way to ours."""
        names = [path for path in self.manifest.files if path != CARD]
        if len(names) == len(self.manifest.files):
            names.append(FILE)
        for path in names:
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(Path(self.release.folder) / path, target / path)
        _label(target, self.facts)

    def _tell(self, detail: str) -> None:
        if self.run.asked_to_stop():
            raise Stopped("stopped")
        self.run.update(phase="saving", detail=detail)


class _Pace:
    """Says how many tensors are merged, twice a second at most, and ends it when that is wanted."""

    def __init__(self, run: RunFolder) -> None:
        self._run, self._said = run, 0.0

    def __call__(self, done: int, of: int) -> None:
        if self._run.asked_to_stop():
            raise Stopped("stopped")
        if done == of or time.monotonic() - self._said > EVERY:
            self._said = time.monotonic()
            self._run.update(phase="saving", step=done, steps=of, detail="merging")


def _label(folder: Path, facts: Facts) -> None:
    """The card and the licence's notice, which go wherever the weights go."""
    (folder / CARD).write_text(model_card.card(facts), "utf-8")
    (folder / NOTICE_FILE).write_text(NOTICE, "utf-8")


def _listed(made: Path) -> list[dict[str, Any]]:
    """Every file below the folder that holds `made`, with its size and SHA-256."""
    files = [made] if made.is_file() else [made / path for path in contents(made)]
    return [
        {
            "path": file.relative_to(made.parent).as_posix(),
            "bytes": file.stat().st_size,
            "sha256": digest(file),
        }
        for file in files
    ]
