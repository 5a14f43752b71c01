"""The content check finds what it should and nothing beside it; the sheet holds everything."""

import re
from collections import Counter
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pytest

from knowledge.content import attested_words, check, check_topics, sheet
from knowledge.folding import fold
from knowledge.topic import Source, Topic, load_topics
from knowledge.triage_signs import load_signs

TODAY = date(2026, 11, 22)
ATTESTED = Counter(
    {"zazzaɓi": 9, "zazzabi": 4, "kada": 5, "a": 9, "sha": 9, "ruwa": 9, "ku": 9, "ka": 1, "mg": 1}
)
GOOD = Topic(
    id="good",
    title={"ha": "Ruwa", "en": "Water"},
    questions=tuple(f"tambaya {number}" for number in range(12)),
    answer={"ha": "A sha ruwa.", "en": "Drink water."},
    clinic_today={"ha": "Ku sha ruwa.", "en": "Drink water."},
    more={"ha": "A sha ruwa.", "en": "Drink water."},
    avoid={"ha": "Kada a sha ruwa.", "en": "Do not drink water."},
    source=(Source("WHO", 2020),),
    status="draft",
    reviewer=None,
    review_by=date(2027, 5, 31),
)


def both(ha: str, en: str = "Drink water.") -> dict[str, str]:
    return {"ha": ha, "en": en}


@pytest.mark.parametrize(
    ("label", "topic", "expected"),
    [
        ("nothing wrong", GOOD, []),
        (
            "first message too long",
            replace(GOOD, answer=both("A sha ruwa. " * 50)),
            [("error", "answer + clinic_today.ha")],
        ),
        ("at the limit", replace(GOOD, avoid=both("ruwa " * 90)), []),
        ("avoid too long", replace(GOOD, avoid=both("ruwa " * 91)), [("warning", "avoid.ha")]),
        ("eleven phrasings", replace(GOOD, questions=GOOD.questions[1:]), [("error", "questions")]),
        ("hook missing", replace(GOOD, more=both("Ku sha zazzabi.")), [("warning", "more.ha")]),
        ("hook there", replace(GOOD, more=both("Ku sha zazzaɓi.")), []),
        ("both spellings right", replace(GOOD, more=both("Ku sha kasa.")), [("note", "more.ha")]),
        ("singular address", replace(GOOD, more=both("Kada ka sha.")), [("warning", "more.ha")]),
        ("a dose", replace(GOOD, more=both("A sha 500 mg.")), [("warning", "more.ha")]),
        ("a lab value is no dose", replace(GOOD, more=both("A sha.", "126 mg/dl")), []),
        ("a link", replace(GOOD, more=both("A sha.", "http://x")), [("warning", "more.en")]),
        ("known placeholder", replace(GOOD, more=both("A sha.", "{emergency}")), []),
        ("unknown placeholder", replace(GOOD, more=both("A sha.", "{x}")), [("error", "more.en")]),
        ("open brace", replace(GOOD, more=both("A sha.", "{")), [("error", "more.en")]),
        (
            "draft past its day",
            replace(GOOD, review_by=date(2026, 11, 21)),
            [("warning", "review_by")],
        ),
        ("on its day", replace(GOOD, review_by=TODAY), []),
        (
            "signed, past its day",
            replace(GOOD, status="reviewed", reviewer="A.", review_by=date(2026, 1, 1)),
            [("error", "review_by")],
        ),
    ],
)
def test_findings(label: str, topic: Topic, expected: list[tuple[str, str]]) -> None:
    found = check_topics({"good": topic}, TODAY, ATTESTED + Counter({"tambaya": 1}))

    assert [(f.severity, f.field) for f in found] == expected, label


def test_one_phrasing_under_two_topics_is_an_error() -> None:
    other = replace(GOOD, id="other", questions=("TAMBAYA 3?", *(f"x {n}" for n in range(12))))
    found = check_topics({"good": GOOD, "other": other}, TODAY, ATTESTED)

    assert [str(f) for f in found if f.field == "questions"] == [
        "error: other: questions: 'TAMBAYA 3?' stands under good too"
    ]


def test_a_broken_file_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("id: [", "utf-8")
    found = check(TODAY, topics=tmp_path, signs=tmp_path)

    assert [(f.severity, f.where, f.field) for f in found] == [
        ("error", "x", "file"),
        ("error", "signs", "file"),
    ]


def test_the_shipped_content_has_no_errors() -> None:
    errors = [str(f) for f in check(TODAY) if f.severity == "error"]

    assert errors == []


def test_the_word_list_keeps_hooks() -> None:
    words = attested_words()

    assert words["ƙwayoyin"] > 0
    assert words["asibiti"] > 0


class _Reader(HTMLParser):
    """Collects ids and outside references of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.ids += [values["id"] or ""] if "id" in values else []
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]


def test_the_sheet_holds_every_entry_and_needs_nothing_else() -> None:
    topics, signs = load_topics(), load_signs()
    page = sheet(topics, signs, TODAY)
    reader = _Reader()
    reader.feed(page)

    expected = {f"topic-{key}" for key in topics} | {f"sign-{key}" for key in signs}
    assert set(reader.ids) == expected
    assert len(reader.ids) == len(expected)
    assert {link.removeprefix("#") for link in reader.links} == expected
    assert page.count('class="signature"') == len(expected)
    assert TODAY.isoformat() in page


def test_the_sheet_escapes_what_it_shows() -> None:
    page = sheet({"good": replace(GOOD, more=both("<b>", "&"))}, {}, TODAY)

    assert "<td>&lt;b&gt;</td>" in page
    assert '<td lang="en">&amp;</td>' in page


# As people ask: with hooks and without, in two languages at once, for themselves or for another.
HOOKED = re.compile(r"[ɓɗƙƴ]|'ya")
ONESELF = re.compile(r"\b(ina|na|ni|nake|zan|min|mini|my|\w+na)\b")
ANOTHER = re.compile(
    r"\b(yar[oa]\w*|yarin\w*|jari\w*|jinjir\w*|diya\w*|yata|dana|dan|yara|child|baby|jika\w*|mata\w*"
    r"|matar|miji\w*|wife|husband|uwa\w*|mama\w*|baba\w*|kak\w+|yaya\w*|kanwa\w*|kani\w*|mahaif\w*"
    r"|mai ciki|abok\w*|wanda|wadda)\b"
)
ENGLISH = re.compile(
    r"\b(test|doctor|hospital|my|fever|the|pain|treatment|bp|sugar|scan|help|baby|wife|first aid|is"
    r"|in|for|and|of|side effects?|symptoms?|family planning|vaccine|infection|malaria|typhoid"
    r"|ulcer|asthma|stroke|period|clinic)\b"
)


@pytest.mark.parametrize("topic", load_topics().values(), ids=lambda topic: topic.id)
def test_a_topic_is_asked_in_every_manner(topic: Topic) -> None:
    asked = topic.questions
    plain = " | ".join(map(fold, asked))
    assert len(set(map(fold, asked))) >= 12
    assert any(HOOKED.search(question) for question in asked)
    assert any(not HOOKED.search(question) for question in asked)
    for manner in (ONESELF, ANOTHER, ENGLISH):
        assert manner.search(plain), manner.pattern[:30]
