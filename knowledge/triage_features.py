"""What the triage's scorer of danger looks at: a message seen four ways, side by side.

As hashed n-grams of its words; as words with synonyms made one, and the kinds of person, beast and
thing they name, as the library knows them; as running letters across words; and as what written
rules and context cues make of it. Does not weigh them: `knowledge.triage_model` does.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

import numpy as np

from knowledge.ngrams import BUCKETS, Features, bucket_of, features, weighed, words_of
from knowledge.triage_context import Context, first_free
from knowledge.triage_rules import Hit, Rules
from knowledge.wording import Wording

RUNNING: Final = 1 << 18
SAID: Final = 1 << 12
GRAMS: Final = (4, 6)
#: How many buckets each view has; together they are the rows of the scorer's weights.
WIDTHS: Final = (BUCKETS, BUCKETS, RUNNING, SAID)
WIDTH: Final = sum(WIDTHS)
_STARTS: Final = tuple(accumulate(WIDTHS[:-1], initial=0))
# One rule says as much as some ten words. Chosen on held-out sets A to N.
_WEIGHT_OF_A_RULE: Final = 0.3
_MANY_RULES: Final = 3


@dataclass(frozen=True, slots=True)
class Seen:
    """A keyed text as the scorer sees it, and the rules that match it.

    `live` are the rules that match when figures of speech and denials are cut out; `told` says that
    something happened to somebody near.
    """

    views: tuple[Features, Features, Features, Features]
    hits: tuple[Hit, ...]
    live: tuple[Hit, ...]
    context: str | None
    told: bool

    def joined(self) -> Features:
        """Return the views as one, each in buckets of its own."""
        places = [places + start for (places, _), start in zip(self.views, _STARTS, strict=True)]
        return np.concatenate(places), np.concatenate([values for _, values in self.views])


class Reader:
    """Reads keyed texts with the rules, the context cues and the library's synonyms."""

    def __init__(self, rules: Rules, context: Context, wording: Wording) -> None:
        """Read with `rules`, `context` and `wording`."""
        self._rules, self._context, self._wording = rules, context, wording

    def read(self, keyed: str) -> Seen:
        """Return everything that is seen in `keyed` (see `triage_text.key`)."""
        words = words_of(keyed)
        hits = self._rules.hits(keyed)
        cut = self._context.without_denials(self._context.without_idioms(keyed))
        live = hits if cut == keyed else self._rules.hits(cut)
        cues, marks = self._context.cues(keyed), self._context.marks(keyed)
        context = first_free(cues)
        said = {
            *_ruled(hits, live),
            *_cued(cues, hit=bool(hits)),
            *_marked(marks, hit=bool(hits)),
            f"context {context}",
        }
        if hits and context:
            said.add("hit in context")
        if cut != keyed:
            said.add("cut")
        if self._rules.cry(keyed):
            said.add("cry")
        ruled = np.array([bucket_of(name, SAID) for name in sorted(said)], dtype=np.int64)
        views = (
            features(keyed),
            self._named(words),
            _running(words),
            (ruled, np.full(len(ruled), _WEIGHT_OF_A_RULE, dtype=np.float32)),
        )
        return Seen(views, tuple(hits), tuple(live), context, marks >= {"event", "personal"})

    def _named(self, words: Sequence[str]) -> Features:
        names = self._wording.names(self._wording.same.replace(words))
        return weighed(Counter(map(bucket_of, names)))


def _ruled(hits: Sequence[Hit], live: Sequence[Hit]) -> Iterator[str]:
    """Yield what the rules say, and how many."""
    for hit in hits:
        yield f"by {hit.by}"
        yield f"hit {hit.sign} {hit.by}"
    yield from (f"live {hit.by}" for hit in live)
    yield f"hits {min(_MANY_RULES, len(hits))}"


def _cued(cues: Mapping[str, bool], *, hit: bool) -> Iterator[str]:
    """Yield the cues, and that a rule stands beside them."""
    for cue, vetoed in cues.items():
        name = f"{'vetoed ' if vetoed else ''}cue {cue}"
        yield name
        if hit:
            yield f"hit beside {name}"


def _marked(marks: Set[str], *, hit: bool) -> Iterator[str]:
    """Yield the marks, one by one and together, and that a rule stands beside them."""
    yield f"marks {' '.join(sorted(marks))}"
    for mark in marks:
        yield mark
        if hit:
            yield f"hit and {mark}"


def _running(words: Sequence[str]) -> Features:
    line = f" {' '.join(words)} "
    grams = (line[at : at + size] for size in GRAMS for at in range(len(line) - size + 1))
    return weighed(Counter(bucket_of(gram, RUNNING) for gram in grams))
