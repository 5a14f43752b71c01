"""The sieve rules nothing out that matches: the fast triage finds what the plain one finds."""

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from knowledge.triage_context import RULES, Context
from knowledge.triage_rules import MACROS, Hit, Rules, phrase_pattern
from knowledge.triage_sieve import Sieve, Union, compiled, needs
from knowledge.triage_signs import Sign, load_signs
from knowledge.triage_text import key, pattern_key

DATA = Path(RULES).parent
SIGNS = load_signs()


@pytest.mark.parametrize(
    ("pattern", "needed"),
    [
        ("maciji", {"maciji"}),
        (r"\bmaciji\b", {"maciji"}),
        ("(?:maciji|kumurci)", {"maciji", "kumurci"}),
        ("(?:maje|kare) (?:ya|ta)", {"maje ya", "maje ta", "kare ya", "kare ta"}),
        ("(?:maciji)?", set()),
        ("(?:maciji)*ya", {"ya"}),
        ("(?:maciji)+", {"maciji"}),
        ("(?:maciji){2}", {"maciji"}),
        ("macijin?", {"maciji", "macijin"}),
        (r"\w+", set()),
        (r"maciji|\w+", set()),
        ("maciji|", set()),
        ("sar[aei]", {"sara", "sare", "sari"}),
        ("sar[^a]", {"sar"}),
        ("sar[a-e]", {"sar"}),
        ("(?<!bai )sara(?! ba)", {"sara"}),
        ("(?=sara)", set()),
        ("(maciji) .*", {"maciji "}),
        (r"(maciji) \1", {"maciji "}),
        ("(?i:maciji)", set()),
        ("ma(?s:.)ciji", {"ciji"}),
        ("jini .{0,30} sosai", {"jini "}),
        ("ya .{0,30} sosai", {" sosai"}),
        ("(?i)maciji", set()),
    ],
)
def test_what_a_pattern_needs(pattern: str, needed: set[str]) -> None:
    assert needs(pattern) == needed


def test_only_what_cannot_match_is_ruled_out() -> None:
    patterns = ["maciji", r"\w+ kare", "ya", r"\d+", "(?:kada|kar) ya"]
    sieve = Sieve([needs(pattern) for pattern in patterns])

    assert list(sieve.possible("maciji")) == [0, 2, 3]
    assert list(sieve.possible("mai kare")) == [1, 2, 3]
    assert list(sieve.possible("kar ya")) == [2, 3, 4]
    assert list(sieve.possible("")) == [2, 3]


def test_a_union_replaces_every_match() -> None:
    union = Union(["waya (?:ta|ya) fadi", "dariya ta kashe ni"])

    assert union.replaced("waya ta fadi sai dariya ta kashe ni", "|") == "| sai |"
    assert union.replaced("yaro ya fadi", "|") == "yaro ya fadi"
    assert union.matches("waya ya fadi")
    assert not union.matches("waya bata fadi")


def written() -> dict[Hit, list[tuple[str, ...]]]:
    """Every rule as its file has it, found without any short cut."""
    found: dict[Hit, list[tuple[str, ...]]] = {}
    for name, sign in SIGNS.items():
        for by, rules in _kinds(sign):
            found.setdefault(Hit(name, by), []).extend(rules)
    return found


def _kinds(sign: Sign) -> Iterator[tuple[str, list[tuple[str, ...]]]]:
    yield "phrase", [(phrase_pattern(phrase),) for phrase in sign.phrases]
    yield "pattern", [(_spelt(pattern),) for pattern in sign.patterns]
    yield "pair", [(_spelt(a), _spelt(b)) for a, b in sign.pairs]


def _spelt(pattern: str) -> str:
    for name, body in MACROS.items():
        pattern = pattern.replace(name, body)
    return pattern_key(pattern)


def _union(rules: Iterable[tuple[str, ...]]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{rule[0]})" for rule in rules) or r"(?!)")


def plainly(keyed: str) -> set[Hit]:
    """The rules that match, each tried."""
    return {hit for hit, rules in PLAIN.items() if hit.by != "pair" and rules.search(keyed)}


PLAIN = {hit: _union(rules) for hit, rules in written().items()}
FAST = Rules(SIGNS)
CONTEXT = Context.load()


def messages() -> list[str]:
    """Every fourth message that this tree has, keyed."""
    texts = [miss for sign in SIGNS.values() for miss in sign.near_misses]
    for path in sorted(DATA.glob("triage_*.tsv")):
        with path.open(encoding="utf-8", newline="") as lines:
            rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
            texts += [row["text"] for row in rows]
    return [key(text) for text in texts[::4]]


def test_every_rule_is_a_regular_expression_though_compiled_late() -> None:
    for rules in written().values():
        for rule in rules:
            assert all(compiled(pattern).pattern == pattern for pattern in rule)


def test_a_rule_that_is_no_regular_expression_is_refused_at_start() -> None:
    broken = replace(next(iter(SIGNS.values())), patterns=("(maciji",))
    with pytest.raises(re.error, match="unterminated"):
        Rules({broken.id: broken})


def test_the_same_rules_match_as_when_each_is_tried() -> None:
    for keyed in messages():
        found = {hit for hit in FAST.hits(keyed) if hit.by != "pair"}
        assert found == plainly(keyed), keyed


def test_the_same_contexts_fit_as_when_each_cue_is_tried() -> None:
    rules = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    cut = {
        name: re.compile("|".join(f"(?:{pattern_key(rule)})" for rule in rules[name]))
        for name in ("idioms", "removals")
    }
    spelt = [pattern_key(cue) for label in rules["labels"].values() for cue in label["cues"]]
    cues = re.compile("|".join(f"(?:{cue})" for cue in spelt))
    for keyed in messages():
        assert CONTEXT.without_idioms(keyed) == " ".join(cut["idioms"].sub(" | ", keyed).split())
        denied = cut["removals"].sub(" | ", keyed)
        assert CONTEXT.without_denials(keyed) == " ".join(denied.split())
        assert bool(CONTEXT.cues(keyed)) == bool(cues.search(keyed))


EVERY = sorted({rule for rules in written().values() for parts in rules for rule in parts})


@settings(max_examples=80, suppress_health_check=list(HealthCheck), deadline=None)
@given(st.data())
def test_no_match_is_ruled_out(data: st.DataObject) -> None:
    pattern = data.draw(st.sampled_from(EVERY))
    text = data.draw(st.from_regex(pattern))

    assert [*Sieve([needs(pattern)]).possible(text)] == [0]
