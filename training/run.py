"""The training step of a run: in this process, or in several by `accelerate launch`.

Unsloth changes transformers and TRL as it is imported, so it must come before them: this file is
the place that knows.
"""

import ctypes
import importlib
import importlib.util
import os
import signal
import subprocess
import sys
from pathlib import Path

from training.config import TrainConfig
from training.folder import RunFolder

#: prctl(2): the kernel kills a process when its parent ends.
_PR_SET_PDEATHSIG = 1


def train(folder: RunFolder) -> bool:
    """Train what a folder asks for; whether it finished. Its state says why it did not."""
    wanted = folder.config()
    if wanted.processes == 1 and not wanted.accelerate:
        return _here(folder) == 0
    while True:
        fit = folder.fit()
        if _several(folder, wanted):
            return True
        if folder.fit() == fit:  # else memory was short, and steps are cut smaller now
            return False


def launcher(wanted: TrainConfig) -> list[str]:
    """The command that starts the processes of a run on this machine."""
    command = [sys.executable, "-m", "accelerate.commands.launch"]
    if wanted.accelerate:
        return [*command, f"--config_file={wanted.accelerate}"]
    # Without these it asks for a file of answers, and warns of each that it lacks.
    known = ["--multi_gpu", "--num_machines=1", "--mixed_precision=no", "--dynamo_backend=no"]
    return [*command, f"--num_processes={wanted.processes}", *known, "--main_process_port=0"]


def _several(folder: RunFolder, wanted: TrainConfig) -> bool:
    done = subprocess.run(  # noqa: S603 -- our own interpreter and our own module
        [*launcher(wanted), "-m", "training.run", str(folder.path)],
        check=False,
        preexec_fn=_end_with_parent,
    )
    return done.returncode == 0


def _end_with_parent() -> None:
    """A killed run may leave nobody behind: its lock is free then, and another may begin."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def before_all(wanted: TrainConfig) -> None:
    """Import Unsloth where a run uses it; to be called before anything imports transformers."""
    if wanted.unsloth is False or not importlib.util.find_spec("unsloth"):
        return
    if wanted.unsloth or importlib.import_module("torch").cuda.is_available():
        importlib.import_module("unsloth")


def _here(folder: RunFolder) -> int:
    before_all(folder.config())
    return int(importlib.import_module("training.gemma.sft").main(folder))


if __name__ == "__main__":
    if "RANK" in os.environ:
        _end_with_parent()
    sys.exit(_here(RunFolder(Path(sys.argv[1]))))
