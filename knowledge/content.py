"""What is wrong with the reviewed content: topics and danger signs, checked as an editor would.

Knows the rules for texts (length, placeholders, hooked letters, polite address, doses, expiry) and
reports every breach as a `Finding`. Does not judge medicine, change files or print: clinicians do
the first (`sheet` makes the paper for it), the `lafiya content` command does the last.
"""

from __future__ import annotations

import gzip
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

import yaml

from knowledge.content_sheet import sheet
from knowledge.folding import fold
from knowledge.health_data import written_words
from knowledge.topic import TOPICS, LibraryError, Topic, read_topic
from knowledge.triage_signs import SIGNS, Sign, SignError, load_signs

__all__ = ["Finding", "attested_words", "check", "check_signs", "check_topics", "sheet"]

FIRST_MESSAGE = 600
MORE = 900
AVOID = 450
QUESTIONS = 12
PLACEHOLDERS = frozenset({"emergency", "suicide_line", "drug_line", "ncdc_line"})

# Two words that differ only by a hook: both spellings are right, so neither is reported.
# Written for this project from the homographs that matchers have to know.
BOTH_RIGHT = frozenset(
    {
        "baki",
        "bari",
        "bata",
        "dan",
        "daga",
        "daka",
        "dauri",
        "duka",
        "fadi",
        "gado",
        "hadari",
        "haka",
        "kafa",
        "kai",
        "kansa",
        "kara",
        "kare",
        "karya",
        "kasa",
        "kashi",
        "kaya",
        "kira",
        "koda",
        "kuna",
        "kusa",
        "kwari",
        "saka",
        "sake",
        "taba",
        "tabo",
        "yaki",
        "yanka",
        "yan",
    }
)
_SINGULAR = re.compile(r"\b(?:kana|kina|maka|miki|kika|gareka|gareki|kada k[ai]|naka|naki)\b", re.I)
_DOSE = re.compile(r"\b\d+(?:[.,]\d+)?\s?(?:mg|ml|mcg|g|iu)\b(?!/)", re.I)
_MARKUP = re.compile(r"\*\*|__|^#|https?://|<[a-z/]", re.M)
_BRACES = re.compile(r"\{([^{}]*)\}")
_HOOKED = re.compile(r"[ɓɗƙƴ]|'y")
_WORDS = Path(__file__).parent / "data" / "health_words.txt.gz"

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look at: where it stands and what is wrong with it."""

    severity: Severity
    where: str
    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.severity}: {self.where}: {self.field}: {self.message}"


def check(
    today: date, *, topics: Path = TOPICS, signs: Path = SIGNS, words: Path = _WORDS
) -> list[Finding]:
    """Check every topic and sign file; a file that cannot be read is a finding, not an error.

    `today` decides what has expired; `words` is the attested word list.
    """
    read, findings = _read_topics(topics)
    try:
        found = load_signs(signs)
    except (SignError, yaml.YAMLError) as error:
        found = {}
        findings.append(Finding("error", "signs", "file", str(error)))
    attested = attested_words(words)
    return [
        *findings,
        *check_topics(read, today, attested),
        *check_signs(found, today, attested),
    ]


def attested_words(path: Path = _WORDS) -> Counter[str]:
    """The attested words as written, with counts (TICO-19, AfriQA, NaijaSenti)."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = (line.rstrip("\n").split("\t") for line in lines)
        return Counter({word: int(count) for word, count in rows})


def check_topics(
    topics: Mapping[str, Topic], today: date, attested: Mapping[str, int]
) -> list[Finding]:
    """Findings on topics that were read: lengths, phrasings, texts, expiry."""
    texts = {key: dict(_topic_texts(topic)) for key, topic in topics.items()}
    spelling = _Spelling(attested, (part["ha"] for row in texts.values() for part in row.values()))
    findings = list(_repeated(topics))
    for key, topic in topics.items():
        findings += _lengths(topic)
        findings += _expiry(key, topic.status, topic.review_by, today)
        for name, part in texts[key].items():
            findings += _text(key, name, part, spelling)
    return findings


def check_signs(
    signs: Mapping[str, Sign], today: date, attested: Mapping[str, int]
) -> list[Finding]:
    """Findings on danger signs that were read: texts and expiry (the loader checks the rest)."""
    spelling = _Spelling(attested, (sign.reply["ha"] for sign in signs.values()))
    findings: list[Finding] = []
    for key, sign in signs.items():
        findings += _expiry(key, sign.status, sign.review_by, today)
        findings += _text(key, "reply", sign.reply, spelling)
        findings += _text(key, "note", sign.note, spelling) if sign.note else ()
    return findings


