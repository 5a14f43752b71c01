"""Routine questions that the triage learns from: the library's own phrasings, dangers left out.

Knows which phrasings are dangers: those that a written rule sees outside a context, and those of
`data/triage_not_routine.txt`, which a person picked; of lines that were written as harmless only
the latter. Knows neither features nor models. Read anew
at every training, so that nothing here can fall behind the topics.
"""

import zlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Final

from knowledge.topic import load_topics
from knowledge.triage_context import Context
from knowledge.triage_generate import DATA, TEST_SHARE
from knowledge.triage_rules import Rules
from knowledge.triage_signs import load_signs
from knowledge.triage_text import key
from knowledge.wording import OTHER, Wording, examples, written

NOT_ROUTINE: Final = DATA / "triage_not_routine.txt"


def questions(*, test: bool) -> list[str]:
    """Return the routine questions of the training (or the test) split, as people ask them."""
    return [text for text in routine() if (zlib.crc32(text.encode()) % TEST_SHARE == 0) == test]


@lru_cache(maxsize=1)
def routine() -> tuple[str, ...]:
    """Return every phrasing and example of the library that is no danger, each once."""
    rules, context, picked = Rules(load_signs()), Context.load(), frozenset(not_routine())

    def dangerous(text: str) -> bool:
        keyed = key(text)
        spoken = bool(rules.hits(keyed)) and context.label(keyed) is None
        return spoken or rules.cry(keyed) is not None or text in picked

    asked = (text for text in _phrasings() if not dangerous(text))
    # Written as no emergencies: a rule's word in one of them is what is to be learnt.
    harmless = (text for text in _harmless() if text not in picked)
    return tuple(dict.fromkeys((*asked, *harmless)))


def not_routine(path: Path = NOT_ROUTINE) -> list[str]:
    """Read the phrasings that a person named as dangers."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def _phrasings() -> Iterator[str]:
    for topic in load_topics().values():
        yield from topic.questions
    yield from (text for _, text in Wording.load().phrasings)
    yield from (text for label, text in examples() if label != OTHER)


def _harmless() -> Iterator[str]:
    yield from (text for label, text in examples() if label == OTHER)
    yield from (text for _, text in written())
