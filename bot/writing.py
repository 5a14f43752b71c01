"""A model's answer to a question: asked with all that is known, judged as it grows and at its end.

Knows the engine's port and the guard's. Whatever goes wrong is a reason, never an exception: the
conversation then answers with vetted words.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from bot.bare import bare
from bot.guard import WORDS_TO_JUDGE, Verdict
from bot.guard_text import cut_off, ended
from bot.mind import Guard, Mind
from bot.streaming import Growing, Show
from core import logs
from core.errors import EngineAbsent, EngineBusy, EngineError, EngineTimeout
from core.messages import Past, Turn
from inference.engine import Generation, Passage, Request
from knowledge import person
from knowledge.folding import tokens
from knowledge.library import Match

#: Characters of a question that the library and a model are shown.
LONGEST = 3_000
PASSAGES = 3


def written(turn: Turn, mind: Mind, match: Match, show: Show | None = None) -> Generation | str:
    """What the model wrote, as the guard lets it pass; else why there is nothing to show.

    `show` is given the answer as it grows, never more of it than the guard has passed.
    """
    try:
        return _written(turn, mind, match, show)
    except EngineError as error:
        return _why(error)
    except Exception as error:
        logs.crash("engine.failed", error)
        return "engine_failed"


def _written(turn: Turn, mind: Mind, match: Match, show: Show | None) -> Generation | str:
    request = _request(turn, mind, match)
    judge, verbatim = Judge(mind.guard, request), mind.engine.verbatim
    growing = Growing(None if verbatim else judge.begin, show)
    try:
        generation = mind.engine.generate(request, growing)
    except EngineTimeout as late:
        growing.settle()
        return _by_then(growing, judge, late)
    growing.settle()
    if verbatim:
        return generation if generation.text.strip() else "engine_empty"
    if growing.reason:
        return f"guard:{growing.reason}"
    text = cut_off(generation.text) if generation.end == "length" else generation.text
    verdict = judge.check(text)
    return replace(generation, text=verdict.text) if verdict.ok else f"guard:{verdict.reason}"


def _by_then(growing: Growing, judge: "Judge", late: EngineTimeout) -> Generation | str:
    """The whole sentences that the guard had passed by the deadline, where they can stand alone:
    the whole guard passes them, and they are enough for it to have sent the person to a health
    worker. A sentence that it had not passed yet, and a list that broke off, stay out.
    """
    if growing.reason:
        return f"guard:{growing.reason}"
    text = ended(growing.passed)
    if late.release is None or len(tokens(text)) < WORDS_TO_JUDGE:
        return "engine_timeout"
    verdict = judge.check(text)
    return Generation(verdict.text, late.release, "late") if verdict.ok else "engine_timeout"


@dataclass(frozen=True, slots=True)
class Judge:
    """The guard, with what one answer is judged by."""

    guard: Guard
    request: Request

    def begin(self, text: str) -> Verdict:
        """What may be seen of an answer that is being written; or why it may be stopped."""
        return self._ask(self.guard.begin, text)

    def check(self, text: str) -> Verdict:
        """What may be shown of a whole answer, or why nothing may."""
        return self._ask(self.guard.check, text)

    def _ask(self, word: Callable[..., Verdict], text: str) -> Verdict:
        asked, vetted = self.request, [passage.text for passage in self.request.passages]
        return word(text, passages=vetted, language=asked.language, question=asked.question)


def _request(turn: Turn, mind: Mind, match: Match) -> Request:
    question = turn.text[:LONGEST]
    found = match.passages[:PASSAGES]
    return Request(
        question=question,
        past=_said(turn, mind),
        passages=tuple(Passage(one.id, mind.fill(turn, one.text)) for one in found),
        person=person.line(question, turn.past),
        language=turn.language,
        deadline=mind.policy.deadline,
        sampling=mind.sampling(),
    )


def _said(turn: Turn, mind: Mind) -> tuple[Past, ...]:
    """What was said before, with the answers as a model is taught them."""
    said = (
        past if past.role == "user" else replace(past, text=bare(past.text, mind.texts))
        for past in turn.past
    )
    return tuple(past for past in said if past.text)


def _why(error: EngineError) -> str:
    reasons = {EngineAbsent: "no_model", EngineBusy: "engine_busy", EngineTimeout: "engine_timeout"}
    return reasons.get(type(error), "engine_error")
