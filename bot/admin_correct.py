"""The admins' orders about answers: /answers shows some, /correct puts one right.

Only what may be taught is shown: answers of the model or none at all, to people who agreed to
training. A correction must pass the guard that a model's answer has to pass.
"""

from dataclasses import dataclass, replace

from bot.bare import bare
from bot.effects import Effect, Show
from bot.mind import Mind
from bot.texts import Texts
from core.messages import Reply, Source, Turn
from storage import corrections
from storage.consented import Exchange
from storage.store import Store

#: Whose answers may need it: what clinicians vetted is corrected in the library.
SOURCES = (Source.MODEL.value, Source.FALLBACK.value)
MOST = 3
#: A question and an answer as they are shown; and the longest answer that is taught.
LONGEST_SHOWN, LONGEST = 500, 1500


@dataclass(frozen=True, slots=True)
class Correcting:
    """Carries out the orders."""

    store: Store

    def found(self, most: int, texts: Texts) -> list[Exchange]:
        """The newest answers that may be corrected, whole and bare. Raises StoreError."""
        found = corrections.recent(self.store, SOURCES, most=most)
        return [replace(one, answer=bare(one.answer, texts)) for one in found]

    def answers(self, turn: Turn, mind: Mind) -> tuple[Reply, tuple[Effect, ...]]:
        """The newest answers that may be corrected. Raises StoreError."""
        found = self.found(MOST, mind.texts)
        if not found:
            return Reply(mind.say(turn, "admin-answers-none")), ()
        texts = tuple(self._shown(exchange, turn, mind) for exchange in found)
        return Reply(mind.say(turn, "admin-answers", count=len(texts))), (Show(texts),)

    def correct(self, rest: str, turn: Turn, mind: Mind, *, now: float) -> Reply:
        """Keep the right answer for the next training. Raises StoreError."""
        number, _, text = rest.lstrip("#").partition(" ")
        answer = text.strip()
        if not (number.isascii() and number.isdigit() and answer) or len(answer) > LONGEST:
            return Reply(mind.say(turn, "admin-usage-correct", longest=LONGEST))
        exchange = corrections.find(self.store, min(int(number), 2**62))
        if exchange is None:
            return Reply(mind.say(turn, "admin-correct-unknown", number=number))
        verdict = mind.guard.check(answer, question=exchange.question)
        if not verdict.ok:
            reason = verdict.reason or "–"
            return Reply(mind.say(turn, "admin-correct-guard", number=number, reason=reason))
        kept = corrections.put(self.store, exchange.message_id, answer, actor=turn.actor, now=now)
        said = "admin-corrected" if kept else "admin-correct-unknown"
        return Reply(mind.say(turn, said, number=number))

    def _shown(self, exchange: Exchange, turn: Turn, mind: Mind) -> str:
        return mind.say(
            turn,
            "admin-shown",
            number=str(exchange.message_id),
            question=exchange.question[:LONGEST_SHOWN],
            answer=exchange.answer[:LONGEST_SHOWN],
        )