class _Spelling:
    """Which spelling of a word is the usual one, from open corpora and the content itself."""

    def __init__(self, attested: Mapping[str, int], texts: Iterable[str]) -> None:
        written = Counter(word for text in texts for word in written_words(text))
        counts = Counter(attested) + written
        self._folds = {fold(word) for word in attested}
        self._often = {word for word, n in written.items() if n >= 3}
        self._hooked: dict[str, str] = {}
        for word, n in sorted(counts.items(), key=lambda row: (row[1], row[0])):
            plain = fold(word)
            if _HOOKED.search(word) and plain not in BOTH_RIGHT and n > counts[plain]:
                self._hooked[plain] = word

    def unhooked(self, text: str) -> list[str]:
        """`plain → hooked` for words whose usual spelling carries a hook."""
        words = dict.fromkeys(written_words(text))
        return [f"{word} → {self._hooked[word]}" for word in words if word in self._hooked]

    def unknown(self, text: str) -> list[str]:
        """Words that neither the corpora nor the rest of the content know, however spelt."""
        words = dict.fromkeys(written_words(text))
        return [w for w in words if w not in self._often and fold(w) not in self._folds]


def _read_topics(folder: Path) -> tuple[dict[str, Topic], list[Finding]]:
    topics, findings = {}, []
    for path in sorted(folder.glob("*.yaml")):
        try:
            topics[path.stem] = read_topic(path)
        except LibraryError as error:
            findings.append(Finding("error", path.stem, "file", str(error)))
    return topics, findings


def _topic_texts(topic: Topic) -> Iterator[tuple[str, Mapping[str, str]]]:
    for name in ("title", "answer", "clinic_today", "more", "avoid"):
        yield name, getattr(topic, name)


def _lengths(topic: Topic) -> Iterator[Finding]:
    for language in ("ha", "en"):
        for name, text, limit, severity in (
            ("answer + clinic_today", topic.first(language), FIRST_MESSAGE, "error"),
            ("more", topic.more[language], MORE, "warning"),
            ("avoid", topic.avoid[language], AVOID, "warning"),
        ):
            if len(text) > limit:
                message = f"{len(text)} characters, at most {limit}"
                yield Finding(_severity(severity), topic.id, f"{name}.{language}", message)
    if len(topic.questions) < QUESTIONS:
        message = f"{len(topic.questions)} phrasings, at least {QUESTIONS}"
        yield Finding("error", topic.id, "questions", message)


def _severity(value: str) -> Severity:
    return "error" if value == "error" else "warning"


def _repeated(topics: Mapping[str, Topic]) -> Iterator[Finding]:
    """The same phrasing twice, folded: across topics it makes one of them unreachable."""
    seen: dict[str, str] = {}
    for key, topic in topics.items():
        for question in topic.questions:
            owner = seen.setdefault(fold(question).rstrip("?!. "), key)
            if owner != key:
                yield Finding("error", key, "questions", f"{question!r} stands under {owner} too")


def _expiry(key: str, status: str, review_by: date, today: date) -> Iterator[Finding]:
    if review_by < today:
        severity: Severity = "error" if status == "reviewed" else "warning"
        yield Finding(severity, key, "review_by", f"expired on {review_by.isoformat()}")


def _text(key: str, name: str, part: Mapping[str, str], spelling: _Spelling) -> Iterator[Finding]:
    for language, text in part.items():
        field = f"{name}.{language}"
        for message in _plain_text(text):
            yield Finding("warning", key, field, message)
        unknown = sorted(set(_BRACES.findall(text)) - PLACEHOLDERS)
        if unknown or text.count("{") != len(_BRACES.findall(text)):
            yield Finding("error", key, field, f"unknown placeholder: {', '.join(unknown) or '{'}")
    for severity, message in _hausa(part["ha"], spelling):
        yield Finding(severity, key, f"{name}.ha", message)


def _plain_text(text: str) -> Iterator[str]:
    if found := _DOSE.findall(text):
        yield f"a dose? {', '.join(found)}"
    if _MARKUP.search(text):
        yield "markup or a link in plain text"


def _hausa(text: str, spelling: _Spelling) -> Iterator[tuple[Severity, str]]:
    if found := spelling.unhooked(text):
        yield "warning", f"hooks: {', '.join(found)}"
    if found := _SINGULAR.findall(text):
        yield "warning", f"address is not plural or impersonal: {', '.join(found)}"
    if found := spelling.unknown(text):
        yield "note", f"words not in the open corpora: {', '.join(found)}"
