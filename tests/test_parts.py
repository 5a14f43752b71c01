"""Whatever the processes are, each file of tests is run by one of them."""

from pathlib import Path

import pytest

from tests.parts import PARTS, paths

ROOT = Path(__file__).parents[1]


def run_by(part: str) -> set[str]:
    mine = [path for path in paths(part) if not path.startswith("--ignore=")]
    left = [path.removeprefix("--ignore=") for path in paths(part) if path not in mine]
    return {file for file in FILES if _in(file, mine) and not _in(file, left)}


def _in(file: str, places: list[str]) -> bool:
    return any(file == place or file.startswith(f"{place}/") for place in places)


FILES = [path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("test_*.py")]


@pytest.mark.parametrize("path", [path for part in PARTS.values() for path in part])
def test_what_is_named_is_there(path: str) -> None:
    assert (ROOT / path).exists()


def test_each_file_is_run_once() -> None:
    found = [file for part in PARTS for file in run_by(part)]
    assert sorted(found) == sorted(FILES)
    assert all(run_by(part) for part in PARTS)
