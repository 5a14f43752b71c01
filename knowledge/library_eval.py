"""How well the library finds the right topic: `python -m knowledge.library_eval`.

Measures held-out questions (aggregated only), cross-validation over the topics' own phrasings,
messages that are not about health, questions on a topic that was taken away, and time. Prints the
tables and writes them into `docs/safety.md`. Does not choose anything: thresholds stand in
`knowledge.library`.
"""

from __future__ import annotations

import random
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import TypeVar

from knowledge import topic_model
from knowledge.library import Library, Match
from knowledge.topic import Topic, load_topics
from knowledge.topic_train import Examples, train
from knowledge.wording import Wording, examples, samples

ROOT = Path(__file__).parent.parent
HELD_OUT = ROOT / "tests" / "knowledge" / "heldout"
REPORT = ROOT / "docs" / "safety.md"
BEGIN, END = "<!-- library:begin -->", "<!-- library:end -->"
NONE = "none"
FOLDS = 5
#: Sets that others wrote after everything else was done.
BLIND = ("U", "V")
AFTERWARDS = (
    f"Sets {' and '.join(BLIND)} were written by others after everything else was done, and "
    "nothing was made from them. What the\nother sets showed has been read: the next change needs "
    "new ones."
)
_SEED = 20261122

Search = Callable[[str], Match]
Question = tuple[str, str]
_T = TypeVar("_T")


@dataclass(slots=True)
class Tally:
    """Counts over questions that have a topic (`asked`) and over those that have none."""

    asked: int = 0
    first: int = 0
    third: int = 0
    certain_right: int = 0
    certain_wrong: int = 0
    likely_right: int = 0
    likely_wrong: int = 0
    nothing: int = 0
    off_topic: int = 0
    others: int = 0
    others_certain: int = 0
    others_answered: int = 0
    others_flagged: int = 0

    def add(self, topic: str, match: Match) -> None:
        """Count one question that `topic` answers best (or `none`; of "a/b" either)."""
        if topic == NONE:
            self.others += 1
            self.others_certain += match.outcome == "certain"
            self.others_answered += match.outcome != "nothing"
            self.others_flagged += match.off_topic
            return
        found = [passage.id for passage in match.passages]
        answers = frozenset(topic.split("/"))
        right = bool(found) and found[0] in answers
        self.asked += 1
        self.first += right
        self.third += not answers.isdisjoint(found[:3])
        self.certain_right += right and match.outcome == "certain"
        self.certain_wrong += not right and match.outcome == "certain"
        self.likely_right += right and match.likely
        self.likely_wrong += not right and match.likely
        self.nothing += match.outcome == "nothing"
        self.off_topic += match.off_topic


def tally(questions: Iterable[Question], search: Search) -> Tally:
    """Ask every (topic, question) and count."""
    counts = Tally()
    for topic, question in questions:
        counts.add(topic, search(question))
    return counts


def held_out(folder: Path = HELD_OUT) -> dict[str, list[Question]]:
    """The held-out questions by file name; empty when the folder is not there."""
    files = sorted(folder.glob("questions_*.tsv"))
    return {path.stem.removeprefix("questions_"): _rows(path) for path in files}


def cross_validate(topics: Mapping[str, Topic], wording: Wording) -> Tally:
    """Leave a fifth of every topic's phrasings out, ask them, five times over.

    The same goes for the off-topic examples written for this project.
    """
    counts = Tally()
    for fold in range(FOLDS):
        kept, asked = _split(topics, fold)
        rest = _without(wording, fold)
        library = Library(kept, rest, model=train(Examples.of(kept, rest)))
        strangers = [(NONE, text) for text in _fifth(_written_off_topic(), fold)]
        for topic, question in (*asked, *strangers):
            counts.add(topic, library.search(question))
    return counts


def topic_taken_away(topics: Mapping[str, Topic], wording: Wording) -> Tally:
    """Ask about topics the library lacks: a tenth of the topics is taken away at a time."""
    counts = Tally()
    names = _shuffled(topics)
    for start in range(10):
        gone = set(names[start::10])
        kept = {k: t for k, t in topics.items() if k not in gone}
        library = Library(kept, wording, model=train(Examples.of(kept, wording)))
        for topic in gone:
            for question in topics[topic].questions:
                counts.add(topic, library.search(question))
    return counts


def main() -> int:
    """Measure everything, print it and write it into the report."""
    topics, wording = load_topics(), Wording.load()
    text = report(topics, wording)
    sys.stdout.write(text)
    write_between(REPORT, text)
    return 0


