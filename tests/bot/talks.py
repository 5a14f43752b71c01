"""Turns of every sort: what several tests run through."""

from itertools import product

from bot.commands import Command
from core.messages import Choice, Kind, Past, Turn

MENU = (Choice("erase:yes", "Eh"), Choice("erase:no", "A'a"))
WORDS = {
    "question": "Yaya ake hana malaria?",
    "likely": "kusan malaria da zazzabi",
    "unsure": "malaria ko zazzabi ko gudawa",
    "unknown": "ina da ciwon kunne",
    "off topic": "wa ya ci kwallo",
    "French": "bonjour mes amis",
    "English": "what should I do about my ear",
    "danger": "Yarona yana suma",
    "danger the same day": "ciwon zuciya tun jiya",
    "danger in context": "yaya ake hana suma",
    "greeting": "sannu",
    "salam": "assalamu alaikum",
    "thanks": "na gode",
    "empty": "",
    "emoji": "🤒",
    "Ajami": "ينا چيوون كاي",
    "5 KB": "abc def " * 640,
    "yes": "eh",
    "number": "1",
    **{f"/{command.value}": f"/{command.value}" for command in Command},
}
STATES = {
    "known": Turn("", service=True, training_asked=True, answered=3, topic="fever-adult"),
    "new": Turn(""),
    "refused": Turn("", service=False),
    "stopped": Turn("", service=True, stopped=True),
    "flooding": Turn("", service=True, last_minute=99),
    "with a menu": Turn("", service=True, menu=MENU),
    "second answer": Turn("", service=True, answered=1, past=(Past("user", "sannu"),)),
    "waiting": Turn("", waiting_text="malaria", menu=(Choice("service:yes", "Na yarda"),)),
    "on the page": Turn("", consent_on_page=True, country="NE"),
    "edited": Turn("", service=True, edited=True, country="NG"),
}


def _with(turn: Turn, **changes: object) -> Turn:
    fields = {name: getattr(turn, name) for name in Turn.__slots__}
    return Turn(**{**fields, **changes})


TURNS = [
    *(
        (f"{state}: {word}", _with(turn, text=text))
        for (state, turn), (word, text) in product(STATES.items(), WORDS.items())
    ),
    *(
        (f"{kind}: {word}", _with(STATES["known"], kind=kind, text=WORDS[word]))
        for kind, word in product(Kind, ("empty", "question", "danger"))
    ),
]
#: The same, by the state they are in: one test goes through one state.
TALKS = {
    state: [(label, turn) for label, turn in TURNS if label.partition(":")[0] == state]
    for state in dict.fromkeys(label.partition(":")[0] for label, _ in TURNS)
}
