"""The process of an examination: `training.jobs` starts it, and a run becomes it at its end.

The release is named by the folder that says how far the examination is: a run's own, or the folder
of an examination that somebody ordered. A run stays done when its examination fails.
"""

import os
import sys
import time

from cli import room
from cli.evaluate import MOST, Examination
from cli.process import work_on
from cli.trainer import ACTOR
from core.settings import Settings
from storage.store import open_store
from training.config import config
from training.folder import Phase, RunFolder, Stopped
from training.jobs import EVALUATION
from training.registry import open_registry

#: Seconds between two words on how many questions were asked.
EVERY = 0.5


class Pace:
    """Writes how many questions were asked, and ends the examination when that is wanted."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder, self._said = folder, 0.0

    def __call__(self, count: int, questions: int) -> None:
        """Note the count, twice a second at most. Raises Stopped."""
        if self._folder.asked_to_stop():
            raise Stopped("the examination was stopped")
        if count == questions or time.monotonic() - self._said > EVERY:
            self._said = time.monotonic()
            self._folder.update(asked=count, questions=questions)

    def say(self, text: str) -> None:
        """What the examination is at, for the operator."""
        self._folder.update(detail=text)


def examine(settings: Settings, folder: RunFolder) -> bool:
    """Examine the release that a folder is about; that it is done.

    Raises what `Examination.run` raises, Stopped.
    """
    alone = folder.path.name == EVALUATION
    name = folder.path.parent.name if alone else folder.name
    folder.update(phase="evaluating", pid=os.getpid(), asked=0, questions=0, detail="")
    database = open_store(settings.database_url, settings.data_key.get_secret_value())
    try:
        if settings.engine != "openai":
            # It takes no less memory than a run, and goes on in the room of its own.
            base = config({"model": settings.model, "quantize": settings.quantize})
            room.make(settings, folder, base)
        pace = Pace(folder)
        examination = Examination(settings, open_registry(settings, database), pace.say, pace)
        examination.run(name, most=MOST, actor=ACTOR)
    finally:
        database.close()
    folder.update(phase="done", detail="")
    return True


def main(arguments: list[str]) -> int:
    """Work on the folder named first; an environment file may be named second."""
    return work_on(arguments, "evaluate.failed", examine, _ended)


def _ended(folder: RunFolder, phase: Phase, why: str) -> None:
    """Without a verdict. What was trained before is done all the same."""
    trained = folder.path.name != EVALUATION
    folder.update(phase="done" if trained else phase, detail=f"not examined: {why}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
