"""The training step of a run: in this process, or in several by `accelerate launch`.

Unsloth changes transformers and TRL as it is imported, so it must come before them: this file is
the place that knows.
"""

import importlib
import importlib.util
import subprocess
import sys
from pathlib import Path

from training.folder import RunFolder


def train(folder: RunFolder) -> bool:
    """Train what a folder asks for; whether it finished. Its state says why it did not."""
    processes = folder.config().processes
    if processes == 1:
        return _here(folder) == 0
    launch = [sys.executable, "-m", "accelerate.commands.launch", f"--num_processes={processes}"]
    fixed = ["--num_machines=1", "--mixed_precision=no", "--dynamo_backend=no"]
    done = subprocess.run(  # noqa: S603 -- our own interpreter and our own module
        [*launch, *fixed, "-m", "training.run", str(folder.path)], check=False
    )
    return done.returncode == 0


def _here(folder: RunFolder) -> int:
    if folder.config().unsloth is not False and importlib.util.find_spec("unsloth"):
        importlib.import_module("unsloth")
    return int(importlib.import_module("training.gemma.sft").main(folder))


if __name__ == "__main__":
    sys.exit(_here(RunFolder(Path(sys.argv[1]))))
