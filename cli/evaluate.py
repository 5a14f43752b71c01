"""`lafiya evaluate`: a release's examination, its report, and the gate's verdict."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot import conversation, parts
from bot.mind import Mind
from bot.texts import Texts
from cli.releases import opened, say
from cli.trainer import ground
from core.errors import EngineError, LafiyaError, ReleaseUnusable
from core.messages import Turn
from core.settings import Settings
from inference.choose import choose
from inference.engine import BASE, Engine, Generation, Only, OnText, Request
from training import data, gate, report
from training.cases import Case, cases
from training.choices import read
from training.config import config
from training.curve import NoPlotter
from training.evaluate import Examined, Said, examine
from training.folder import RunFolder
from training.registry import Registry, Report
from training.report_files import PAGE, PICTURE
from training.rows import Conversation

if TYPE_CHECKING:
    from training.gemma.loss import Known

WAIT = 0.2
#: Held-out questions that are asked unless somebody says otherwise.
MOST = 100
#: Questions in the air at once: the engine answers them in one batch.
AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Examination:
    """Examines releases in this process and writes the verdict to the registry."""

    settings: Settings
    registry: Registry
    say: Callable[[str], None]
    #: Told of every question that was answered: how many by now, and how many there are in all.
    asked: Callable[[int, int], None] = lambda count, questions: None
    #: Files or hub sets of multiple-choice questions (`training.choices`).
    choices: tuple[str, ...] = ()

    def run(self, name: str, *, most: int, actor: str) -> tuple[Report, Path]:
        """Examine one release beside base and live; the verdict, and our copy of its report.

        Raises ReleaseRefused, ReleaseUnusable, EngineError, DataError.
        """
        limits = gate.read(Path(self.settings.gate) if self.settings.gate else None)
        name = self.registry.find(name).name
        rows = self._held_out(name)
        questions = cases(rows, most=most)
        names = self._contenders(name)
        known = self._known(names, rows)
        with self._engine(names) as mind:
            examined = [
                self._examined(number, one, len(names), questions, mind, known.get(one))
                for number, one in enumerate(names)
            ]
        live = examined[1].figures if len(examined) == 3 else None
        verdict = gate.judge(examined[-1].figures, examined[0].figures, live, limits)
        folder = self._written(name, examined, verdict, questions)
        verdict = replace(verdict, files=_files(folder))
        try:
            self.registry.judge(name, verdict, actor=actor, now=time.time())
        except ReleaseUnusable as error:
            raise ReleaseUnusable(
                f"{error}; no verdict was recorded, and the report lies only in {folder}"
            ) from None
        return verdict, folder

    def _contenders(self, name: str) -> list[str]:
        live = self.registry.pointer().release
        return [BASE, *([live] if live and live != name else []), name]

    def _held_out(self, name: str) -> Sequence[Conversation]:
        """The run's own held-out questions; for a release from elsewhere, the starter set's."""
        kept = RunFolder(Path(self.settings.runs) / name).data / "held_out.jsonl"
        if kept.exists():
            return data.load(kept)
        tools = data.Tools(
            lambda text: "ha", lambda question, answer: None, ground=ground(self.settings)
        )
        share = config({}).grounded
        return data.prepare([data.Source(data.STARTER)], tools, grounded=share).held_out

    def _known(self, names: Sequence[str], rows: Sequence[Conversation]) -> "dict[str, Known]":
        if self.settings.engine == "openai" or find_spec("torch") is None:
            self.say("no model in this process: losses and choices are not measured")
            return {}
        from training.gemma.loss import known

        choices = [one for source in self.choices for one in read(source)]
        self.say(f"losses on the held-out questions; {len(choices)} multiple-choice questions")
        adapters = {one: Path(self.registry.fetch(one).folder) for one in names if one != BASE}
        most = rows[: self.settings.evaluate_rows]
        quantize = self.settings.quantize
        return known(self.settings.model, adapters, most, choices, quantize=quantize)

    @contextmanager
    def _engine(self, names: Sequence[str]) -> Iterator[Mind]:
        """What answers, with every contender resident, asked as people's questions are."""
        engine = choose(self.settings)
        try:
            self.say(f"engine: {_ready(engine).detail}")
            for one in names:
                if one != BASE:
                    engine.load(self.registry.fetch(one))
            # The library would answer the held-out questions itself: the model is examined here.
            asked = self.settings.model_copy(update={"library_direct": False})
            yield parts.make_mind(asked, engine, Texts())
        finally:
            engine.close()

    def _examined(
        self,
        number: int,
        release: str,
        releases: int,
        questions: Sequence[Case],
        mind: Mind,
        known: "Known | None",
    ) -> Examined:
        def told(count: int) -> None:
            self.asked(number * len(questions) + count, releases * len(questions))
            if count % 20 == 0 or count == len(questions):
                self.say(f"{release}: {count} of {len(questions)} questions")

        loss, choice = (known.loss, known.choice) if known else (None, None)
        ask = Asker(mind)
        return examine(
            release, questions, ask, loss=loss, choice=choice, at_once=AT_ONCE, on_case=told
        )

    def _written(
        self, name: str, examined: Sequence[Examined], verdict: Report, questions: Sequence[Case]
    ) -> Path:
        folder = Path(self.settings.runs) / name / "evaluation"
        folder.mkdir(parents=True, exist_ok=True)
        page = report.markdown(examined, verdict, questions)
        (folder / PAGE).write_text(page, "utf-8")
        self._draw(examined, folder / PICTURE)
        with (folder / "answers.jsonl").open("w", encoding="utf-8") as file:
            for row in _rows(examined, questions):
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
        return folder

    def _draw(self, examined: Sequence[Examined], file: Path) -> None:
        """An hour's answers are not thrown away for want of a picture."""
        file.unlink(missing_ok=True)
        try:
            report.picture(examined, file)
        except NoPlotter as error:
            self.say(f"no picture: {error}")


