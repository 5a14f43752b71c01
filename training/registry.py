"""The registry of releases: files with checksums on a shelf, rows with states in the store.

A release is added, judged by its evaluation, promoted, rolled back, retired. Which of these is
allowed is decided in `storage.releases`; that the files are the very ones that were added, here.
"""

import contextlib
import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from core.errors import LafiyaError, ReleaseUnusable
from core.settings import Settings
from inference.engine import BASE, Release
from storage import release_names, releases
from storage.releases import Listed, Pointer, Step
from storage.store import Store
from training import manifest as manifests
from training import report_files
from training.manifest import FILE
from training.shelf import Shelf, check_same, open_shelf


@dataclass(frozen=True, slots=True)
class Report:
    """An evaluation's verdict: passed or not, the figures it rests on, and why it failed.

    `files` are its page and its picture (`training.report_files`), once they are made.
    """

    passed: bool
    metrics: Mapping[str, float] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)


class Registry:
    """All releases of one installation. `approvals`: how many people put one live."""

    def __init__(self, store: Store, shelf: Shelf, approvals: int = 1) -> None:
        self._store, self._shelf, self._approvals = store, shelf, approvals

    @property
    def approvals(self) -> int:
        """How many people must agree before a release goes live."""
        return self._approvals

    def add(self, folder: Path, *, actor: str, now: float) -> str:
        """Take a sealed folder in as a candidate; its name. The same one again is no change.

        Raises ReleaseUnusable (no manifest, damaged files), ReleaseRefused (taken).
        """
        raw = _sealed(folder)
        manifest = manifests.parse(raw)
        manifests.verify(folder, manifest)
        there = self._shelf.manifest(manifest.name)
        if there is None:
            self._shelf.put(folder, manifest)
        else:
            check_same(there, raw, manifest.name)
        fingerprint, said = _fingerprint(raw), asdict(manifest)
        releases.add(self._store, manifest.name, fingerprint, said, actor=actor, now=now)
        return manifest.name

    def judge(self, name: str, report: Report, *, actor: str, now: float) -> None:
        """Record the gate's verdict, once the files of its report are on the shelf.

        Raises ReleaseRefused (unknown, live), and ReleaseUnusable when the shelf does not take
        them: then nothing is recorded.
        """
        name = self.find(name).name
        files = report_files.keep(self._shelf, name, report.files)
        metrics, reasons = dict(report.metrics), list(report.reasons)
        row = {"metrics": metrics, "reasons": reasons, "files": files}
        try:
            old = releases.judge(self._store, name, report.passed, row, actor=actor, now=now)
        except LafiyaError:
            self._tidy(name, files)
            raise
        self._tidy(name, report_files.named(old))

    def report_file(self, name: str, file: str, runs: Path) -> bytes | None:
        """A file of the report that belongs to a release's verdict; None when there is none.

        `runs` is where the examinations of this machine wrote theirs: the only place of a report
        from before they were kept. Raises ReleaseRefused (unknown), ReleaseUnusable (gone, changed,
        out of reach).
        """
        row = self.find(name)
        try:
            return self._report_file(row, file, runs)
        except ReleaseUnusable:
            # Examined anew between the two looks: the earlier report is gone.
            again = self.find(name)
            if again.report == row.report:
                raise
            return self._report_file(again, file, runs)

    def promote(
        self,
        name: str,
        *,
        actor: str,
        now: float,
        force_reason: str | None = None,
        expected: int | None = None,
    ) -> Step:
        """One person's yes; live at once, or when as many as are needed have agreed.

        Raises ReleaseRefused (unknown, not_passed, failed, already_live, changed), and
        ReleaseUnusable when the files are not those that were added.
        """
        name = self.fetch(name).name
        return releases.promote(
            self._store,
            name,
            actor=actor,
            now=now,
            needed=self._approvals,
            forced=(force_reason or "").strip() or None,
            expected=expected,
        )

    def rollback(self, *, actor: str, now: float, expected: int | None = None) -> Pointer:
        """Back to what was live before. One person is enough: it must be quick.

        Without `expected` it is one step back from what is live at the time of the call.
        Raises ReleaseRefused (no_previous, changed, not_passed).
        """
        seen = self.pointer().counter if expected is None else expected
        return releases.rollback(self._store, actor=actor, now=now, expected=seen)

    def retire(self, name: str, *, actor: str, now: float) -> None:
        """Take a release out of the candidates. Raises ReleaseRefused (unknown, live)."""
        releases.retire(self._store, self.find(name).name, actor=actor, now=now)

    def exported(self, name: str, *, actor: str, now: float, **detail: str) -> None:
        """Note in the audit that a release leaves the house. Raises ReleaseRefused (unknown)."""
        releases.exported(self._store, name, actor=actor, now=now, **detail)

    def label(self, name: str, label: str, *, actor: str, now: float, again: bool = False) -> None:
        """Give a release a name that people remember; every order knows it by that too.

        Raises ReleaseRefused (unknown, name: it cannot be one, labelled, taken).
        """
        manifests.check_name(label)
        known = self.find(name).name
        release_names.label(self._store, known, label, actor=actor, now=now, again=again)

    def pointer(self) -> Pointer:
        """Which release is live."""
        return releases.pointer(self._store)

    def before(self) -> str | None:
        """Where a rollback would lead; None: base. Raises ReleaseRefused (no_previous)."""
        return releases.before(self._store)

    def listed(self) -> list[Listed]:
        """Every release, the newest first."""
        return releases.listed(self._store)

    def find(self, name: str) -> Listed:
        """One release by its name or its label. Raises ReleaseRefused (unknown)."""
        return releases.find(self._store, name)

    def strays(self) -> list[str]:
        """Whole releases on the shelf that nobody has added. Raises ReleaseUnusable."""
        known = {row.name for row in self.listed()}
        return [name for name in self._shelf.names() if name not in known]

    def fetch(self, name: str) -> Release:
        """A release's files on this machine, each checked against its checksum; base needs none.

        Raises ReleaseRefused (unknown), ReleaseUnusable (missing, damaged or exchanged files).
        """
        if name == BASE:
            return Release(BASE)
        row = self.find(name)
        name = row.name
        raw = self._shelf.manifest(name)
        if raw is None:
            raise ReleaseUnusable(f"{name}: its files are not where RELEASES points")
        if _fingerprint(raw) != row.manifest_hash:
            raise ReleaseUnusable(f"{name}: {FILE} is not the one that was added")
        return Release(name, str(self._shelf.bring(manifests.parse(raw), row.manifest_hash)))

    def _report_file(self, row: Listed, file: str, runs: Path) -> bytes | None:
        if row.verdict is None:
            return None
        content, kept = report_files.here(row, runs, file), report_files.named(row.report)
        if content is not None or file not in kept:
            return content
        return report_files.read(self._shelf, row.name, kept, file)

    def _tidy(self, name: str, files: Mapping[str, str]) -> None:
        """Remove a report unless the verdict names it now; one that is left over does no harm."""
        with contextlib.suppress(LafiyaError):
            if files and files != report_files.named(self.find(name).report):
                report_files.drop(self._shelf, name, files)


def open_registry(settings: Settings, store: Store) -> Registry:
    """The registry that the settings name. Raises SettingsError."""
    shelf = open_shelf(settings.releases, Path(settings.releases_cache))
    return Registry(store, shelf, settings.approvals)


def _sealed(folder: Path) -> bytes:
    try:
        return (folder / FILE).read_bytes()
    except OSError:
        raise ReleaseUnusable(
            f"{folder} is no release: it has no {FILE}, which is written last"
        ) from None


def _fingerprint(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()
