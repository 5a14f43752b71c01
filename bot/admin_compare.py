"""/compare: one question to the base model, the live release and the candidate, side by side.

Nobody else is disturbed: each request names its release, and the live one goes on answering people.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from bot.mind import Mind
from bot.releases import CANDIDATE, Keeper
from bot.writing import written
from core.errors import EngineError, ReleaseRefused
from core.messages import Turn
from inference.engine import BASE, Generation, Only
from training.registry import Registry

OPEN = ("candidate", "passed", "failed")


@dataclass(frozen=True, slots=True)
class Contender:
    """A release in its role ("base", "live", "candidate"), and what it said."""

    release: str
    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Contest:
    """Asks the contenders. `staged` makes a release resident: whether it is, after a while."""

    registry: Registry
    keeper: Keeper
    staged: Callable[[str], bool]

    def text(self, question: str, turn: Turn, mind: Mind) -> str:
        """Every contender's answer under its name."""
        return "\n\n".join(
            f"{mind.say(turn, f'admin-role-{said.role}', release=said.release)}\n{said.text}"
            for said in self.answers(question, turn, mind)
        )

    def answers(self, question: str, turn: Turn, mind: Mind) -> list[Contender]:
        """What every contender says, guarded as people's answers are."""
        asked = replace(turn, text=question, past=(), choice=None)
        contenders = list(self._contenders())
        with ThreadPoolExecutor(len(contenders)) as pool:
            answers = pool.map(lambda one: self._ask(one[0], asked, mind), contenders)
        return [Contender(*one, answer) for one, answer in zip(contenders, answers, strict=True)]

    def _contenders(self) -> Iterator[tuple[str, str]]:
        """(release, role), no release twice; the candidate is the one loaded, else the newest."""
        yield BASE, "base"
        wanted, rows = self.keeper.look(), self.registry.listed()
        live = wanted.pointer.release
        if live:
            yield live, "live"
        loaded = wanted.tuning.get(CANDIDATE)
        open_ = [row.name for row in rows if row.state in OPEN]
        candidates = [name for name in (loaded, *open_) if name and name != live]
        if candidates:
            yield candidates[0], "candidate"

    def _ask(self, name: str, turn: Turn, mind: Mind) -> str:
        """One release's answer as people would get it, or why there is none."""
        try:
            if not self.staged(name):
                return mind.say(turn, "admin-loading", release=name)
        except (EngineError, ReleaseRefused) as error:
            return mind.say(turn, "admin-no-answer", reason=str(error))
        only = replace(mind, engine=Only(mind.engine, name))
        answer = written(turn, only, mind.library.search(turn.text))
        if isinstance(answer, Generation):
            return answer.text
        return mind.say(turn, "admin-no-answer", reason=answer)
