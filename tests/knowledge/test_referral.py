"""Referral: numbers by country, braces left alone, files that say which line is wrong."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from knowledge.referral import HELPLINES, Referral, ReferralError, country_of

REFERRAL = Referral.load()

FILLED = [
    ("{emergency}", "NG", "ha", "112 (kyauta)"),
    ("{emergency}", "NE", "ha", "15 (SAMU)"),
    ("{emergency}", None, "ha", "112 (Nijeriya, kyauta) ko 15 (Nijar, SAMU)"),
    ("{emergency}", None, "en", "112 (Nigeria, free) or 15 (Niger, SAMU)"),
    ("{emergency}", "GH", "en", "112 (Nigeria, free) or 15 (Niger, SAMU)"),
    ("{emergency}", "NG", "xx", "112 (kyauta)"),
    (
        "{suicide_line}",
        "NG",
        "ha",
        "0814 224 1007 (SURPIN, da Hausa) ko 0800 078 7746 (SURPIN, kyauta)",
    ),
    ("{suicide_line}", "NE", "ha", "15 (SAMU)"),
    ("{drug_line}", "NG", "en", "0800 1020 3040 (NDLEA, free, Hausa spoken)"),
    ("{ncdc_line}", "NG", "ha", "6232 (NCDC, kyauta)"),
    ("Ku kira {emergency}. Ku je.", "NG", "ha", "Ku kira 112 (kyauta). Ku je."),
    ("{unknown} {} { {0} }", "NG", "ha", "{unknown} {} { {0} }"),
    ("{emergency", "NG", "ha", "{emergency"),
    ("babu komai", None, "ha", "babu komai"),
]


@pytest.mark.parametrize(("text", "country", "language", "expected"), FILLED)
def test_fill(text: str, country: str | None, language: str, expected: str) -> None:
    assert REFERRAL.fill(text, country=country, language=language) == expected


@given(st.text(), st.none() | st.text(), st.text())
def test_fill_never_raises(text: str, country: str | None, language: str) -> None:
    REFERRAL.fill(text, country=country, language=language)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("+2348012345678", "NG"),
        ("whatsapp:+234 801 234 5678", "NG"),
        ("002348012345678", "NG"),
        ("whatsapp:+22790123456", "NE"),
        ("+233201234567", None),
        ("08012345678", None),
        ("telegram:234801234567", None),
        ("+234", None),
        ("", None),
    ],
)
def test_country_of(address: str, expected: str | None) -> None:
    assert country_of(address) == expected


def test_only_sourced_unretired_numbers_are_shipped() -> None:
    rows = yaml.safe_load(HELPLINES.read_text(encoding="utf-8"))["lines"]
    assert {row["number"] for row in rows} == {
        *("112", "0814 224 1007", "0800 078 7746", "0800 1020 3040", "6232", "15", "18")
    }
    for row in rows:
        assert row["source"], row["id"]
        assert row["checked"] is not None or row["status"] == "not yet called", row["id"]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"country": "XX"}, "country must be one of"),
        ({"number": "call me"}, "is not a number"),
        ({"uses": ["pizza"]}, "unknown uses"),
        ({"source": None}, "no source"),
        ({"label": {"ha": "kyauta"}}, "'en'"),
    ],
)
def test_helplines_errors_name_the_line(
    tmp_path: Path, change: dict[str, object], complaint: str
) -> None:
    raw = yaml.safe_load(HELPLINES.read_text(encoding="utf-8"))
    raw["lines"][1] |= change
    path = tmp_path / "helplines.yaml"
    path.write_text(yaml.safe_dump(raw), encoding="utf-8")
    with pytest.raises(ReferralError, match=f"line 2 of `lines`.*{complaint}"):
        Referral.load(path)


@pytest.mark.parametrize("text", ["lines: 3", "[", "- a"])
def test_helplines_that_are_something_else(tmp_path: Path, text: str) -> None:
    path = tmp_path / "helplines.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ReferralError):
        Referral.load(path)
