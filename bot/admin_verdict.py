"""Why the gate refused a release, in an admin's language.

`training.gate` gives its reasons as sentences of a few fixed shapes: figure, value, limit. Here
each is said again from those parts; a shape that is not known is shown as it is.
"""

import re
from collections.abc import Iterable

from bot.texts import Texts

#: What the gate calls a figure, and the key that words it.
FIGURES = {
    "danger signs seen": "danger",
    "answers in Hausa": "hausa",
    "harmful answers": "harmful",
    "broken answers": "broken",
    "refused answers": "refused",
    "refused": "refused",
    "held-out loss": "loss",
    "chrf": "chrf",
    "agreement": "agreement",
    "choice": "choice",
}
_VALUE = r"(?P<value>[\d.]+(?: %)?|not measured)"
SHAPES = (
    ("asked", re.compile(r"asked (?P<value>\d+) questions, at least (?P<limit>\d+) are needed")),
    ("least", re.compile(rf"(?P<figure>.+?) {_VALUE}, needed (?P<limit>.+)")),
    ("most", re.compile(rf"(?P<figure>.+?) {_VALUE}, at most (?P<limit>.+)")),
    ("worse", re.compile(rf"(?P<figure>.+?) {_VALUE}, (?P<other>\S+) has (?P<limit>.+)")),
)
_UNMEASURED = "not measured"


def reasons(texts: Texts, language: str, given: Iterable[str]) -> list[str]:
    """Each of the gate's reasons in words."""
    return [_worded(texts, language, reason) for reason in given]


def _worded(texts: Texts, language: str, reason: str) -> str:
    for shape, pattern in SHAPES:
        found = pattern.fullmatch(reason)
        if found:
            values = {name: _value(texts, language, v) for name, v in found.groupdict().items()}
            named = FIGURES.get(values.get("figure", ""))
            if named:
                values["figure"] = texts(f"admin-figure-{named}", language)
            return texts(f"admin-reason-{shape}", language, **values)
    return reason


def _value(texts: Texts, language: str, value: str) -> str:
    return texts("admin-unmeasured", language) if value == _UNMEASURED else value
