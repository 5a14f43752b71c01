"""The guard's rules: how bot/guard_rules.yaml is read, and when one of them holds.

Knows negation, warning and condition in Hausa and English, as far as patterns over folded text go.
It does not know what a good answer is, only what a bad one says.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import yaml

from core.errors import SettingsError
from core.yaml_files import read_yaml
from knowledge.folding import fold

Kind = Literal["always", "advice", "carried"]
KINDS: Final = ("always", "advice", "carried")
_LIST: Final = re.compile(r"(?<!\?P)<(\w+)>")
_GLUED: Final = re.compile(r"(?<=\d)(?=[a-z])")
# "Juna biyu" is pregnancy, no number.
_WORD: Final = re.compile(r"(?<![a-z])(?<!juna )[a-z]+")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an answer is judged by, folded: its passages, and those and the question together."""

    passages: str
    asked: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing an answer may not say."""

    id: str
    kind: Kind
    patterns: tuple[re.Pattern[str], ...]
    unless: tuple[str, ...] = ()
    raw: bool = False
    asked: bool = False
    grounded: bool = False
    where: re.Pattern[str] | None = None
    not_where: re.Pattern[str] | None = None
    near: re.Pattern[str] | None = None

    def applies(self, whole: str, about: str = "") -> bool:
        """Return whether the answer as a whole is one this rule speaks of.

        `about`: what an answer of which only the beginning is known will speak of, too.
        """
        wanted = self.where is None or self.where.search(whole) or self.where.search(about)
        return bool(wanted) and not (self.not_where and self.not_where.search(whole))

    def found(self, text: str) -> Iterator[re.Match[str]]:
        """Yield what the patterns find in `text`."""
        if self.near is None or self.near.search(text):
            for pattern in self.patterns:
                yield from pattern.finditer(text)


@dataclass(frozen=True, slots=True)
class Excuses:
    """Why a sentence that names a bad thing may still be a good sentence."""

    patterns: Mapping[str, re.Pattern[str]]

    def holds(self, name: str, sentence: str, match: re.Match[str]) -> bool:
        """Return whether the excuse `name` holds for `match` in the folded `sentence`."""
        head, rest = sentence[: match.start()], sentence[match.start() :]
        if name == "negated":
            return self._negated(head, rest)
        if name == "warned":
            return self._says("warnings", sentence) and not self._advised(head, rest)
        if name == "accident":
            return self._accident(head + match[0], sentence)
        if name == "condition":
            return self._says("condition", _clause(head)) or sentence.endswith("?")
        return self._says("hedge" if name == "hedged" else name, sentence)

    def _says(self, name: str, text: str) -> bool:
        if name == "warnings":
            text = self.patterns["denials"].sub(" ", text)
        return bool(self.patterns[name].search(text))

    def _negated(self, head: str, rest: str) -> bool:
        """A negation reaches to the next stop, and over a new clause only in a list with "ko"."""
        head = self._since_stop(self.patterns["neutral"].sub(" ", head))
        negators = list(self.patterns["negators"].finditer(head))
        if not negators:
            return False
        between = head[negators[-1].end() :]
        if not self.patterns["new_clause"].search(between):
            return True
        stop = self.patterns["stops"].search(rest)
        return self._says("or", between + (rest[: stop.start()] if stop else rest))

    def _advised(self, head: str, rest: str) -> bool:
        return self._says("advising", self._since_stop(head)) and not self._negated(head, rest)

    def _accident(self, upto: str, sentence: str) -> bool:
        clause = _clause(upto)
        happened = self.patterns["accident"].match(clause) and self._says("swallowed", clause)
        return bool(happened) and not self._says("promise", sentence)

    def _since_stop(self, head: str) -> str:
        stops = list(self.patterns["stops"].finditer(head))
        return head[stops[-1].end() :] if stops else head


@dataclass(frozen=True, slots=True)
class Group:
    """Patients that an answer may speak of only when its passages or the question do."""

    id: str
    pattern: re.Pattern[str]
    grounds: re.Pattern[str]

    def spoken_of(self, text: str, evidence: str) -> bool:
        """Return whether `text` speaks of them and `evidence` has nothing of the kind."""
        grounded = self.pattern.search(evidence) or self.grounds.search(evidence)
        return bool(self.pattern.search(text)) and not grounded


@dataclass(frozen=True, slots=True)
class Rules:
    """All of bot/guard_rules.yaml, ready to use."""

    rules: tuple[Rule, ...]
    excuses: Excuses
    groups: tuple[Group, ...]
    seek: re.Pattern[str]
    seek_lines: Mapping[str, str]
    numerals: Mapping[str, str]

    @classmethod
    def load(cls, path: Path) -> "Rules":
        """Read and compile the rules.

        Raises: OSError when the file is missing, SettingsError naming the rule that is wrong.
        """
        try:
            raw = read_yaml(path)
            return _rules(raw)
        except (yaml.YAMLError, KeyError, TypeError, ValueError, re.error) as error:
            raise SettingsError(f"{path.name}: {error}") from error

    def plain(self, text: str) -> str:
        """Return `text` folded, with number words as digits and units apart from their numbers."""
        apart = _GLUED.sub(" ", fold(text))
        return _WORD.sub(lambda word: self.numerals.get(word[0], word[0]), apart)

    def broken(self, rule: Rule, sentence: str, evidence: Evidence) -> bool:
        """Return whether the plain `sentence` breaks `rule`."""
        return any(
            not self._fine(rule, sentence, match, evidence) for match in rule.found(sentence)
        )

    def _fine(self, rule: Rule, sentence: str, match: re.Match[str], evidence: Evidence) -> bool:
        if any(self.excuses.holds(name, sentence, match) for name in rule.unless):
            return True
        if rule.kind != "carried":
            return False
        if rule.grounded and not evidence.passages:
            return True
        said = match.groupdict().get("said") or match[0]
        carried = evidence.asked if rule.asked else evidence.passages
        return re.search(rf"(?<!\w){re.escape(said.strip())}(?!\w)", carried) is not None


def _clause(text: str) -> str:
    return re.split(r"[,;:]\s*", text)[-1].lstrip()


def _rules(raw: Mapping[str, Any]) -> Rules:
    lists = {name: _one_line(words) for name, words in raw["lists"].items()}
    return Rules(
        rules=tuple(_rule(entry, lists) for entry in raw["rules"]),
        excuses=Excuses({name: _compile(text, lists) for name, text in raw["excuses"].items()}),
        groups=tuple(_group(row, lists) for row in raw["groups"]),
        seek=_compile(raw["seek"]["words"], lists),
        seek_lines={language: str(raw["seek"][language]) for language in ("ha", "en")},
        numerals={str(word): str(number) for word, number in raw["numerals"].items()},
    )


def _group(row: Mapping[str, Any], lists: Mapping[str, str]) -> Group:
    return Group(row["id"], _compile(row["pattern"], lists), _compile(row["grounds"], lists))


def _rule(entry: Mapping[str, Any], lists: Mapping[str, str]) -> Rule:
    if entry["kind"] not in KINDS:
        raise ValueError(f"rule {entry['id']}: kind {entry['kind']!r} is not one of {KINDS}")
    raw = bool(entry.get("raw"))
    extra = {
        name: _compile(entry[name], lists)
        for name in ("where", "not_where", "near")
        if name in entry
    }
    return Rule(
        id=entry["id"],
        kind=entry["kind"],
        patterns=tuple(_compile(text, lists, raw=raw) for text in entry["patterns"]),
        unless=tuple(entry.get("unless", ())),
        raw=raw,
        asked=bool(entry.get("asked")),
        grounded=bool(entry.get("grounded")),
        **extra,
    )


def _compile(text: str, lists: Mapping[str, str], *, raw: bool = False) -> re.Pattern[str]:
    if raw:
        return re.compile(text, re.IGNORECASE | re.MULTILINE)
    written = _LIST.sub(lambda name: f"(?:{lists[name[1]]})", _one_line(text))
    written = written.replace("ch", "c").replace("q", "k")  # as folding does to the answer
    # Whole words only; a pattern that begins or ends with punctuation brings its own edges.
    left = r"(?<!\w)" if re.match(r"[\w(\\]", written) else ""
    return re.compile(rf"{left}(?:{written})(?!\w)" if left else written)


def _one_line(text: str) -> str:
    return re.sub(r"\|\s+", "|", text.strip())
