"""The words that are orders to the service, not questions: slash commands and plain Hausa.

A table and a whole-message match on folded text: "tsaya" alone is an order, "zuciyata ta tsaya" is
not. Does not know what an order does.
"""

import re
from enum import StrEnum

from knowledge.folding import fold


class Command(StrEnum):
    """What can be asked of the service."""

    START = "start"
    HELP = "help"
    EMERGENCY = "emergency"
    STOP = "stop"
    ERASE = "erase"
    DATA = "data"
    LANGUAGE = "language"
    HAUSA = "hausa"
    ENGLISH = "english"
    TRAINING = "training"
    MORE = "more"
    STATUS = "status"


#: Words as people write them; matching is on folded text, so hooks and capitals do not matter.
WORDS: dict[Command, tuple[str, ...]] = {
    Command.START: ("start", "fara", "sake farawa", "ci gaba", "a ci gaba", "mu fara", "unstop"),
    Command.HELP: ("help", "taimako", "menu", "umarni", "yaya ake amfani da wannan", "info"),
    Command.EMERGENCY: ("gaggawa", "emergency", "taimakon gaggawa", "lambar gaggawa", "sos"),
    Command.STOP: (
        "stop",
        "tsaya",
        "dakata",
        "daina",
        "a daina",
        "ku daina",
        "ku tsaya",
        "ku dakata",
        "ya isa haka",
        "janye",
        "ku daina turo min sako",
        "ku daina turo mini sako",
        "a daina turo min sako",
        "a daina turo mini sako",
        "ku daina aiko min da sako",
        "ku daina aiko mini da sako",
        "ku daina damuna",
        "bana son sakonku",
        "ba na son sakonku",
        "bana son wannan sakon",
        "ba na son wannan sakon",
        "unsubscribe",
        "stop all",
        "stopall",
        "cancel",
        "end",
        "quit",
    ),
    Command.ERASE: (
        "goge",
        "goge ni",
        "erase",
        "erase me",
        "delete",
        "delete me",
        "delete my data",
        "goge bayanaina",
        "ku goge bayanaina",
        "goge sakonnina",
        "ku goge sakonnina",
        "ku goge komai",
        "goge komai",
        "a goge komai",
        "ina so a goge bayanaina",
        "ina so ku goge bayanaina",
        "ku share bayanaina",
        "share bayanaina",
    ),
    Command.DATA: (
        "bayanaina",
        "bayanai na",
        "my data",
        "mydata",
        "data",
        "ina bayanaina",
        "ku ba ni bayanaina",
        "nuna min bayanaina",
        "ku nuna min bayanaina",
        "me kuka adana game da ni",
    ),
    Command.LANGUAGE: ("harshe", "language", "yare", "canza harshe"),
    Command.HAUSA: ("hausa", "da hausa", "ku yi min hausa"),
    Command.ENGLISH: ("english", "turanci", "da turanci", "in english", "speak english"),
    Command.TRAINING: ("gudummawa", "gudunmawa", "gudunmuwa", "contribute", "training"),
    Command.MORE: ("kari", "karin bayani", "more", "ina son karin bayani", "ci gaba da bayani"),
    Command.STATUS: ("status", "yanayi"),
}
#: Slash commands: the English id and the Hausa words that Telegram's command menu shows.
SLASH: dict[str, Command] = {
    **{command.value: command for command in Command},
    "fara": Command.START,
    "taimako": Command.HELP,
    "gaggawa": Command.EMERGENCY,
    "tsaya": Command.STOP,
    "dakata": Command.STOP,
    "janye": Command.STOP,
    "goge": Command.ERASE,
    "bayanaina": Command.DATA,
    "harshe": Command.LANGUAGE,
    "gudummawa": Command.TRAINING,
    "kari": Command.MORE,
    "yanayi": Command.STATUS,
}
#: What Telegram shows behind its / button, most wanted first.
MENU = ("taimako", "gaggawa", "kari", "harshe", "bayanaina", "gudummawa", "tsaya", "fara", "goge")
YES = ("eh", "i", "e", "ee", "yes", "na yarda", "mun yarda", "to", "ok", "okay", "toh", "na amince")
NO = ("a a", "aa", "no", "ban yarda ba", "ba na so", "bana so", "ban amince ba", "na ki")

_POLITE = re.compile(r"\b(don allah|dan allah|please|pls|plz|likita|doctor)\b")
_NOT_WORDS = re.compile(r"[^\w\s]+|_")


def bare(text: str) -> str:
    """The folded words of a message without punctuation and "please"."""
    words = _NOT_WORDS.sub(" ", fold(text))
    return " ".join(_POLITE.sub(" ", words).split())


_LOOKUP = {bare(word): command for command, words in WORDS.items() for word in words}
_YES = frozenset(bare(word) for word in YES)
_NO = frozenset(bare(word) for word in NO)


def recognise(text: str) -> Command | None:
    """The order that a whole message is, or None. Telegram's `/help@name` counts as `/help`."""
    stripped = text.strip()
    if stripped.startswith("/"):
        word = fold(stripped[1:].split()[0].split("@")[0]) if stripped[1:].split() else ""
        return SLASH.get(word)
    if len(stripped) > 60:
        return None
    return _LOOKUP.get(bare(stripped))


def yes_or_no(text: str) -> bool | None:
    """Whether a whole message says yes or no; None for anything else."""
    words = bare(text)
    return True if words in _YES else False if words in _NO else None
