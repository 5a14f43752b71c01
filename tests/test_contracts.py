"""Who may import whom (pyproject.toml, tool.importlinter)."""

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROOMS = {"bot", "webhooks", "training", "storage", "inference", "knowledge", "web", "cli", "core"}


def test_the_rooms_keep_to_their_contracts() -> None:
    # In a process of its own: the tool switches off the loggers that it finds.
    tool = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [tool, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_the_contracts_know_every_room() -> None:
    found = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    listed = found["tool"]["setuptools"]["packages"]
    assert set(found["tool"]["importlinter"]["root_packages"]) == ROOMS
    assert {package.partition(".")[0] for package in listed} == ROOMS
