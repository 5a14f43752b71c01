"""Whom a question is about, as far as it says so: who is ill, how old, with child, long ill.

Knows Hausa and English phrases over folded text, and what denies them or leaves them open. Never
guesses: what is not said, asked ("ko ina da ciki?"), said of several people, or could be a length
of time ("kwana 3 yana tari") is left out. Knows nothing of what follows from any of it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce

from core.messages import Past
from knowledge.folding import expand
from knowledge.person_words import (
    AGES,
    ASIDE,
    BREASTFEEDING,
    DENIED,
    DOUBT,
    FOLLOWS,
    GROUPS,
    ILLNESSES,
    INVOLVED,
    LABELS,
    NUMBERS,
    OF_SOMEBODY,
    PREGNANT,
    SELF,
    THEIRS,
    UNITS,
    WHO,
)

LEAD = "Ana tambaya a kan: "
_CLAUSE = re.compile(r"[^.!?;:,\n]+\??")
_INFANTS = frozenset({"infant", "girl infant"})
_GROWN = frozenset({"wife", "husband", "mother", "father", "grandparent"})
_CHILD_ENDS, _OLD_BEGINS = 18, 60
#: Units as (name in the line, the most that an age is given in, how many make a year).
_MEASURES = {"kwana": (60, 365), "sati": (52, 52), "wata": (36, 12), "shekara": (115, 1)}


@dataclass(frozen=True, slots=True)
class Person:
    """What is known of the person a question is about; None is not known.

    `who` is a key of `LABELS`, `group` newborn, infant, child, adult or old; `age` a number with
    its unit. `many`: several people are named, so that nothing can be said of one.
    """

    who: str | None = None
    group: str | None = None
    age: tuple[str, int] | None = None
    pregnant: bool | None = None
    breastfeeding: bool | None = None
    ill: dict[str, bool] = field(default_factory=dict)
    many: bool = False


def line(question: str, past: Sequence[Past] = ()) -> str:
    """One Hausa line for the prompt (`inference.engine.Request.person`), or nothing.

    `past` is oldest first; only what the person wrote counts.
    """
    known = about(question, past)
    if known.many:
        return ""
    parts = [*_who(known), *_age(known)]
    parts += ["mai ciki"] if known.pregnant else []
    parts += ["mai shayarwa"] if known.breastfeeding else []
    parts += [f"mai {name}" for name, said in known.ill.items() if said]
    return LEAD + ", ".join(parts) if parts else ""


def about(question: str, past: Sequence[Past] = ()) -> Person:
    """Whom the question is about, with what was said of them before.

    Earlier words count only for the same person, and only when the question goes on about them (it
    names them again, or says "he", "her", "I").
    """
    now = said(question)
    before = reduce(_told, (said(turn.text) for turn in past if turn.role == "user"), Person())
    if now.many or before.many or before == Person():
        return now
    if now.who in (None, before.who) and (now.who or _goes_on(question, before.who)):
        return _joined(before, now)
    return now


def said(text: str) -> Person:
    """What one message says."""
    # "My neighbour's child" is the child.
    folded = ASIDE.sub(" ", OF_SOMEBODY.sub(r"\1", expand(text)))
    who, writer = _named(folded), _find(SELF, folded)
    if len(who) + writer > 1 or _entangled(folded, who):
        return Person(many=True)
    pregnant, breastfeeding = _flag(folded, PREGNANT), _flag(folded, BREASTFEEDING)
    ill = {name: said for name, said in _illnesses(folded)}
    named = who[0] if who else "self" if writer else None
    age = _how_old(folded, named)
    return Person(named, _group(folded, age), age, pregnant, breastfeeding, ill)


def _entangled(folded: str, who: list[str]) -> bool:
    """Whether more people than the one who is named have a part in it."""
    grown = bool(who) and who[0] in _GROWN
    return bool(THEIRS.search(folded)) or (grown and bool(INVOLVED.search(folded)))


def _named(folded: str) -> list[str]:
    """Who is named; two words may be for one child."""
    found = [name for name, pattern in WHO.items() if pattern.search(folded)]
    if len(found) > 1 and set(found) <= {"boy", "girl", "child", "children", *_INFANTS}:
        return ["infant"] if set(found) <= _INFANTS else _small(found)
    return found


def _small(found: list[str]) -> list[str]:
    """Two words for one child ("yarona jariri ne"), or several children."""
    infants = [name for name in found if name in _INFANTS]
    return infants if len(found) == 2 and infants else ["children"]


def _flag(folded: str, pattern: re.Pattern[str]) -> bool | None:
    """Whether a thing is said (True) or denied (False) of the person."""
    found = None
    for clause in _clauses(folded):
        for match in pattern.finditer(clause):
            if DENIED.search(clause[: match.start()]) or _denies(match):
                found = False
            elif not _open(clause, match):
                found = True
    return found


def _denies(match: re.Match[str]) -> bool:
    return any(match.groupdict().get(name) for name in ("no", "not"))


def _illnesses(folded: str) -> Iterator[tuple[str, bool]]:
    for name, pattern in ILLNESSES.items():
        state = _flag(folded, pattern)
        if state is not None:
            yield name, state


def _open(clause: str, match: re.Match[str]) -> bool:
    """Whether the clause wonders: "ko ina da ciki", "idan ina da", "Ina da ciki?"."""
    head = clause[: match.start()]
    asked = clause.endswith("?") and match.end() >= len(clause) - 1 and len(head.split()) < 2
    return asked or bool(DOUBT.search(head))


def _clauses(folded: str) -> Iterator[str]:
    for match in _CLAUSE.finditer(folded):
        yield from re.split(r"\b(?:amma|but)\b", match[0].strip())


def _find(pattern: re.Pattern[str], folded: str) -> bool:
    return any(
        not DENIED.search(clause[: match.start()])
        for clause in _clauses(folded)
        for match in pattern.finditer(clause)
    )


def _how_old(folded: str, who: str | None) -> tuple[str, int] | None:
    """The one age that is given; two different ones are none."""
    small = who in _INFANTS
    found = {
        (UNITS[match["unit"][:4]], _number(match["n"]))
        for name, pattern in AGES.items()
        for match in pattern.finditer(folded)
        if name != "has small" or small
    }
    ages = {age for age in found if _plausible(age, who)}
    return ages.pop() if len(ages) == 1 else None


def _plausible(age: tuple[str, int], who: str | None) -> bool:
    unit, number = age
    if who in {"self", *_GROWN} and (unit != "shekara" or number < 10):
        return False
    if who in _INFANTS and unit == "shekara" and number > 2:
        return False
    return 0 < number <= _MEASURES[unit][0]


def _number(words: str) -> int:
    """Digits, or Hausa words: goma sha biyu, ashirin da biyar."""
    if words.isdigit():
        return int(words)
    parts = [word for word in words.split() if word not in ("da", "sha", "goma")]
    tens = 10 if "sha" in words.split() or words == "goma" else 0
    return tens + sum(NUMBERS[word] for word in parts)


def _group(folded: str, age: tuple[str, int] | None) -> str | None:
    """By the age, else by the word that was used."""
    if age is None:
        return next((name for name, pattern in GROUPS.items() if pattern.search(folded)), None)
    unit, number = age
    if (unit == "kwana" and number <= 28) or (unit == "sati" and number <= 4):
        return "newborn"
    years = number / _MEASURES[unit][1]
    if years < 1:
        return "infant"
    if years < _CHILD_ENDS:
        return "child"
    return "adult" if years < _OLD_BEGINS else "old"


def _told(before: Person, now: Person) -> Person:
    """What is known after one more message: somebody else is a new beginning."""
    if now.many or (now.who and now.who != before.who):
        return now
    return _joined(before, now)


def _joined(before: Person, now: Person) -> Person:
    if now.age is not None or now.group is None:
        group = now.group or before.group
    else:
        group = before.group or now.group
    return replace(
        now,
        who=now.who or before.who,
        group=group,
        age=now.age or before.age,
        pregnant=before.pregnant if now.pregnant is None else now.pregnant,
        breastfeeding=before.breastfeeding if now.breastfeeding is None else now.breastfeeding,
        ill={**before.ill, **now.ill},
    )


def _goes_on(question: str, who: str | None) -> bool:
    """Whether a question that names nobody speaks of the one before."""
    return bool(FOLLOWS["self" if who == "self" else "other"].search(expand(question)))


def _who(known: Person) -> list[str]:
    """The word for the person, as it was said; a grown son or daughter is no child."""
    if known.who is None:
        return ["tsoho ko tsohuwa"] if known.group == "old" and known.age is None else []
    if known.who in ("boy", "girl", "child") and known.group in ("adult", "old"):
        return ["ɗa ko 'ya da ya girma"]
    if known.who == "girl" and known.pregnant:
        return ["'yar mai tambaya"]
    label = LABELS[known.who]
    return [f"{label} (sabuwar haihuwa)" if known.group == "newborn" else label]


def _age(known: Person) -> list[str]:
    return [f"{known.age[0]} {known.age[1]}"] if known.age else []
