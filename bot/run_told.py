"""How a run ended, for the admins who do not follow it: one word each, without being asked.

A run is begun on the command line too, where no chat knows of it, and a release that has passed its
gate concerns every admin. Looks at the runs of this machine: of another one's nothing is promised.
"""

from contextlib import suppress
from dataclasses import dataclass, field

from bot import admin_progress
from bot.announce import Announcer
from core import logs
from core.errors import ReleaseRefused
from storage import watches
from storage.release_rows import Listed
from training.folder import Phase, RunFolder, State
from training.jobs import Jobs
from training.registry import Registry
from training.rows import DataError

#: Seconds between two looks at the runs.
LOOK = 5.0
#: An end that is older is no news: less than what decides that it is told once is kept
#: (`bot.app.RECEIPTS`), and more than a power cut over the weekend takes.
NEWS = 6 * 86_400.0
#: What is told. Whoever stops a run knows of it.
ENDS: tuple[Phase, ...] = ("done", "failed", "interrupted")


@dataclass(frozen=True, slots=True)
class RunTold:
    """Tells admins, given as (channel, identity in the store), what became of runs."""

    announcer: Announcer
    jobs: Jobs
    registry: Registry
    admins: frozenset[tuple[str, str]]
    #: Ends that need no further look.
    _seen: set[tuple[str, float]] = field(default_factory=set)

    def tick(self, now: float) -> None:
        """Tell of every run that has ended since the last look. Raises StoreError."""
        for run in self.jobs.all():
            with suppress(DataError):  # just being made, or broken
                self._look(run, now)

    def _look(self, run: RunFolder, now: float) -> None:
        state = self.jobs.state(run)
        end = (self.jobs.key(run), state.at)
        if state.phase not in ENDS or now - state.at > NEWS or end in self._seen:
            return
        told = self._tell(run, state, now)
        self._seen.add(end)
        if told:
            logs.event("run.told", run=run.name, phase=state.phase, admins=told)

    def _tell(self, run: RunFolder, state: State, now: float) -> int:
        """Say it once, whichever process looks first; to how many."""
        key, row, result = self.jobs.key(run), self._release(run.name), run.result()
        store, texts = self.announcer.store, self.announcer.texts
        with store.write() as connection:
            if not watches.first(connection, store, key, state.at, now=now):
                return 0
            # A run that came to nothing is the business of those who follow it, if any do.
            alone = state.phase != "done" and watches.followed(connection, key, since=state.at)
            others = watches.bystanders(connection, key, self.admins, since=state.at)
            talks = [] if alone else others
            for talk, language in talks:
                word = admin_progress.ended(texts, language, key, state, row, result)
                self.announcer.notify(connection, talk, word, f"run:{key}", now)
        return len(talks)

    def _release(self, name: str) -> Listed | None:
        with suppress(ReleaseRefused):
            return self.registry.find(name)
        return None
