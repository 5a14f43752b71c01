"""From named sources to what is trained on: read, clean, mix, split, and a card that says so.

A source is `starter` (the vetted library), a file, or a hub id; each may carry a weight
(`talks.jsonl:2`). The split is by a hash of the question: a question that is held out once is held
out for ever, whatever is added around it.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any, Final

from inference.engine import Passage
from knowledge.folding import fold
from training import clean as cleaning
from training import grounding
from training.clean import Detect, Judge
from training.grounding import Ground
from training.rows import Conversation, DataError, Fault, parse, read
from training.starter import starter

STARTER: Final = "starter"
#: The data set that the origin's adapter was trained on (its card: splits train 8,100, test 900).
HUB_DEFAULT: Final = "ictbiortc/hausa-medical-conversations-format-9k"
#: How many faulty rows are named one by one; the rest are counted.
FAULTS_SHOWN: Final = 20
_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Source:
    """Where rows come from, and how often each is taken (2: twice; 0.5: every other one)."""

    name: str
    weight: float = 1.0

    @classmethod
    def parse(cls, text: str) -> "Source":
        """`name` or `name:weight`. Raises DataError for a weight that is not from 0.01 to 100."""
        name, colon, weight = text.strip().rpartition(":")
        if not colon or not _is_number(weight):
            return cls(text.strip())
        if not 0.01 <= float(weight) <= 100:
            raise DataError(f"{text}: a weight must be from 0.01 to 100")
        return cls(name, float(weight))


@dataclass(frozen=True, slots=True)
class Tools:
    """What judging rows needs and this room does not have: handed in by the caller."""

    detect: Detect
    judge: Judge
    known_numbers: frozenset[str] = frozenset()
    evaluation: Sequence[str] = ()
    ground: Ground = field(default_factory=Ground)
    #: Further sources by name, such as the store's consented conversations.
    own: Mapping[str, Callable[[], Iterable[Conversation]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Card:
    """What was trained on, for people and for the release's manifest."""

    sources: tuple[dict[str, Any], ...]
    read: int
    faulty: int
    faults: tuple[str, ...]
    dropped: dict[str, int]
    train: int
    held_out: int
    grounded: int
    turns: int
    characters: int
    hash: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """The two sides of the split, and the card."""

    train: tuple[Conversation, ...]
    held_out: tuple[Conversation, ...]
    card: Card


def prepare(
    sources: Sequence[Source],
    tools: Tools,
    *,
    held_out: float = 0.1,
    grounded: float = 0.0,
    limit: int | None = None,
    on_row: Callable[[int], None] = lambda count: None,
) -> Prepared:
    """Everything that the sources hold and that may be learnt from.

    `held_out` is the share of questions kept for grading, `grounded` the share of rows (of both
    sides) that are shown with vetted passages, `limit` the most rows of each source.
    Raises DataError for a source that cannot be read, or when nothing is left to learn from.
    """
    if not sources:
        raise DataError("no data: name at least one source, such as starter")
    found = [_collect(source, tools, limit) for source in sources]
    rows = [row for good, _ in found for row in good]
    faults = [fault for _, bad in found for fault in bad]
    cleaned = cleaning.clean(
        rows,
        detect=tools.detect,
        judge=tools.judge,
        known_numbers=tools.known_numbers,
        evaluation=tools.evaluation,
        trusted=frozenset({STARTER}),
        on_row=on_row,
    )
    train = [row for row in cleaned.kept if not _held_out(row, held_out)]
    graded = [row for row in cleaned.kept if _held_out(row, held_out)]
    if not train:
        raise DataError(_nothing_left(len(rows), faults, cleaned.dropped))
    train = grounding.grounded(_mixed(train, found, sources), grounded, tools.ground)
    graded = grounding.grounded(graded, grounded, tools.ground)
    described = tuple(
        asdict(source) | {"rows": len(good), "faulty": len(bad), "sha256": _sum(source, tools)}
        for source, (good, bad) in zip(sources, found, strict=True)
    )
    card = _card(described, rows, faults, cleaned.dropped, train, graded)
    return Prepared(tuple(train), tuple(graded), card)


