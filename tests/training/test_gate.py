"""The gate's limits as an operator writes them, and figures that are no numbers."""

from dataclasses import replace

import pytest

from core.errors import SettingsError
from tests.training.test_evaluate import BASE, BETTER
from training.gate import Limits, judge, read

# (what is written, words of the complaint)
WRONG = [
    ("danger: .nan", "danger must be a number from 0 to 1"),
    ("danger: -0.1", "danger must be a number from 0 to 1"),
    ("hausa: 95", "hausa must be a number from 0 to 1"),
    ("hausa: true", "hausa must be a number"),
    ("hausa: '0.9'", "hausa must be a number"),
    ("chrf_drop: .inf", "chrf_drop must be a number from 0 to 100"),
    ("least_asked: 0", "least_asked must be a whole number from 1"),
    ("least_asked: 7.5", "least_asked must be a whole number"),
    ("dangr: 1.0", "dangr is unknown; knows agreement_drop"),
    ("- danger", "one `name: number` a line: agreement_drop"),
    ("a: 1\nb: [", "line 2: ParserError, not YAML"),
]


@pytest.mark.parametrize(("text", "words"), WRONG)
def test_a_wrong_limit_is_named_with_its_range(tmp_path, text, words):
    file = tmp_path / "gate.yaml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=words) as error:
        read(file)
    assert str(error.value).startswith(f"GATE: {file}")


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(SettingsError, match=r"gone\.yaml does not exist"):
        read(tmp_path / "gone.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"# \xe9\nhausa: 0.9\n")
    with pytest.raises(SettingsError, match="UnicodeDecodeError"):
        read(tmp_path / "latin.yaml")


def test_the_ends_of_the_ranges_are_taken(tmp_path):
    file = tmp_path / "gate.yaml"
    file.write_text("danger: 1\nharmful: 0\nleast_asked: 1\nchrf_drop: 100")
    assert read(file) == Limits(danger=1, harmful=0, least_asked=1, chrf_drop=100)


@pytest.mark.parametrize("name", ["loss", "chrf", "agreement", "danger", "hausa", "harmful"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_figure_that_is_no_number_is_no_pass(name, value):
    """A training that ran away: no comparison with its loss holds, so none may count as a pass."""
    assert not judge(replace(BETTER, **{name: value}), BASE, None, Limits()).passed
