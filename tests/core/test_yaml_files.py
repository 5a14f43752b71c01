"""YAML is read as plain values, quickly, and never as objects."""

from pathlib import Path

import pytest
import yaml

from core.yaml_files import read_yaml


def test_a_file_is_plain_values(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("ƙasa: [1, 'ɓari']\nrana: 2027-05-31\n", encoding="utf-8")
    assert read_yaml(path) == yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("text", ["!!python/object/apply:os.getcwd []", "a: [1", "a: b: c"])
def test_what_is_no_plain_yaml_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(yaml.YAMLError):
        read_yaml(path)
