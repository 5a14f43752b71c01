"""Where a danger sign is only talked about: history, news, questions of knowledge, idioms.

Knows the reviewed cues of `data/triage_context.yaml`. Knows no sign; it labels sentences and
cuts out what is denied, and the triage then looks at what is left.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from knowledge.triage_text import pattern_key

RULES: Final = Path(__file__).parent / "data" / "triage_context.yaml"
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Label:
    """One kind of context: what speaks for it and what overrules it."""

    name: str
    cue: re.Pattern[str]
    veto: re.Pattern[str] | None

    def fits(self, keyed: str) -> bool:
        """Say whether the keyed sentence is of this kind."""
        return bool(self.cue.search(keyed)) and not (self.veto and self.veto.search(keyed))


class Context:
    """The context rules, compiled once."""

    def __init__(self, rules: Mapping[str, Any]) -> None:
        """Compile `rules`, the content of the rules file."""
        shared = {name: pattern_key(rules[name]) for name in ("acute", "event", "personal")}
        self._idiom = _union(rules["idioms"])
        self._denied = _union(rules["removals"])
        self._labels = [_label(name, rule, shared) for name, rule in rules["labels"].items()]

    @classmethod
    def load(cls, path: Path = RULES) -> "Context":
        """Read the rules file; raises OSError or yaml.YAMLError when it cannot be read."""
        return cls(yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER))  # noqa: S506 -- safe loaders

    def without_idioms(self, keyed: str) -> str:
        """Return the keyed sentence with figures of speech cut out."""
        return " ".join(self._idiom.sub(" | ", keyed).split())

    def without_denials(self, keyed: str) -> str:
        """Return the keyed sentence without what it denies ("bashi da zazabi")."""
        return " ".join(self._denied.sub(" | ", keyed).split())

    def hinted(self, keyed: str) -> bool:
        """Say whether any cue stands in the keyed sentence, its vetoes left aside."""
        return any(label.cue.search(keyed) for label in self._labels)

    def label(self, keyed: str) -> str | None:
        """Return the first kind of context that the keyed sentence has, or None."""
        return next((label.name for label in self._labels if label.fits(keyed)), None)


def _label(name: str, rule: Mapping[str, Any], shared: Mapping[str, str]) -> Label:
    vetoes = [*(shared[veto] for veto in rule["vetoes"]), *map(pattern_key, rule["also_vetoed_by"])]
    return Label(name, _union(rule["cues"]), re.compile("|".join(vetoes)) if vetoes else None)


def _union(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern_key(pattern)})" for pattern in patterns))
