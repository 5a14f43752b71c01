"""What the processes that `training.jobs` starts have in common: a folder, settings, and an end."""

import os
from collections.abc import Callable
from pathlib import Path

from core import logs
from core.errors import LafiyaError
from core.settings import Settings, load_settings
from training.folder import Phase, RunFolder, Stopped


def noted(folder: RunFolder, phase: Phase, why: str) -> None:
    """Write down how it ended."""
    folder.update(phase=phase, detail=why)


def work_on(
    arguments: list[str],
    crash: str,
    work: Callable[[Settings, RunFolder], bool],
    end: Callable[[RunFolder, Phase, str], None] = noted,
) -> int:
    """Work on the folder named first; an environment file may be named second. The exit code.

    `work` says whether it came to its end, having written that down; what it raises is given to
    `end`. `crash` is the event of what nobody foresaw.
    """
    folder, env_file = RunFolder(Path(arguments[0])), Path(*arguments[1:2] or [".env"])
    logs.configure("INFO", "json")
    try:
        settings = load_settings(os.environ, env_file if env_file.is_file() else None)
        return 0 if work(settings, folder) else 1
    except Stopped as error:
        end(folder, "cancelled", str(error))
    except LafiyaError as error:
        end(folder, "failed", str(error))
    except Exception as error:
        logs.crash(crash, error, run=folder.name)
        end(folder, "failed", f"{type(error).__name__} (see log.txt)")
    return 1
