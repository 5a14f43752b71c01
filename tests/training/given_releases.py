"""Sealed release folders and a registry for the tests of what becomes of them."""

from pathlib import Path

from storage.store import Store
from training import manifest
from training.manifest import Manifest
from training.registry import Registry, Report
from training.report_files import PAGE
from training.shelf import open_shelf

NOW = 1_800_000_000.0
GOOD = Report(True, {"chrf": 31.5, "loss": 1.2}, files={PAGE: b"# passed\n"})
BAD = Report(False, {"chrf": 3.0}, ("chrf under 20",), {PAGE: b"# failed\n"})


def seal(folder: Path, name: str, weights: str = "weights") -> Path:
    """A finished release: two files and a manifest."""
    folder = folder / name
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text('{"r": 8}')
    (folder / "adapter_model.safetensors").write_text(f"{weights} of {name}")
    manifest.write(folder, Manifest(name=name, base_model="tiny", metrics={"loss": 1.5}))
    return folder


def open_registry(store: Store, folder: Path, *, approvals: int = 1, place: str = "") -> Registry:
    """A registry on a folder of the test, or on `place`."""
    shelf = open_shelf(place or str(folder / "shelf"), folder / "cache")
    return Registry(store, shelf, approvals)


def added(registry: Registry, folder: Path, *names: str, report: Report | None = GOOD) -> None:
    """Releases in the registry, judged when there is a report."""
    for number, name in enumerate(names):
        registry.add(seal(folder / "made", name), actor="test", now=NOW + number)
        if report:
            registry.judge(name, report, actor="test", now=NOW + number)
