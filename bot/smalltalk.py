"""Courtesy: which whole messages are a greeting, a salam or thanks, and nothing besides.

A question after a greeting is a question: "assalamu alaikum, malaria" is about malaria. Knows
words only; what is said back is the conversation's.
"""

import re
from enum import StrEnum

from bot.commands import bare


class Courtesy(StrEnum):
    """A kind of courtesy; its value is the key of the reply."""

    GREETING = "greeting"
    SALAM = "greeting-salam"
    THANKS = "thanks"


GREETINGS = (
    "sannu",
    "sannunku",
    "sannu da aiki",
    "barka",
    "barka da safiya",
    "barka da rana",
    "barka da yamma",
    "barka da dare",
    "barka da war haka",
    "ina kwana",
    "ina kwananku",
    "ina wuni",
    "ina yini",
    "ina kwana lafiya",
    "yaya dai",
    "ya dai",
    "hello",
    "hi",
    "hey",
    "good morning",
    "good evening",
    "kwana lafiya",
    "lafiya",
    "yaya kuke",
    "ya kuke",
    "ina gajiya",
)
THANKS = (
    "na gode",
    "nagode",
    "mun gode",
    "mungode",
    "na gode sosai",
    "nagode sosai",
    "mun gode sosai",
    "na gode kwarai",
    "madalla",
    "to na gode",
    "to nagode",
    "thanks",
    "thank you",
    "allah ya saka",
    "allah ya saka da alheri",
)
#: What follows a greeting ("Ina kwana, ya gida, kwana biyu") and what stands around thanks.
_AFTER_GREETING = (
    *("ya gida", "ya aiki", "ya iyali", "ya yara", "ya kasuwa", "ya hanya", "ya gajiya"),
    *("ya sanyi", "ya zafi", "yaya gida", "yaya aiki", "yaya iyali", "kwana biyu", "shiru"),
)
_AROUND_THANKS = (
    *("ok", "okay", "to", "toh", "shikenan", "madallah", "sosai", "sai anjima", "sai an jima"),
    *("sai gobe", "sai da safe", "bye", "allah ya kara basira"),
)


def _any(*lists: tuple[str, ...]) -> str:
    """A pattern for the longest phrase of `lists`; it never tries a shorter one afterwards."""
    said = sorted({bare(phrase) for phrases in lists for phrase in phrases}, key=len, reverse=True)
    return f"(?>{'|'.join(map(re.escape, said))})"


_GREETING = re.compile(f"{_any(GREETINGS)}(?: {_any(GREETINGS, _AFTER_GREETING)})*+")
_THANKING = re.compile(
    f"(?:{_any(_AROUND_THANKS)} )*+{_any(THANKS)}(?: {_any(THANKS, _AROUND_THANKS)})*+"
)
#: "Assalamu alaikum wa rahmatullahi wa barakatuhu" as it is spelt, whole or cut short.
_SALAM = re.compile(
    r"(?:as+al\w*|salam[aeiou]?|aslm|slm)(?: *(?:w?al\w*k\w*m\w*|alk\w*))?"
    r"(?: +wa? *rahm\w*(?: +\w*llah\w*)?)?(?: +(?:wa? *)?barak\w*)?(?: |$)"
)


def courtesy(text: str) -> Courtesy | None:
    """The courtesy that a whole message is, or None when it says anything more."""
    words = bare(text)
    if _THANKING.fullmatch(words):
        return Courtesy.THANKS
    salam = _SALAM.match(words)
    if salam and (salam.end() == len(words) or _GREETING.fullmatch(words, salam.end())):
        return Courtesy.SALAM
    return Courtesy.GREETING if _GREETING.fullmatch(words) else None
