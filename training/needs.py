"""What a run needs beside its settings: looked for before it begins, not after an hour."""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from core.errors import SettingsError
from training.config import TrainConfig


def check(wanted: TrainConfig, found: Callable[[str], Any] = find_spec) -> None:
    """Raise SettingsError naming the knob, what is missing for it, and what to do.

    `found` tells whether a package is installed.
    """
    name, step = wanted.report_to, wanted.batch * wanted.accumulation
    if name != "none" and found(name) is None:
        raise SettingsError(
            f"report_to: {name} is not installed (.venv/bin/python -m pip install {name}); "
            "the run's own folder has the curves without it"
        )
    if wanted.unsloth and found("unsloth") is None:
        raise SettingsError("unsloth: not installed (pip install -e '.[gpu]'), or set unsloth=no")
    if wanted.accelerate and not Path(wanted.accelerate).is_file():
        raise SettingsError(
            f"accelerate: there is no file {wanted.accelerate}; `accelerate config` writes one"
        )
    if step % wanted.processes:
        raise SettingsError(
            f"processes: {step} conversations a step (batch x accumulation) cannot be shared out "
            f"evenly among {wanted.processes}"
        )
