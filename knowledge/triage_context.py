"""Where a danger sign is only talked about: history, news, questions of knowledge, idioms.

Knows the reviewed cues of `data/triage_context.yaml`. Knows no sign; it labels sentences and
cuts out what is denied, and the triage then looks at what is left.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from core.yaml_files import read_yaml
from knowledge.triage_sieve import Sieve, Union, needs
from knowledge.triage_text import pattern_key

RULES: Final = Path(__file__).parent / "data" / "triage_context.yaml"


@dataclass(frozen=True, slots=True)
class Label:
    """One kind of context: its name and what overrules it."""

    name: str
    veto: re.Pattern[str] | None

    def vetoed(self, keyed: str) -> bool:
        """Say whether something in the keyed sentence overrules this kind."""
        return self.veto is not None and self.veto.search(keyed) is not None


class Context:
    """The context rules, compiled once."""

    def __init__(self, rules: Mapping[str, Any]) -> None:
        """Compile `rules`, the content of the rules file."""
        shared = {name: pattern_key(rules[name]) for name in ("acute", "event", "personal")}
        self._marks = {name: re.compile(rule) for name, rule in shared.items()}
        self._idioms = Union(map(pattern_key, rules["idioms"]))
        self._denials = Union(map(pattern_key, rules["removals"]))
        labels = [(_label(name, rule, shared), rule) for name, rule in rules["labels"].items()]
        cues = [(label, pattern_key(cue)) for label, rule in labels for cue in rule["cues"]]
        self._sieve = Sieve([needs(cue) for _, cue in cues])
        self._cues = [(label, re.compile(cue)) for label, cue in cues]

    @classmethod
    def load(cls, path: Path = RULES) -> "Context":
        """Read the rules file; raises OSError or yaml.YAMLError when it cannot be read."""
        return cls(read_yaml(path))

    def without_idioms(self, keyed: str) -> str:
        """Return the keyed sentence with figures of speech cut out."""
        return " ".join(self._idioms.replaced(keyed, " | ").split())

    def without_denials(self, keyed: str) -> str:
        """Return the keyed sentence without what it denies ("bashi da zazabi")."""
        return " ".join(self._denials.replaced(keyed, " | ").split())

    def cues(self, keyed: str) -> dict[str, bool]:
        """Return the kinds whose cues stand in the keyed sentence, and whether each is vetoed."""
        found = {label.name: label for label in self._cued(keyed)}
        return {name: label.vetoed(keyed) for name, label in found.items()}

    def marks(self, keyed: str) -> set[str]:
        """Return which of `acute`, `event` and `personal` the keyed sentence is."""
        return {name for name, mark in self._marks.items() if mark.search(keyed)}

    def label(self, keyed: str) -> str | None:
        """Return the first kind of context that the keyed sentence has, or None."""
        return first_free(self.cues(keyed))

    def _cued(self, keyed: str) -> Iterator[Label]:
        """Yield the kinds that a cue speaks for, in order."""
        for number in self._sieve.possible(keyed):
            label, cue = self._cues[number]
            if cue.search(keyed):
                yield label


def first_free(cues: Mapping[str, bool]) -> str | None:
    """Return the first of `Context.cues` that nothing vetoes: the context of the sentence."""
    return next((name for name, vetoed in cues.items() if not vetoed), None)


def _label(name: str, rule: Mapping[str, Any], shared: Mapping[str, str]) -> Label:
    vetoes = [*(shared[veto] for veto in rule["vetoes"]), *map(pattern_key, rule["also_vetoed_by"])]
    return Label(name, re.compile("|".join(vetoes)) if vetoes else None)
