"""`lafiya doctor` reads the operator's facilities, and the example is the header alone."""

import csv
from pathlib import Path

import pytest

from cli.doctor import Check, checks
from core.settings import Settings
from knowledge.facilities import COLUMNS

EXAMPLE = Path(__file__).parents[2] / "docs" / "facilities-example.csv"


def seen(tmp_path: Path, table: str | None) -> Check:
    path = tmp_path / "facilities.csv"
    if table:
        path.write_text(table, encoding="utf-8")
    settings = Settings(
        database_url=f"sqlite:///{tmp_path}/lafiya.db",
        engine="library",
        facilities="" if table is None else str(path),
    )
    return next(check for check in checks(settings) if check.what == "FACILITIES")


@pytest.mark.parametrize(
    ("label", "table", "fine", "say"),
    [
        ("no file", None, True, "no hospital is named"),
        ("a good file", "state,name\nKano,A\nNiger,B\n", True, "2 facilities in 2 states"),
        ("a wrong row", "state,name\nKano,\n", False, "facilities.csv: line 2: column name"),
        ("no row", "state,name\n", False, "no row"),
        ("not there", "", False, "No such file"),
    ],
)
def test_the_doctor_reads_the_file(
    tmp_path: Path, label: str, table: str | None, fine: bool, say: str
) -> None:
    check = seen(tmp_path, table)
    assert (check.fine, say in check.say) == (fine, True), check.say


def test_the_example_is_a_header_and_nothing_else() -> None:
    assert list(csv.reader(EXAMPLE.read_text(encoding="utf-8").splitlines())) == [list(COLUMNS)]
