"""What the passages tell people not to do, so that no answer may tell them to do it.

Knows how a prohibition is put in Hausa ("kada a shafa toka, man ja ko kwai") and which verbs do the
same thing. Works on the guard's plain text. Knows no single practice: those are in the passages.
"""

import functools
import re
from collections.abc import Iterator
from typing import Final

_STOPS: Final = re.compile(r"[.;:!?()]|\bsai dai\b|\bamma\b|\bdomin\b|\bsaboda\b")
_BANNED: Final = re.compile(r"\b(?:kada|kar) (?:a|ku|ka|ki) (?:rika |taba |yi ta )?(?=\w)")
# From here on it says when or how: an answer may well speak of other times and other ways.
_MANNER: Final = re.compile(
    r"\b(?:idan|in|sai|kafin|har|ba tare da|lokacin|yayin|bayan|fiye da|kasa da|da yawa|kawai|kadai"
    r"|sosai|da sauri|da karfi|daga|don|haka|bisa)\b"
)
_ALSO: Final = re.compile(r",? \bko a |, a ")
_ITEMS: Final = re.compile(r",| ko ")
_TOLD: Final = r"(?<!\w)(?<!\bba )(?:a|ku|ka|ki|ana|iya|rika|ya kamata a|yi) (?:rika )?"
_BETWEEN: Final = r"[^.;:!?]{0,40}?"
_WORD: Final = re.compile(r"\w+")
_SHORTEST: Final = 3
# An answer that is still being written is judged again and again by the same passages.
_REMEMBERED: Final = 512
#: So many telling words of a prohibition must come back: "yaro aspirin", not only "yaro".
_TELLING: Final = 2
_SAME: Final = (
    ("sa", "saka", "sanya", "dora", "shafa", "zuba", "goga", "diga"),
    ("sha", "shan", "shanye", "hadiye"),
    ("ba", "bai", "baiwa"),
    ("daina", "bar", "bari", "tsayar", "dakatar", "katse", "dakata"),
    ("daure", "daura", "dauri"),
    ("yanka", "tsaga", "yanke", "tsage", "fasa", "huda"),
)
_VERBS: Final = {verb: "|".join(group) for group in _SAME for verb in group}
_EMPTY: Final = frozenset(
    (
        *("mai", "masu", "ita", "shi", "duk", "kan", "cikin", "wanda", "komai"),
        *("abin", "abu", "suna", "yana", "tana", "kuma", "gare", "wurin", "wuri", "don", "wadda"),
        *("yin", "ake", "aka", "irin", "sosai", "juna", "nan", "can", "mutum", "mara", "lafiya"),
    )
)


@functools.lru_cache(maxsize=_REMEMBERED)
def bans(line: str) -> tuple[re.Pattern[str], ...]:
    """Return patterns of what the plain `line` of a passage forbids.

    They find where a text tells people to do it, negated or not.
    """
    clauses = (line[start.end() :] for start in _BANNED.finditer(line))
    return tuple(ban for clause in clauses for ban in _clause(_STOPS.split(clause, maxsplit=1)[0]))


def _clause(clause: str) -> Iterator[re.Pattern[str]]:
    # "Kada a daure shi, a doke shi ko a kulle shi" forbids all three; without "ko a" only one.
    joined = " ko a " in clause
    for act in _ALSO.split(clause)[: None if joined else 1]:
        verb, _, rest = act.strip().partition(" ")
        manner = _MANNER.search(rest)
        things = rest[: manner.start()] if manner else rest
        how = [re.escape(manner[0]), *_telling(rest[manner.end() :])] if manner else []
        for item in _ITEMS.split(things):
            words = [*_telling(item), *how]
            if words:
                yield _pattern(verb, words)


def _telling(text: str) -> list[str]:
    """Return patterns of the first words of `text` that say something."""
    words = [word for word in _WORD.findall(text) if len(word) >= _SHORTEST and word not in _EMPTY]
    return [rf"{re.escape(_stem(word))}[nr]?" for word in words[:_TELLING]]


def _pattern(verb: str, words: list[str]) -> re.Pattern[str]:
    same = _VERBS.get(verb, re.escape(verb))
    then = "".join(rf"{_BETWEEN}\b{word}\b" for word in words)
    return re.compile(rf"{_TOLD}(?:{same})\b{then}")


def _stem(word: str) -> str:
    """Drop the linking letter: "cibiyar" and "cibiya" are the same navel."""
    return word[:-1] if len(word) > _SHORTEST + 1 and word[-1] in "nr" else word
