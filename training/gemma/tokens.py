"""A conversation as token ids, and which of them the loss is taken on.

The prompt is rendered by the same code that serves. Only what an assistant said counts: its text,
the end-of-turn mark and the line end after it, of every turn.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from inference import prompt
from inference.engine import Request
from knowledge import person
from training.rows import Conversation

#: The label of a token that is not learnt.
IGNORED: Final = -100
#: Gemma 3's template ends each turn so; the renderer lets nobody write these marks.
_ANSWER: Final = re.compile(r"<start_of_turn>model\n(.*?<end_of_turn>\n?)", re.S)
#: The renderer must not trim a row: rows that are too long lose turns here, and are counted.
_ALL: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class Encoded:
    """Token ids and labels, equally long; `cut` turns at the beginning did not fit.

    `passages` vetted passages are in it; `bared` says that it had some and no room for them.
    """

    input_ids: list[int]
    labels: list[int]
    cut: int = 0
    passages: int = 0
    bared: bool = False

    @property
    def learnt(self) -> int:
        """How many tokens the loss is taken on."""
        return sum(label != IGNORED for label in self.labels)


@dataclass(frozen=True, slots=True)
class Encoding:
    """Every row that fits, and what the length cost."""

    rows: tuple[Encoded, ...]
    shortened: int
    too_long: int

    def statistics(self) -> dict[str, int | float]:
        """Counts of rows and tokens, for the dry run and the manifest."""
        lengths = sorted(len(row.input_ids) for row in self.rows) or [0]
        total = sum(lengths)
        return {
            "rows": len(self.rows),
            "shortened": self.shortened,
            "too_long": self.too_long,
            "grounded": sum(row.passages > 0 for row in self.rows),
            "bared": sum(row.bared for row in self.rows),
            "tokens": total,
            "learnt_tokens": sum(row.learnt for row in self.rows),
            "mean": round(total / len(lengths), 1),
            "median": lengths[len(lengths) // 2],
            "longest": lengths[-1],
        }


def encode_all(rows: Iterable[Conversation], tokenizer: Any, max_length: int) -> Encoding:
    """Encode rows; those too long lose their oldest turns, and those too long still are left out.

    An answer is never cut: a model that learns from cut answers learns to stop in mid-sentence.
    """
    found = [encode(row, tokenizer, max_length) for row in rows]
    kept = tuple(row for row in found if row is not None)
    return Encoding(kept, sum(row.cut > 0 for row in kept), len(found) - len(kept))


def encode(row: Conversation, tokenizer: Any, max_length: int) -> Encoded | None:
    """One conversation of at most `max_length` tokens; None when its last turn alone is longer.

    The oldest turns go first, as in serving; then all passages at once, since the one that the
    answer rests on may be any of them.
    """
    for cut in range(0, len(row.turns), 2):
        encoded = _encode(row, tokenizer, cut)
        if len(encoded.input_ids) <= max_length:
            return encoded
    if not row.passages:
        return None
    bare = encode(replace(row, passages=()), tokenizer, max_length)
    return replace(bare, bared=True) if bare else None


def _encode(row: Conversation, tokenizer: Any, cut: int) -> Encoded:
    text = render(row, tokenizer, cut)
    batch = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    spans = [match.span(1) for match in _ANSWER.finditer(text)]
    ids, offsets = list(batch["input_ids"]), batch["offset_mapping"]
    labels = [
        token if any(start <= begin and end <= stop for start, stop in spans) else IGNORED
        for token, (begin, end) in zip(ids, offsets, strict=True)
    ]
    return Encoded(ids, labels, cut, len(row.passages))


def render(row: Conversation, tokenizer: Any, cut: int = 0) -> str:
    """The whole text of a conversation as the model sees it, without its first `cut` turns."""
    turns = row.turns[cut:]
    asked, past = turns[-2].text, turns[:-2]
    request = Request(asked, past=past, passages=row.passages, person=person.line(asked, past))
    messages = prompt.messages(request, room=_ALL)
    answer = {"role": "assistant", "content": prompt.defuse(turns[-1].text)}
    return str(tokenizer.apply_chat_template([*messages, answer], tokenize=False))
