"""An answer that grows in sight: what an engine tells of it is judged, sentence by sentence.

Knows the guard's verdicts. Knows no channel and no table: `bot.drafts` brings people what passes.
"""

from collections.abc import Callable

from bot.guard import Verdict
from bot.guard_text import begun
from core import logs

#: Takes the beginning of an answer, as far as it may be seen: always all of it, from the start.
Show = Callable[[str], None]


class Growing:
    """What an engine tells of its answer (`OnText`): passed on sentence by sentence, once judged.

    Stops the engine as soon as nothing can save the answer; `reason` then says why. `passed` is
    what was passed on, as the engine told it.
    """

    def __init__(self, judge: Callable[[str], Verdict] | None, show: Show | None) -> None:
        """`judge` is the guard's word on a beginning; None shows everything as it comes."""
        self._judge, self._show = judge, show
        self._read = 0
        self._fault: Exception | None = None
        self.reason: str | None = None
        self.passed = ""

    def __call__(self, text: str) -> bool:
        """Never raises: it runs where the engine generates."""
        try:
            return self._look(text)
        except Exception as error:
            self._fault = error
            return False

    def settle(self) -> None:
        """After the engine is done. Raises what judging raised: an unjudged answer is none."""
        if self._fault is not None:
            raise self._fault

    def _look(self, text: str) -> bool:
        if self.reason or self._fault:
            return False
        if self._judge is None:
            self._pass_on(text)
            return True
        known = begun(text)
        if len(known) > self._read:
            self._read = len(known)
            verdict = self._judge(known)
            self.reason = verdict.reason
            if verdict.ok:
                self.passed = known
                self._pass_on(verdict.text)
        return self.reason is None

    def _pass_on(self, text: str) -> None:
        if self._show is None:
            return
        try:
            self._show(text)
        except Exception as error:
            logs.crash("draft.failed", error)
            self._show = None
