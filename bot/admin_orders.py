"""The words of the admins' orders about models, and what may follow them.

Pure tables and their reading. Does not know what an order does.
"""

from enum import StrEnum

from knowledge.folding import fold


class Order(StrEnum):
    """What an admin may order."""

    MODELS = "models"
    LOAD = "load"
    COMPARE = "compare"
    SWAP = "swap"
    ROLLBACK = "rollback"
    SET = "set"
    TRAIN = "train"
    PROGRESS = "progress"
    CANCEL = "cancel"
    RESUME = "resume"
    EVALUATE = "evaluate"
    DATA = "data"
    CONSOLE = "console"
    SAVE = "save"
    EXPORT = "export"
    ANSWERS = "answers"
    CORRECT = "correct"


#: The words behind the slash, English and Hausa, folded.
WORDS: dict[str, Order] = {
    **{order.value: order for order in Order},
    "samfura": Order.MODELS,
    "loda": Order.LOAD,
    "kwatanta": Order.COMPARE,
    "musanya": Order.SWAP,
    "koma": Order.ROLLBACK,
    "saita": Order.SET,
    "horar": Order.TRAIN,
    "matsayi": Order.PROGRESS,
    "soke": Order.CANCEL,
    "cigaba": Order.RESUME,
    "jarraba": Order.EVALUATE,
    "kundi": Order.DATA,
    "allo": Order.CONSOLE,
    "adana": Order.SAVE,
    "fitar": Order.EXPORT,
    "amsoshi": Order.ANSWERS,
    "gyara": Order.CORRECT,
}
#: What /set takes: its least and greatest value, and how a value is read.
KNOBS: dict[str, tuple[float, float, type[int] | type[float]]] = {
    "temperature": (0.1, 2.0, float),
    "max_tokens": (50, 500, int),
}


def recognise(text: str) -> tuple[Order, str] | None:
    """The order in a message and what follows its word; None for anything else."""
    first, *rest = text.split(maxsplit=1) or [""]
    order = WORDS.get(fold(first[1:].split("@")[0])) if first.startswith("/") else None
    return (order, rest[0].strip() if rest else "") if order else None


def quotes(text: str) -> bool:
    """Whether an order holds an answer that is meant for others: a sign in it is nobody's."""
    found = recognise(text)
    return found is not None and found[0] is Order.CORRECT


def knob(rest: str) -> tuple[str, str] | None:
    """What /set is to set and the value as it is stored; None when it cannot be set so."""
    words = rest.replace("=", " ").split()
    name = fold(words[0]) if len(words) == 2 else ""
    value = _number(words[1], *KNOBS[name]) if name in KNOBS else None
    return (name, value) if value else None


def release_name(rest: str) -> str:
    """A release's name as phones write it: with a capital, and more words behind it."""
    return rest.split()[0].lower()


def _number(word: str, least: float, most: float, read: type[int] | type[float]) -> str | None:
    """A value in its range as it is stored; None when it is not one. A comma is a point."""
    try:
        value = read(word.replace(",", "."))
    except ValueError:
        return None
    return f"{value:g}" if least <= value <= most else None
