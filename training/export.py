"""Releases on their way out: which forms there are, who may leave in which, and the folder of each.

An export runs in a process of its own, like a run (`training.jobs`), one at a time and beside a
training. Its folder says how far it is and, at its end, what was written where:

    config.json   what is wanted          state.json   how far it is
    files/        the files, unless another folder was named
    result.json   written last: the folder or address, every file with its size and SHA-256
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import ReleaseRefused, SettingsError
from storage.releases import Listed
from training.folder import RunFolder, State
from training.gguf import Bits
from training.jobs import Jobs, RunRefused

Form = Literal["adapter", "merged", "gguf", "hub"]
FORMS: Final[tuple[Form, ...]] = ("adapter", "merged", "gguf", "hub")
#: The module of an export's process: it joins store, registry and settings (`cli.exporter`).
ENTRY: Final = "cli.exporter"
#: A source of training data that people wrote: `cli.trainer` calls the store's conversations so.
PEOPLES: Final = "store"


class ExportConfig(BaseModel):
    """One export. `to` is a folder, or for the hub a repository; empty: one of our own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    release: str = Field(min_length=1)
    form: Form = "adapter"
    to: str = ""
    bits: Bits = "q8_0"
    content: Literal["adapter", "merged"] = "adapter"
    public: bool = False
    #: Why it leaves without a passed gate.
    forced: str = ""

    @property
    def name(self) -> str:
        """What its folder is called: one for each thing that can be wanted of a release."""
        return f"{self.release}-{self.form}" + (f"-{self.bits}" if self.form == "gguf" else "")

    @property
    def made(self) -> Literal["adapter", "merged", "gguf"]:
        """What is made, before it is pushed anywhere."""
        return self.content if self.form == "hub" else self.form

    @property
    def repository(self) -> str:
        """Where the hub gets it, in the name of the token's owner unless one is named."""
        return self.to or f"lafiya-{self.release}"


def read(run: RunFolder) -> ExportConfig:
    """What an export's folder is about. Raises SettingsError."""
    try:
        return ExportConfig.model_validate_json((run.path / "config.json").read_text("utf-8"))
    except (OSError, ValidationError) as error:
        raise SettingsError(f"{run.path} is no export ({type(error).__name__})") from None


def check_leave(row: Listed, wanted: ExportConfig) -> None:
    """Whether a release may leave in this form.

    A whole model is served anywhere without our gate, so it has to have passed it. Who gave us
    their words agreed to improve this assistant, not to be taught to the whole world.

    Raises ReleaseRefused (unfit, private_data).
    """
    if wanted.form != "adapter" and not (row.verdict or row.forced or wanted.forced):
        raise ReleaseRefused(
            "unfit",
            f"{row.name} has not passed the gate: only its adapter may leave (--as adapter)",
            row.name,
        )
    if wanted.public and PEOPLES in source_names(row.manifest):
        raise ReleaseRefused(
            "private_data",
            f"{row.name} was trained on what people wrote here: it may not be made public",
            row.name,
        )


def source_names(manifest: Mapping[str, Any]) -> set[str]:
    """The names of what a release was trained on, without their weights."""
    config = manifest.get("config")
    sources = config.get("data") if isinstance(config, dict) else None
    return {str(one).partition(":")[0] for one in sources} if isinstance(sources, list) else set()


@dataclass(frozen=True, slots=True)
class Product:
    """What an export has written: its folder or address, and the files by path with their bytes."""

    folder: str
    url: str
    files: Mapping[str, int]

    @property
    def bytes(self) -> int:
        """All files together."""
        return sum(self.files.values())

    def file(self) -> Path | None:
        """What can be handed over as one file: the archive, or the GGUF; None for a folder."""
        one = [path for path in self.files if len(self.files) == 1 or path.endswith(".gguf")]
        return Path(self.folder, one[0]) if self.folder and one else None

    def place(self) -> str:
        """Where it lies on this machine: the file, or the folder that holds all."""
        file = self.file()
        return str(file or Path(self.folder, next(iter(self.files)).partition("/")[0]))


@dataclass(frozen=True, slots=True)
class Exports:
    """All exports of an installation."""

    jobs: Jobs

    def begin(self, wanted: ExportConfig) -> RunFolder:
        """Begin an export, unless its files are there already or it is going on.

        Raises RunRefused when another one is going on.
        """
        run = RunFolder(self.jobs.root / wanted.name)
        if wanted.form != "hub" and self._wants(run, wanted) and self.product(run):
            return run
        try:
            return self.jobs.start(wanted, name=wanted.name, anew=True)
        except RunRefused as error:
            if error.run == wanted.name and self._wants(run, wanted):
                return run
            raise

    def state(self, run: RunFolder) -> State:
        """How far an export is."""
        return self.jobs.state(run)

    def product(self, run: RunFolder) -> Product | None:
        """What a finished export has written; None when it is not done or its files are gone."""
        result = run.result()
        if result is None:
            return None
        files = {str(one["path"]): int(one["bytes"]) for one in result["files"]}
        product = Product(str(result["folder"]), str(result["url"]), files)
        here = files.items() if product.folder else ()
        whole = (_bytes(Path(product.folder, path)) == size for path, size in here)
        return product if all(whole) else None

    def _wants(self, run: RunFolder, wanted: ExportConfig) -> bool:
        try:
            return read(run) == wanted
        except SettingsError:
            return False


def _bytes(file: Path) -> int:
    """A file's size; less than any where there is none."""
    return file.stat().st_size if file.is_file() else -1
