"""Facilities by name: for who asks for the nearest one, and under answers that send people there.

Knows how people ask for a facility and where in a conversation they said where they are. Does not
know any facility: without the operator's file nothing here ever speaks.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from bot.effects import Outcome
from bot.mind import Mind
from core.messages import Answer, Reply, Source, Turn
from knowledge.facilities import Facility
from knowledge.folding import fold
from knowledge.places import Place

ASKED: Final = 4
NOTED: Final = 2
LONGEST: Final = 300
MARK: Final = "• "
_HOUSE: Final = (
    r"(?:asibit\w*|clinics?|klinik\w*|kiliniki\w*|hospitals?|phc|csi|cibiyar lafiya|"
    r"cibiyoyin lafiya|health (?:centers?|centres?|facility|post)|dakin shan magani|gidan magani)"
)
# On folded text. "Ina asibiti" may also mean "I am in hospital": alone it asks for nothing.
_WHERE: Final = re.compile(
    rf"\b{_HOUSE}\b(?: \w+){{0,3}} (?:mafi kusa|kusa|makusan\w*|nearest|nearby|near|close)\b"
    rf"|\b(?:mafi kusa|nearest|closest)\b(?: \w+){{0,2}} {_HOUSE}\b"
    r"|\b(?:ina|where)\b(?: \w+)? (?:akwai|samu|samun|sami|nemi|nemo|ganin|is|are|can|find)\b"
    rf"(?: \w+){{0,3}} {_HOUSE}(?: (?:a|in|na|at|nan|kusa|mai kyau)\b.*)?\W*$"
    rf"|\b(?:wane|wanne|wace|which) {_HOUSE}\b(?: \w+){{0,3}} (?:je|zuwa|go|tafi|kusa|akwai)\b"
    rf"|\b(?:sunan|sunayen|adireshin|lambar|list of|names? of) {_HOUSE}\b"
    rf"|^{_HOUSE}(?: \w+)? (?:a|in|na) \w+(?: \w+){{0,3}}\W*$"
)


def asked(turn: Turn, mind: Mind) -> Outcome | None:
    """The answer to "where is the nearest clinic", or to our question where somebody is."""
    if not mind.facilities or len(turn.text) > LONGEST:
        return None
    places = mind.facilities.places.alone(turn.text)
    if not places and not _WHERE.search(fold(turn.text)):
        return None
    places = places or _places(turn, mind)
    if not places:
        return Outcome(mind.service(turn, "nearby-ask"))
    rows = mind.facilities.at(places)[:ASKED]
    text = _list(turn, mind, places, rows) if rows else _none(turn, mind, places)
    return Outcome(Answer(Reply(text), Source.SERVICE, reason="nearby"))


def named(turn: Turn, mind: Mind, outcome: Outcome) -> Outcome:
    """The outcome with facilities under it, when it sends people to one of a place that they named.

    In an emergency whose place is not known, a last line says that it may be told.
    """
    answer = outcome.answer
    urgent = answer.source is Source.DANGER_SIGN
    if not mind.facilities or not (urgent or answer.source in (Source.LIBRARY, Source.MODEL)):
        return outcome
    places = _places(turn, mind)
    rows = [
        row for row in mind.facilities.at(places, urgent=urgent) if urgent or not _shown(turn, row)
    ]
    if rows:
        note = _list(turn, mind, places, rows[:NOTED])
    elif urgent and not places:
        note = mind.say(turn, "nearby-tell")
    else:
        return outcome
    return replace(outcome, answer=replace(answer, reply=answer.reply.with_note(note)))


def _places(turn: Turn, mind: Mind) -> tuple[Place, ...]:
    """Where the person is, by what they wrote last about it."""
    said = (mind.facilities.places.find(text) for text in _said(turn))
    return next(filter(None, said), ())


def _said(turn: Turn) -> Iterator[str]:
    yield turn.text[:LONGEST]
    yield from (past.text[:LONGEST] for past in reversed(turn.past) if past.role == "user")


def _shown(turn: Turn, row: Facility) -> bool:
    return any(str(row) in past.text for past in turn.past if past.role != "user")


def _list(turn: Turn, mind: Mind, places: Sequence[Place], rows: Sequence[Facility]) -> str:
    head = mind.say(turn, "nearby-list", place=_names(turn, mind, places))
    return "\n".join([head, *(f"{MARK}{row}" for row in rows)])


def _none(turn: Turn, mind: Mind, places: Sequence[Place]) -> str:
    return mind.say(turn, "nearby-none", place=_names(turn, mind, places))


def _names(turn: Turn, mind: Mind, places: Sequence[Place]) -> str:
    return f" {mind.say(turn, 'nearby-or')} ".join(map(str, places))
