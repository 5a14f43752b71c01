"""What a run would miss only after it has begun is said before."""

from pathlib import Path

import pytest

from core.errors import SettingsError
from training.config import config
from training.needs import check
from training.run import launcher

MISSING = [
    ({"report_to": "tensorboard"}, "report_to: tensorboard is not installed"),
    ({"unsloth": True}, "unsloth: not installed"),
    ({"accelerate": "gone.yaml"}, "accelerate: there is no file gone.yaml"),
    ({"processes": 3}, "8 conversations a step .* cannot be shared out evenly among 3"),
]


@pytest.mark.parametrize(("values", "what"), MISSING)
def test_what_is_missing_is_named_with_its_knob(values: dict[str, object], what: str) -> None:
    with pytest.raises(SettingsError, match=what):
        check(config(values), lambda name: None)


def test_what_is_there_is_taken(tmp_path: Path) -> None:
    (tmp_path / "two.yaml").write_text("num_machines: 2\n")
    values = {"report_to": "wandb", "accelerate": str(tmp_path / "two.yaml"), "processes": 4}
    check(config(values), lambda name: name)
    check(config({}), lambda name: None)


def test_several_machines_are_launched_by_their_file_several_processes_by_their_number() -> None:
    two = launcher(config({"processes": 2}))
    assert two[1:3] == ["-m", "accelerate.commands.launch"]
    assert "--num_processes=2" in two
    many = launcher(config({"accelerate": "main.yaml", "processes": 2}))
    assert many[3:] == ["--config_file=main.yaml"]