def report(topics: Mapping[str, Topic], wording: Wording) -> str:
    """All tables as Markdown."""
    library, seconds = _timed(
        lambda: Library(load_topics(), Wording.load(), model=topic_model.load())
    )
    asked = held_out()
    parts = [
        "Vetted library, measured by `python -m knowledge.library_eval`"
        f" ({len(topics)} topics, {sum(len(t.questions) for t in topics.values())} phrasings).",
        _table(_HEADS, held_out_rows(asked, library.search)),
        AFTERWARDS if asked.keys() >= set(BLIND) else "",
        _weak(asked, library.search),
        _table(_HEADS, [("own phrasings left out", cross_validate(topics, wording))]),
        _away(topic_taken_away(topics, wording)),
        _table(_OTHER_HEADS, stranger_rows(library.search)),
        _speed(library, asked, seconds),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def held_out_rows(
    asked: Mapping[str, Sequence[Question]], search: Search
) -> list[tuple[str, Tally]]:
    """One tally a file, and one for all files."""
    rows = [(f"held-out {name}", tally(questions, search)) for name, questions in asked.items()]
    counts = zip(*(astuple(counts) for _, counts in rows), strict=True)
    return [*rows, ("held-out, all", Tally(*map(sum, counts)))]


def stranger_rows(search: Search) -> list[tuple[str, Tally]]:
    """Tallies of open-corpus lines that no topic should answer."""
    rows = samples("test")
    general = [(NONE, text) for label, text in rows if label == "other"]
    chat = [(NONE, text) for label, text in rows if label == "health"]
    return [
        ("AfriQA questions and tweets, not health", tally(general, search)),
        ("TICO-19 doctor-patient lines", tally(chat, search)),
    ]


def write_between(path: Path, text: str) -> None:
    """Replace what stands between the library's markers of `path`, adding them when absent."""
    old = path.read_text("utf-8") if path.exists() else "# Safety, measured\n"
    if BEGIN not in old:
        old = f"{old.rstrip()}\n\n## Vetted library\n\n{BEGIN}\n{END}\n"
    head, _, rest = old.partition(BEGIN)
    _, _, tail = rest.partition(END)
    path.write_text(f"{head}{BEGIN}\n{text}{END}{tail}", "utf-8")


_HEADS = (
    "set",
    "questions",
    "right first",
    "right in top 3",
    "certain and right",
    "certain and wrong",
    "likely and right",
    "likely and wrong",
    "nothing",
    "called off-topic",
    "off-topic lines",
    "answered as health",
    "of these certain",
)
_OTHER_HEADS = ("set", "lines", "any answer", "certain answer", "called off-topic")


def _table(heads: Sequence[str], rows: Sequence[tuple[str, Tally]]) -> str:
    cells = [_cells(name, counts, short=heads is _OTHER_HEADS) for name, counts in rows]
    lines = [heads, ["---"] * len(heads), *cells]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cells(name: str, c: Tally, *, short: bool) -> list[str]:
    others = [_share(n, c.others) for n in (c.others_answered, c.others_certain)]
    if short:
        return [name, str(c.others), *others, _share(c.others_flagged, c.others)]
    outcomes = (c.certain_right, c.certain_wrong, c.likely_right, c.likely_wrong, c.nothing)
    counts = (c.first, c.third, *outcomes, c.off_topic)
    shares = [_share(n, c.asked) for n in counts]
    return [name, str(c.asked), *shares, str(c.others), *others]


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "–"


def _weak(asked: Mapping[str, Sequence[Question]], search: Search) -> str:
    by_topic: dict[str, list[Question]] = {}
    for question in (row for rows in asked.values() for row in rows if row[0] != NONE):
        by_topic.setdefault(question[0], []).append(question)
    tallies = {topic: tally(rows, search) for topic, rows in sorted(by_topic.items())}
    missed = [f"{t} {c.first}/{c.asked}" for t, c in tallies.items() if c.first < c.asked]
    return f"Held-out topics not always first: {', '.join(missed) or 'none'}." if asked else ""


def _away(counts: Tally) -> str:
    return (
        f"Topic taken away ({counts.asked} questions): certain (so wrong)"
        f" {_share(counts.certain_wrong, counts.asked)}, nothing"
        f" {_share(counts.nothing, counts.asked)}, called off-topic"
        f" {_share(counts.off_topic, counts.asked)}."
    )


def _speed(library: Library, asked: Mapping[str, Sequence[Question]], seconds: float) -> str:
    texts = [text for rows in asked.values() for _, text in rows] or _written_off_topic()
    spent = [_timed(lambda text=text: library.search(text))[1] * 1000 for text in texts]  # type: ignore[misc]
    ordered = sorted(spent)
    slow = ordered[int(0.99 * (len(ordered) - 1))]
    return (
        f"Processor time: {seconds:.2f} s to read and index the library at start; a search"
        f" {statistics.median(ordered):.1f} ms (median), {slow:.1f} ms (99th percentile)."
    )


def _timed(work: Callable[[], _T]) -> tuple[_T, float]:
    # Processor time, because it does not change with what else the machine does.
    start = time.process_time()
    result = work()
    return result, time.process_time() - start


def _split(topics: Mapping[str, Topic], fold: int) -> tuple[dict[str, Topic], list[Question]]:
    kept, asked = {}, []
    for key, topic in topics.items():
        questions = _shuffled(topic.questions)
        out = questions[fold::FOLDS]
        asked += [(key, question) for question in out]
        kept[key] = replace(topic, questions=tuple(q for q in questions if q not in out))
    return kept, asked


def _without(wording: Wording, fold: int) -> Wording:
    gone = set(_fifth(_written_off_topic(), fold))
    return replace(wording, other=tuple(text for text in wording.other if text not in gone))


def _written_off_topic() -> list[str]:
    return [text for label, text in examples() if label == "other"]


def _fifth(texts: Sequence[str], fold: int) -> list[str]:
    return _shuffled(texts)[fold::FOLDS]


def _shuffled(texts: Iterable[str]) -> list[str]:
    ordered = sorted(texts)
    random.Random(_SEED).shuffle(ordered)  # noqa: S311 - repeatable folds, not a secret
    return ordered


def _rows(path: Path) -> list[Question]:
    lines = path.read_text("utf-8").splitlines()[1:]
    return [(t.strip(), q.strip()) for t, _, q in (line.partition("\t") for line in lines) if q]


if __name__ == "__main__":
    raise SystemExit(main())
