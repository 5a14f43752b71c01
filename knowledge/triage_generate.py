"""Training and test messages for the triage, written out from hand-made templates.

Knows the template language: "{S} {p} suma [yanzu|]" is a subject, a pronoun that agrees with
it, and a choice; "child| ..." restricts who is spoken of; "@topics" lists names of the sign
that the question frames are filled with. Every draw comes from the seed that is passed in.
"""

import random
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from core.yaml_files import read_yaml

DATA: Final = Path(__file__).parent / "data"
NONE: Final = "none"
TEST_SHARE: Final = 5
# Denied or asked about, these words still get the helpline, so no frame may teach "none" on them.
NO_FRAMES: Final = frozenset({"suicide"})
_CHOICE: Final = re.compile(r"\[([^\[\]]*)\]")
_SLOT: Final = re.compile(r"\{(\w+)\}")
_HOOKS: Final = str.maketrans("ɓɗƙƴƁƊƘƳ", "bdkyBDKY")
_INNER_VOWEL: Final = re.compile(r"[aeiou]")
_KEYS: Final = {
    "a": "sq",
    "e": "rw",
    "i": "uo",
    "o": "ip",
    "u": "yi",
    "k": "lj",
    "n": "bm",
    "s": "ad",
}


@dataclass(frozen=True, slots=True)
class Template:
    """One template line: what it stands for, who it speaks of, and its text."""

    sign: str
    who: str
    text: str
    topic: str = ""

    @property
    def held_out(self) -> bool:
        """Say whether the template belongs to the test split, whichever topic fills it."""
        return zlib.crc32(self.text.encode()) % TEST_SHARE == 0


@dataclass(frozen=True, slots=True)
class Message:
    """One message written out from a template."""

    text: str
    sign: str
    template: Template


def templates(folder: Path = DATA / "templates") -> list[Template]:
    """Read every template file of `folder`, and pair the question frames with all topics."""
    found: list[Template] = []
    topics: list[str] = []
    for path in sorted(folder.glob("*.txt")):
        lines = path.read_text(encoding="utf-8").splitlines()
        found += _lines(path.stem, lines)
        if path.stem not in NO_FRAMES:
            topics += [
                topic for line in lines if line.startswith("@topics") for topic in _topics(line)
            ]
    frames = [template for template in found if template.who == "topicframes"]
    plain = [template for template in found if template.who != "topicframes"]
    return plain + [
        Template(NONE, "none", frame.text, topic) for frame in frames for topic in topics
    ]


def frames(path: Path = DATA / "triage_frames.yaml") -> Mapping[str, Any]:
    """Read the persons, the words before and after, and the habits of spelling."""
    content: Mapping[str, Any] = read_yaml(path)
    return content


def write_out(
    template: Template, rules: Mapping[str, Any], count: int, seed: int
) -> Iterator[Message]:
    """Yield up to `count` distinct messages of `template`; equal arguments, equal messages."""
    draw = random.Random(f"{seed}/{template.sign}/{template.text}/{template.topic}")  # noqa: S311 -- not a secret
    seen: set[str] = set()
    for _ in range(count * 3):
        text = _spelt(_framed(_filled(template, rules, draw), rules, draw), rules, draw)
        if text not in seen:
            seen.add(text)
            yield Message(text, template.sign, template)
        if len(seen) == count:
            return


def hooked(
    template: Template, rules: Mapping[str, Any], count: int, seed: int
) -> Iterator[Message]:
    """Yield messages as a careful writer types them: hooked letters kept, nothing misspelt."""
    draw = random.Random(f"{seed}/hooked/{template.text}/{template.topic}")  # noqa: S311 -- not a secret
    for _ in range(count):
        text = _framed(_filled(template, rules, draw), rules, draw)
        yield Message(text[:1].upper() + text[1:] + ".", template.sign, template)


def unhooked(text: str) -> str:
    """Return `text` as a phone without hooked letters writes it."""
    return text.translate(_HOOKS)


def _lines(sign: str, lines: list[str]) -> Iterator[Template]:
    who = "any"
    for line in filter(None, map(str.strip, lines)):
        if line.startswith("#") or line.startswith("@topics"):
            continue
        if line.startswith("@"):
            who = line[1:]
            continue
        head, bar, tail = line.partition("| ")
        narrowed = bool(bar) and head.isalnum()
        yield Template(sign, head if narrowed else who, tail if narrowed else line)


def _topics(line: str) -> list[str]:
    return [topic.strip() for topic in line.removeprefix("@topics").split(";")]


def _filled(template: Template, rules: Mapping[str, Any], draw: random.Random) -> str:
    kind = draw.choice(rules["groups"][template.who])
    words = dict(rules["persons"][rules["speaks_as"][kind]])
    words |= {"S": draw.choice(rules["subjects"][kind]), "T": template.topic}
    chosen = _CHOICE.sub(lambda match: draw.choice(match[1].split("|")), template.text)
    return " ".join(_SLOT.sub(lambda match: words[match[1]], chosen).split())


def _framed(text: str, rules: Mapping[str, Any], draw: random.Random) -> str:
    before, after = (
        draw.choices([row[0] for row in rules[side]], [row[1] for row in rules[side]])[0]
        for side in ("before", "after")
    )
    return ", ".join(filter(None, (before, text, after)))


def _spelt(text: str, rules: Mapping[str, Any], draw: random.Random) -> str:
    if draw.random() < 0.7:
        text = unhooked(text)
    for long, short in rules["shorten"]:
        if draw.random() < 0.15:
            text = re.sub(rf"\b{long}", short, text)
    if draw.random() < 0.35:
        text = text.replace("ba ya", "baya").replace("ba ta", "bata").replace("ba na", "bana")
    if draw.random() < 0.1:
        text = " ".join(_hurried(word, draw) for word in text.split())
    for _ in range(draw.choice((0, 0, 0, 1, 1, 2))):
        text = _typo(text, draw)
    return text.upper() if draw.random() < 0.03 else text


def _hurried(word: str, draw: random.Random) -> str:
    """Return some longer words with their inner vowels left out, as in a hasty message."""
    if len(word) < 4 or draw.random() < 0.5:
        return word
    return word[0] + _INNER_VOWEL.sub("", word[1:-1]) + word[-1]


def _typo(text: str, draw: random.Random) -> str:
    place = draw.randrange(1, max(2, len(text) - 1))
    if place + 1 >= len(text) or not text[place].isalpha():
        return text
    kind = draw.choice(("drop", "double", "swap", "near", "join"))
    left, char, right = text[:place], text[place], text[place + 1 :]
    if kind == "drop":
        return left + right
    if kind == "double":
        return left + char * 2 + right
    if kind == "swap":
        return left + right[0] + char + right[1:]
    if kind == "near":
        return left + draw.choice(_KEYS.get(char, char)) + right
    return left + char + right.replace(" ", "", 1)
