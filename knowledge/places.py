"""Places that people name: states of Nigeria, regions of Niger, and local governments of a list.

Knows data/places.yaml and the names it is given; finds them in a message without hooks and with a
letter or two wrong. Knows no facility, no distance and no map: a village that nobody listed is not
found, and a name that is also an everyday word needs a word like "jihar" before it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from core.yaml_files import read_yaml
from knowledge.folding import fold, tokens

PLACES: Final = Path(__file__).parent / "data" / "places.yaml"

_LONGEST: Final = 4
_ONE_WRONG: Final = 5
_TWO_WRONG: Final = 9
_ALONE: Final = 8
_WORD: Final = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Place:
    """A state or region and perhaps a local government, as the lists write them."""

    state: str
    lga: str = ""

    def __str__(self) -> str:
        return ", ".join(filter(None, (self.lga, self.state)))


@dataclass(frozen=True, slots=True)
class _Hit:
    """A name found at `start`..`end` of the words; `spelt` when letter by letter."""

    start: int
    end: int
    name: str
    spelt: bool


@dataclass(frozen=True, slots=True)
class Places:
    """All names, folded. Immutable, shared by all threads."""

    states: Mapping[str, str]
    lgas: Mapping[str, tuple[str, ...]]
    written: Mapping[str, str]
    words: Mapping[str, frozenset[str]]

    @classmethod
    def load(cls, lgas: Iterable[tuple[str, str]] = (), path: Path = PLACES) -> "Places":
        """Read the states and add `lgas`, (state, local government) pairs as an operator has them.

        Raises: OSError or yaml.YAMLError when the file cannot be read.
        """
        raw: Mapping[str, Any] = read_yaml(path)
        rows = {**raw["states"], **raw["regions"]}
        states = {_key(name): state for state, also in rows.items() for name in (state, *also)}
        held: dict[str, dict[str, None]] = {}
        written: dict[str, str] = {}
        for state, lga in lgas:
            held.setdefault(_key(lga), {})[states.get(_key(state), state)] = None
            written.setdefault(_key(lga), lga)
        words = {kind: frozenset(map(_key, listed)) for kind, listed in raw["words"].items()}
        return cls(states, {name: tuple(at) for name, at in held.items()}, written, words)

    def state(self, name: str) -> str | None:
        """Return the state or region that `name` means, None when it is none we know."""
        return self.states.get(_key(name))

    def find(self, text: str) -> tuple[Place, ...]:
        """Return the place that `text` names; several when a name lies in more than one state.

        Never raises for a str.
        """
        words = tokens(text)
        hits = list(self._hits(words))
        sure = [hit for hit in hits if self._meant(hit, words)]
        for hit in hits:
            others = (
                self.states[other.name]
                for other in sure
                if other is not hit and other.name in self.states
            )
            inside = next((state for state in others if state in self.lgas.get(hit.name, ())), None)
            if inside:
                return (Place(inside, self.written[hit.name]),)
        local = next((hit for hit in sure if hit.name not in self.states), None)
        best = local or next(iter(sure), None)
        return self._places(best.name) if best else ()

    def alone(self, text: str) -> tuple[Place, ...]:
        """Return what `find` does when `text` says nothing but a place, else nothing."""
        words = tokens(text)
        taken = {at for hit in self._hits(words) for at in range(hit.start, hit.end)}
        rest = [word for at, word in enumerate(words) if at not in taken]
        if not taken or len(words) > _ALONE or not self._little(rest):
            return ()
        # Nothing else is said, so that an everyday word needs no other sign of being a place.
        return self.find(text) or self._places(next(self._hits(words)).name)

    def _places(self, name: str) -> tuple[Place, ...]:
        """A state comes before the local governments of the same name elsewhere."""
        state = self.states.get(name)
        inside = [Place(at, self.written[name]) for at in self.lgas.get(name, ()) if at != state]
        return tuple([Place(state), *inside] if state else inside)

    def _hits(self, words: Sequence[str]) -> Iterator[_Hit]:
        """Yield the names in `words`, longest first at each place, none inside another."""
        start = 0
        while start < len(words):
            hit = self._at(words, start)
            if hit:
                yield hit
            start = hit.end if hit else start + 1

    def _at(self, words: Sequence[str], start: int) -> _Hit | None:
        for size in range(min(_LONGEST, len(words) - start), 0, -1):
            said = "".join(words[start : start + size])
            if said in self.states or said in self.lgas:
                return _Hit(start, start + size, said, spelt=True)
        cued = start == 0 or words[start - 1] in self._listed("announcing", "before")
        near = self._near(words[start]) if cued else None
        return _Hit(start, start + 1, near, spelt=False) if near else None

    def _near(self, said: str) -> str | None:
        """The one name that `said` misspells; None when there is none, or more than one."""
        if len(said) < _ONE_WRONG or self._little([said]):
            return None
        allowed = 2 if len(said) >= _TWO_WRONG else 1
        names = {*self.states, *self.lgas} - self._listed("everyday")
        found = {name for name in names if name[0] == said[0] and _within(said, name, allowed)}
        return found.pop() if len(found) == 1 else None

    def _meant(self, hit: _Hit, words: Sequence[str]) -> bool:
        """Whether a name stands for the place: an everyday word must be announced as one."""
        before = words[hit.start - 1] if hit.start else ""
        if before in self._listed("announcing"):
            return True
        if hit.name in self._listed("everyday"):
            return words[hit.end : hit.end + 1] in (["state"], ["lga"])
        return hit.spelt or before in self._listed("before") or len(words) == hit.end - hit.start

    def _little(self, words: Iterable[str]) -> bool:
        """Whether `words` only stand around a place."""
        return self._listed(*self.words).issuperset(words)

    def _listed(self, *kinds: str) -> frozenset[str]:
        return frozenset().union(*(self.words.get(kind, ()) for kind in kinds))


def _key(name: str) -> str:
    return "".join(_WORD.findall(fold(name)))


def _within(one: str, two: str, allowed: int) -> bool:
    """Whether at most `allowed` letters are wrong, missing, added or swapped with the next."""
    if abs(len(one) - len(two)) > allowed:
        return False
    before: list[int] = []
    row = list(range(len(two) + 1))
    for i, left in enumerate(one, 1):
        last, before, row = before, row, [i]
        for j, right in enumerate(two, 1):
            cost = min(row[-1] + 1, before[j] + 1, before[j - 1] + (left != right))
            if i > 1 and j > 1 and left == two[j - 2] and one[i - 2] == right:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1] <= allowed
