"""The process of a training run: data, training, release. `training.jobs` starts it.

The composition root of a run, as `bot.app` is that of the service: it alone joins the store, the
guard and the registry with the training, which knows none of them.
"""

import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

from bot.bare import bare
from bot.guard import Guard
from bot.texts import Texts
from bot.writing import LONGEST, PASSAGES
from cli import room
from cli.process import noted, work_on
from core.messages import Past, Source
from core.settings import Settings
from inference.engine import Passage
from knowledge.language import Detector
from knowledge.library import Library
from knowledge.referral import Referral
from storage import consented, corrections
from storage.store import Store, open_store
from training import data, manifest, run
from training.folder import ENDED, Phase, RunFolder
from training.grounding import Ground
from training.manifest import Manifest
from training.registry import Registry, open_registry
from training.rows import Conversation
from training.starter import COUNTRY

#: The store's own conversations as a source of data.
STORE = "store"
#: Answers that may be taught: what clinicians vetted or health workers put right. A model must
#: not learn from itself.
VETTED = (Source.LIBRARY.value, Source.DANGER_SIGN.value, corrections.SOURCE)
ACTOR = "training"
#: What a process becomes once its release is registered.
EXAMINER = "cli.examiner"


@dataclass(frozen=True, slots=True)
class Trainer:
    """Takes one run from its settings to a release that waits for its verdict."""

    folder: RunFolder
    settings: Settings
    store: Store
    registry: Registry

    def work(self) -> bool:
        """Everything that is not done yet; whether it came to its end."""
        if not (self.folder.data / "card.json").exists():
            self.prepare()
        if self.folder.result() is None:
            room.make(self.settings, self.folder, self.folder.config())
            if not run.train(self.folder):
                return False
        self.release()
        return True

    def prepare(self) -> None:
        """Read, clean and split the data. Raises DataError, SettingsError."""
        wanted = self.folder.config()
        self.folder.update(phase="preparing", pid=os.getpid(), detail=", ".join(wanted.data))
        sources = [data.Source.parse(text) for text in wanted.data]
        counted = Counter(self.folder)
        prepared = data.prepare(
            sources,
            tools(self.settings, self.store),
            held_out=wanted.held_out,
            grounded=wanted.grounded,
            on_row=counted,
        )
        data.save(prepared, self.folder.data)

    def release(self) -> None:
        """Seal the adapter and register it as a candidate, named like the run."""
        self.folder.update(phase="saving", detail="registering the release")
        if not (self.folder.adapter / manifest.FILE).exists():
            # PEFT's template of a model card says nothing; ours is written when a release leaves.
            (self.folder.adapter / "README.md").unlink(missing_ok=True)
            manifest.write(self.folder.adapter, self._manifest())
        name = self.registry.add(self.folder.adapter, actor=ACTOR, now=time.time())
        self._forget_words()
        last = "saving" if self.folder.config().evaluate else "done"
        self.folder.update(phase=last, detail=f"release {name}")

    def _manifest(self) -> Manifest:
        wanted, result = self.folder.config(), self.folder.result() or {}
        figures = ("base_loss", "held_out_loss", "train_loss", "seconds", "tokens", "steps")
        return Manifest(
            name=self.folder.name,
            base_model=wanted.model,
            base_revision=str(result.get("revision", "")),
            data=str(self.folder.card().get("hash", "")),
            config=wanted.model_dump(mode="json"),
            metrics={name: float(result[name]) for name in figures if result.get(name) is not None},
            code_version=version(),
            created=time.time(),
        )

    def _forget_words(self) -> None:
        """What people wrote stays in the store alone, where they can erase it."""
        named = (data.Source.parse(text).name for text in self.folder.config().data)
        if STORE in named:
            for name in ("train.jsonl", "held_out.jsonl"):
                (self.folder.data / name).unlink(missing_ok=True)


class Counter:
    """Says in the run's state how many rows have been looked at, twice a second at most."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder, self._said = folder, 0.0

    def __call__(self, count: int) -> None:
        if time.monotonic() - self._said > 0.5:
            self._said = time.monotonic()
            self._folder.update(detail=f"{count:,} conversations looked at")


def tools(settings: Settings, store: Store) -> data.Tools:
    """What judges and grounds the rows: the guard, the detector and the search that serve."""
    detector = Detector.load()
    guard = Guard.load(detector)

    def judge(question: str, answer: str) -> str | None:
        verdict = guard.check(answer, question=question)
        return None if verdict.ok else verdict.reason

    return data.Tools(
        detector.detect,
        judge,
        known_numbers=Referral.load().numbers(),
        ground=ground(settings),
        own={STORE: lambda: from_store(store)},
    )


def ground(settings: Settings) -> Ground:
    """The passages that `bot.writing` shows a model: same library, same number, same length.

    Without the re-ranker: it has a deadline, and data must not depend on how busy a machine was.
    """
    library = Library.load(reviewed_only=settings.library_reviewed_only)
    referral = Referral.load()

    def filled(topic: str, text: str) -> Passage:
        return Passage(topic, referral.fill(text, country=COUNTRY, language="ha"))

    def find(text: str) -> list[Passage]:
        found = library.search(text[:LONGEST]).passages[:PASSAGES]
        return [filled(one.id, one.text) for one in found]

    def passage(topic: str) -> Passage | None:
        return filled(topic, library.passage(topic).text) if topic in library.topics else None

    return Ground(find, passage)


def from_store(store: Store) -> Iterator[Conversation]:
    """The store's own conversations, of those who agreed to it, without the service's own lines."""
    texts = Texts()
    for exchange in consented.exchanges(store, VETTED):
        answer = bare(exchange.answer, texts)
        turns = (Past("user", exchange.question.strip()), Past("assistant", answer))
        yield Conversation(turns, STORE, exchange.message_id)


def version() -> str:
    """The version of this program."""
    from importlib.metadata import version as installed

    return installed("lafiya")


def trainer(settings: Settings, folder: RunFolder) -> Trainer:
    """Wire a run. Raises SettingsError, StoreError."""
    store = open_store(settings.database_url, settings.data_key.get_secret_value())
    return Trainer(folder, settings, store, open_registry(settings, store))


def main(arguments: list[str]) -> int:
    """Work on the run folder named first; an environment file may be named second."""

    def work(settings: Settings, folder: RunFolder) -> bool:
        if not trainer(settings, folder).work():
            return False
        if folder.config().evaluate:
            _examine(arguments)
        return True

    return work_on(arguments, "run.failed", work, _ended)


def _ended(folder: RunFolder, phase: Phase, why: str) -> None:
    """What was said of its end by then stands."""
    if folder.state().phase not in ENDED:
        noted(folder, phase, why)


def _examine(arguments: list[str]) -> None:
    """Become the examination: this process's number, its lock and its log, but not its memory."""
    os.execv(sys.executable, [sys.executable, "-m", EXAMINER, *arguments])  # noqa: S606 -- ours


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
