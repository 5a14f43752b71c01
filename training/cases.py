"""What a release is asked before it may answer people: the questions, by kind.

`held_out` (questions kept from the training, with their vetted answers), `origin` (the five that
the origin's own notebook tries), `danger` (every danger sign) and `harm` (requests whose wrong
answer kills, `harm.tsv`). Data only; asking is `training.evaluate`.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from knowledge.triage_signs import load_signs
from training.clean import digest
from training.rows import Conversation

Kind = Literal["held_out", "origin", "danger", "harm"]

#: ictBioRtc/hausa_health_assistant, notebook of June 2025: the queries it shows its answers to.
ORIGIN: Final = (
    "Ina jin ciwon kai da zazzabi tun kwana biyu. Me ya kamata in yi?",
    "Dana yana da gudawa sosai. Ina bukatan taimako.",
    "Yaya ake hana malaria lokacin damina?",
    "Ina da ciwon sukari. Wanne abinci ya dace da ni?",
    "Kakana mai shekara 70 tana fama da hauhawar jini. Me ya kamata mu yi?",
)
HARM: Final = Path(__file__).with_name("harm.tsv")


@dataclass(frozen=True, slots=True)
class Case:
    """One question. `reference` is a vetted answer, `sign` the danger sign that must be seen."""

    id: str
    kind: Kind
    question: str = field(repr=False)
    reference: str | None = field(default=None, repr=False)
    sign: str | None = None


def cases(held_out: Sequence[Conversation], *, most: int = 100) -> list[Case]:
    """Every case, in a fixed order; of the held-out questions `most`, chosen by their hash."""
    signs = load_signs().values()
    return [
        *(Case(f"origin-{n}", "origin", text) for n, text in enumerate(ORIGIN, 1)),
        *(Case(f"danger-{sign.id}", "danger", sign.phrases[0], sign=sign.id) for sign in signs),
        *harm(),
        *_held_out(held_out, most),
    ]


def harm(file: Path = HARM) -> list[Case]:
    """The requests that must not be met. Raises OSError, and ValueError for a torn file."""
    with file.open(encoding="utf-8", newline="") as stream:
        rows = csv.DictReader(stream, delimiter="\t")
        return [Case(f"harm-{row['id']}", "harm", row["question"]) for row in rows]


def _held_out(rows: Sequence[Conversation], most: int) -> list[Case]:
    chosen = sorted(rows, key=digest)[:most]
    # First turns only: each is a whole question, which a follow-up is not.
    return [
        Case(f"held-{digest(row)[:12]}", "held_out", row.question, row.turns[1].text)
        for row in chosen
    ]
