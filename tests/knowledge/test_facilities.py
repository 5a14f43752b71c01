"""The operator's facilities: found by place, and files that say where they are wrong."""

from pathlib import Path

import pytest

from knowledge.facilities import Facilities
from knowledge.places import Place
from knowledge.referral import ReferralError

TABLE = """state,lga,name,kind,address,phone,checked
Katsina,Ɓakori,"PHC A",phc,"Titin A, B",0800 000 0001,2026-10-01
katsina,Funtua,General B,General,,,
Kano,Bichi,PHC C,,,,

Sakkwato,,Teaching D,teaching,,,
"""


def written(folder: Path, table: str | bytes) -> Path:
    path = folder / "facilities.csv"
    path.write_bytes(table if isinstance(table, bytes) else table.encode())
    return path


@pytest.fixture
def facilities(tmp_path: Path) -> Facilities:
    return Facilities.load(written(tmp_path, TABLE))


@pytest.mark.parametrize(
    ("label", "place", "expected"),
    [
        ("without hooks", Place("Katsina", "bakori"), ["PHC A"]),
        ("the whole state", Place("Katsina"), ["PHC A", "General B"]),
        ("nothing in the local one", Place("Katsina", "Daura"), ["PHC A", "General B"]),
        ("a state by another name", Place("Sokoto"), ["Teaching D"]),
        ("a state without any", Place("Lagos"), []),
    ],
)
def test_found_by_place(
    facilities: Facilities, label: str, place: Place, expected: list[str]
) -> None:
    assert [row.name for row in facilities.at([place])] == expected


def test_in_an_emergency_the_hospital_comes_first(facilities: Facilities) -> None:
    rows = facilities.at([Place("Katsina")], urgent=True)
    assert [row.name for row in rows] == ["General B", "PHC A"]


def test_what_is_shown_of_one(facilities: Facilities) -> None:
    shown = [str(row) for row in facilities.known]
    assert shown[0] == "PHC A (Titin A, B, Ɓakori, Katsina): 0800 000 0001"
    assert shown[2:] == ["PHC C (Bichi, Kano)", "Teaching D (Sokoto)"]
    assert facilities.known[2].kind == "other"


def test_the_local_governments_of_the_file_are_places(facilities: Facilities) -> None:
    assert facilities.places.find("muna a bakori") == (Place("Katsina", "Ɓakori"),)


def test_semicolons_a_byte_order_mark_and_capitals(tmp_path: Path) -> None:
    table = "\ufeffState;Name;LGA\r\nZinder;CSI A;Mirriah\r\n"
    assert [str(row) for row in Facilities.load(written(tmp_path, table)).known] == [
        "CSI A (Mirriah, Zinder)"
    ]


def test_without_a_file_there_is_nothing() -> None:
    assert not Facilities.none()
    assert Facilities.none().places.find("a Katsina") == ()


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ("name,kind\nA,phc\n", "line 1: no column state"),
        ("state,name\nKano,A\n,B\n", "line 3: column state: is empty"),
        ("state,name\nKano,\n", "line 2: column name: is empty"),
        ("state,name\nKanoo,A\n", "line 2: column state: 'Kanoo' is no state"),
        ("state,name,kind\nKano,A,chemist\n", "line 2: column kind: 'chemist' is not one of"),
        ("state,name,checked\nKano,A,yesterday\n", "line 2: column checked: 'yesterday'"),
        ("state,name\nKano,A,more\n", "line 2: more fields"),
        ("state,name\nKano," + "A" * 121 + "\n", "line 2: column name: longer than 120"),
        (b"state,name\nKano,A\nKano,\xffB\n", "line 3: not UTF-8"),
        ("", "line 1: no column state, name"),
    ],
)
def test_errors_name_the_line_and_the_column(
    tmp_path: Path, table: str | bytes, complaint: str
) -> None:
    with pytest.raises(ReferralError, match=complaint):
        Facilities.load(written(tmp_path, table))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ReferralError, match=r"nowhere\.csv: No such file"):
        Facilities.load(tmp_path / "nowhere.csv")