class Asker:
    """Asks a release as a person would be answered, and hears what the model itself said."""

    def __init__(self, mind: Mind) -> None:
        self._mind = mind

    def __call__(self, release: str, question: str) -> Said:
        """Raises EngineError when the engine gave no answer: a figure without it would lie."""
        heard = Heard(self._mind.engine, release)
        turn = Turn(question, service=True, noticed=True, training_asked=True)
        started = time.monotonic()
        answer = conversation.answer(turn, replace(self._mind, engine=heard)).answer
        reason = answer.reason or ""
        if heard.error:
            raise heard.error
        return Said(
            heard.text,
            answer.reply.text,
            answer.source.value,
            reason.removeprefix("guard:") if reason.startswith("guard:") else None,
            answer.danger_sign,
            time.monotonic() - started,
        )


class Heard(Only):
    """Asks one release and keeps the words that came back, before the guard."""

    def __init__(self, engine: Engine, release: str) -> None:
        super().__init__(engine, release)
        self.text: str | None = None
        self.error: EngineError | None = None

    def generate(self, request: Request, on_text: OnText | None = None) -> Generation:
        """As the engine's own, of this release."""
        try:
            written = super().generate(request, on_text)
        except EngineError as error:
            self.error = error
            raise
        self.text = written.text
        return written


@click.command()
@click.argument("name")
@click.option("--most", default=MOST, show_default=True, help="Held-out questions to ask.")
@click.option(
    "--choices", multiple=True, metavar="FILE", help="Multiple-choice questions; or owner/name:part"
)
@click.option("--json", "as_json", is_flag=True, help="The verdict as one JSON object.")
@click.pass_obj
def evaluate(
    settings: Settings, name: str, most: int, choices: tuple[str, ...], as_json: bool
) -> None:
    """Examine release NAME beside base and live, and let the gate judge it. Exit 1: failed."""
    with opened(settings, as_json) as office:
        examination = Examination(
            settings, office.registry, lambda text: click.echo(text, err=True), choices=choices
        )
        verdict, folder = examination.run(name, most=most, actor=office.actor(None))
        lines = verdict.files[PAGE].decode().partition("\n## ")[0]
        found = {"release": name, **_told(verdict), "folder": str(folder)}
        say(found, [lines, f"The whole report: lafiya releases report {name}"], as_json)
    if not verdict.passed:
        raise click.exceptions.Exit(1)


def _told(verdict: Report) -> dict[str, Any]:
    return {
        "passed": verdict.passed,
        "reasons": list(verdict.reasons),
        "metrics": dict(verdict.metrics),
    }


def _files(folder: Path) -> dict[str, bytes]:
    files = (folder / PAGE, folder / PICTURE)
    return {file.name: file.read_bytes() for file in files if file.exists()}


def _ready(engine: Engine) -> Any:
    """The engine's status once its model is there. Raises LafiyaError when it will not be."""
    while True:
        status = engine.status()
        if status.ready:
            if status.name == "library":
                raise LafiyaError(f"there is no model to examine: {status.detail}")
            return status
        if status.progress is None:
            raise LafiyaError(f"the engine cannot start: {status.detail}")
        time.sleep(WAIT)


def _rows(examined: Sequence[Examined], questions: Sequence[Case]) -> Iterator[dict[str, Any]]:
    for case in questions:
        for one in examined:
            said = one.said[case.id]
            yield {
                "id": case.id,
                "release": one.figures.release,
                "source": said.source,
                "refused": said.refused,
                "seconds": round(said.seconds, 3),
                "raw": said.raw,
                "shown": said.shown,
            }
