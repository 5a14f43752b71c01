"""Which conversations are learnt with vetted passages before them, as the service asks a model.

Pure: the search is handed in, and is the one that serves. Knows no library and no renderer.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from inference.engine import Passage
from training.clean import digest
from training.rows import Conversation


def _nothing(text: str) -> Sequence[Passage]:
    return ()


def _none(topic: str) -> Passage | None:
    return None


@dataclass(frozen=True, slots=True)
class Ground:
    """The service's own search: `find` gives the passages of a question, best first and as many
    as are served; `passage` the one of a topic, None when there is no such topic.
    """

    find: Callable[[str], Sequence[Passage]] = _nothing
    passage: Callable[[str], Passage | None] = _none


def grounded(rows: Iterable[Conversation], share: float, ground: Ground) -> list[Conversation]:
    """The rows, a `share` of them (0 to 1, chosen by their hash) with passages.

    The rest stay bare: the service finds nothing for one question in five, and then asks so.
    """
    done: dict[int, Conversation] = {}
    kept = list(rows)  # a row that is taken twice is the same object
    for row in kept:
        if id(row) not in done:
            chosen = int(digest(row)[8:16], 16) / 16**8 < share
            done[id(row)] = replace(row, passages=_passages(row, ground)) if chosen else row
    return [done[id(row)] for row in kept]


def _passages(row: Conversation, ground: Ground) -> tuple[Passage, ...]:
    """What the service would show with the last question, if the answer can rest on it.

    An answer that the passages do not carry would teach the model to pass over them, which is
    worse than no passages. So an answer of a known topic (the starter set's) has that topic's
    passage among them, in the last place when the search did not find it; any other answer has
    passages only when the search, asked with the answer, names one of them first. That tells a
    matter from another, not a contradiction: bad advice is left out before, by the guard's rules.
    """
    found = tuple(ground.find(row.turns[-2].text))
    if not found:
        return ()
    own = ground.passage(row.topic) if row.topic else None
    if own is not None:
        there = any(one.id == own.id for one in found)
        return found if there else (*found[:-1], own)
    carried = next((one.id for one in ground.find(row.answer)), None)
    return found if any(one.id == carried for one in found) else ()