def save(prepared: Prepared, folder: Path) -> None:
    """Write train.jsonl, held_out.jsonl, card.json and card.md into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in (("train", prepared.train), ("held_out", prepared.held_out)):
        lines = "".join(json.dumps(row.record(), ensure_ascii=False) + "\n" for row in rows)
        (folder / f"{name}.jsonl").write_text(lines, "utf-8")
    card = json.dumps(asdict(prepared.card), ensure_ascii=False, indent=2)
    (folder / "card.json").write_text(card + "\n", "utf-8")
    (folder / "card.md").write_text(markdown(prepared.card), "utf-8")


def load(file: Path) -> tuple[Conversation, ...]:
    """What `save` wrote. Raises DataError when the file was changed by hand and is broken."""
    with file.open("rb") as lines:
        return tuple(_again(raw, file, number) for number, raw in enumerate(lines, 1))


def markdown(card: Card) -> str:
    """The card as a page."""
    sources = "\n".join(
        f"| {s['name']} | {s['weight']:g} | {s['rows']:,} | {s['faulty']:,} |" for s in card.sources
    )
    dropped = "\n".join(f"| {why} | {count:,} |" for why, count in card.dropped.items())
    faults = "".join(f"- {fault}\n" for fault in card.faults)
    more = card.faulty - len(card.faults)
    return (
        "# Training data\n\n"
        f"{card.train:,} conversations to learn from, {card.held_out:,} held out, "
        f"{card.grounded:,} of all with vetted passages; "
        f"{card.turns:,} turns, {card.characters:,} characters. Hash `{card.hash}`.\n\n"
        "| Source | Weight | Rows | Faulty |\n|---|---:|---:|---:|\n"
        f"{sources}\n\n| Left out | Rows |\n|---|---:|\n{dropped or '| nothing | 0 |'}\n"
        + (f"\n## Faulty rows\n\n{faults}" if faults else "")
        + (f"- and {more:,} more\n" if more > 0 else "")
    )


def _again(raw: bytes, file: Path, number: int) -> Conversation:
    """A saved row. Passages are believed here alone: those of another file nobody vetted."""
    try:
        record = json.loads(raw)
        row = parse(record, file.name, number)
        passages = tuple(Passage(one["id"], one["text"]) for one in record.get("passages", ()))
    except (ValueError, KeyError, TypeError, AttributeError):
        row = Fault(file.name, number, "not what was saved: prepare the data anew")
    if isinstance(row, Fault):
        raise DataError(str(row))
    return replace(row, passages=passages)


def _collect(
    source: Source, tools: Tools, limit: int | None
) -> tuple[list[Conversation], list[Fault]]:
    good: list[Conversation] = []
    bad: list[Fault] = []
    for row in islice(_rows(source.name, tools), limit):
        if isinstance(row, Fault):
            bad.append(row)
        else:
            good.append(row)
    if not good and not bad:
        raise DataError(f"{source.name}: no conversations in it")
    return good, bad


def _rows(name: str, tools: Tools) -> Iterator[Conversation | Fault]:
    if name == STARTER:
        return starter()
    if name in tools.own:
        return iter(tools.own[name]())
    path = Path(name)
    if path.is_dir():
        return (row for file in _files(path) for row in read(file))
    if path.exists() or path.suffix or name.count("/") != 1:
        return read(path)
    return _from_hub(name)


def _files(folder: Path) -> list[Path]:
    kinds = {".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet"}
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() in kinds)
    if not files:
        raise DataError(f"{folder}: no .jsonl, .json, .csv, .tsv or .parquet file in it")
    return files


def _from_hub(name: str) -> Iterator[Conversation | Fault]:
    """The train split of a hub data set. Raises DataError when it cannot be had."""
    try:
        import datasets
    except ImportError:
        raise DataError(f"{name}: reading from the hub needs `pip install -e '.[train]'`") from None
    try:
        rows = datasets.load.load_dataset(name, split="train")
    except Exception as error:  # the hub's client raises a dozen kinds
        why = (str(error).splitlines() or [""])[0][:200]
        raise DataError(
            f"{name}: neither a file here nor a data set that the hub gives "
            f"({type(error).__name__}: {why})"
        ) from None
    for number, row in enumerate(rows, 1):
        yield parse(row, name, number)


def _held_out(row: Conversation, share: float) -> bool:
    question = hashlib.sha256(fold(row.question).encode()).digest()
    return int.from_bytes(question[:4], "big") / 2**32 < share


def _mixed(
    train: list[Conversation],
    found: Sequence[tuple[list[Conversation], list[Fault]]],
    sources: Sequence[Source],
) -> list[Conversation]:
    """Each source's rows as often as its weight says; a fraction takes the rows by their hash."""
    weights = {
        id(row): source.weight
        for source, (good, _) in zip(sources, found, strict=True)
        for row in good
    }
    return [row for row in train for _ in range(_times(row, weights[id(row)]))]


def _times(row: Conversation, weight: float) -> int:
    whole = int(weight)
    chance = int(cleaning.digest(row)[:8], 16) / 16**8
    return whole + (chance < weight - whole)


def _card(
    sources: tuple[dict[str, Any], ...],
    rows: list[Conversation],
    faults: list[Fault],
    dropped: dict[str, int],
    train: list[Conversation],
    graded: list[Conversation],
) -> Card:
    total = hashlib.sha256()
    for side in (train, graded):
        total.update("\n".join(sorted(map(_learnt, side))).encode() + b"\n\n")
    return Card(
        sources=sources,
        read=len(rows) + len(faults),
        faulty=len(faults),
        faults=tuple(map(str, faults[:FAULTS_SHOWN])),
        dropped=dropped,
        train=len(train),
        held_out=len(graded),
        grounded=sum(bool(row.passages) for row in (*train, *graded)),
        turns=sum(len(row.turns) for row in train),
        characters=sum(len(turn.text) for row in train for turn in row.turns),
        hash=total.hexdigest(),
    )


def _learnt(row: Conversation) -> str:
    """A stable name of a conversation and of what is shown with it."""
    shown = "\x00".join(f"{one.id}\x01{one.text}" for one in row.passages)
    return cleaning.digest(row) + (hashlib.sha256(shown.encode()).hexdigest() if shown else "")


def _sum(source: Source, tools: Tools) -> str | None:
    """The checksum of a source that is a file."""
    path = Path(source.name)
    if source.name == STARTER or source.name in tools.own or not path.is_file():
        return None
    total = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            total.update(chunk)
    return total.hexdigest()


def _nothing_left(rows: int, faults: list[Fault], dropped: dict[str, int]) -> str:
    first = f"; the first fault: {faults[0]}" if faults else ""
    why = ", ".join(f"{count} {reason}" for reason, count in dropped.items())
    return (
        f"nothing left to learn from: {rows} good rows, {len(faults)} faulty"
        f"{first}{f'; left out: {why}' if why else ''}"
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
