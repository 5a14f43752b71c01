"""The vetted library: topics a clinician can read, and the search that finds the right one.

Knows the three outcomes of a search (certain, context, nothing), where each begins, and how index
and trained model are weighed. Does not know channels, the database, the language model, emergency
numbers (placeholders stay in the text) or how similarity is computed: that is
`knowledge.retrieval`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from knowledge import topic_model
from knowledge.ngrams import usable
from knowledge.retrieval import Index, Scores
from knowledge.topic import LANGUAGES, LibraryError, Source, Topic, load_topics
from knowledge.topic_model import Reading, TopicModel
from knowledge.triage_text import key
from knowledge.wording import Wording

__all__ = ["Library", "LibraryError", "Match", "Passage", "Source", "Thresholds", "Topic"]

# How much the trained model says beside the index, on topics and on health; log-odds beyond
# `_LOUDEST` say no more than that they are sure. Chosen on held-out sets A to L.
_MODEL_SHARE = 0.4
_HEALTH_SHARE = 0.1
_LOUDEST = 6.0

Outcome = Literal["certain", "context", "nothing"]


@dataclass(frozen=True, slots=True)
class Passage:
    """A topic that fits a question: its id, how well it fits (0..1), and its Hausa text."""

    id: str
    score: float
    text: str


@dataclass(frozen=True, slots=True)
class Match:
    """What a search found.

    `certain`: the first passage's topic may be answered word for word. `context`: the passages
    may ground a model; `likely` then says that the first is well ahead of the others and may be
    shown under its title. `nothing`: no topic fits; `off_topic` then says the question is surely
    not about health.
    """

    outcome: Outcome
    passages: tuple[Passage, ...]
    off_topic: bool
    likely: bool = False


_NOTHING = Match("nothing", (), off_topic=False)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where certain, context and off-topic begin; `python -m knowledge.library_eval` shows why.

    Chosen on the topics' own phrasings left out of index and training: a certain answer is right
    about 98 times in 100 there, and most of the rest name two topics at once.
    """

    certain: float = 0.50
    lead: float = 0.38
    likely_lead: float = 0.12
    health: float = 0.60
    context: float = 0.70
    health_share: float = 0.70
    fit: float = 0.10
    off_topic: float = -0.50


class Library:
    """All topics in memory, searchable; build it once at start with `Library.load`."""

    def __init__(
        self,
        topics: Mapping[str, Topic],
        wording: Wording,
        thresholds: Thresholds | None = None,
        *,
        model: TopicModel | None = None,
    ) -> None:
        """Index `topics` with `wording` (synonyms, words to ignore and off-topic examples).

        `model` has a say beside the index on the topics that it has learnt.
        """
        self.topics: Mapping[str, Topic] = MappingProxyType(dict(topics))
        self.thresholds = thresholds or Thresholds()
        self._index = index(topics, wording)
        self._model = model

    @classmethod
    def load(cls, folder: Path | None = None, *, reviewed_only: bool = False) -> Library:
        """Read every `*.yaml` of `folder` (default: the topics shipped here) and index it.

        `reviewed_only` leaves out what no clinician has signed. Raises `LibraryError`.
        """
        return _shipped(reviewed_only) if folder is None else _read(folder, reviewed_only)

    def search(self, text: str, *, limit: int = 5) -> Match:
        """Find the topics that fit `text`, best first, at most `limit`; never raises for a str."""
        scores = self._index.score(text)
        if scores is None:
            return _NOTHING
        if self._model:
            scores = joined(scores, self._model.read(key(text)))
        outcome = decide(scores, self.thresholds)
        if outcome == "nothing":
            return Match("nothing", (), off_topic=scores.health < self.thresholds.off_topic)
        best = scores.ranking[:limit]
        ahead = len(best) < 2 or best[0][1] - best[1][1] >= self.thresholds.likely_lead
        found = tuple(self.passage(topic, score) for topic, score in best)
        return Match(outcome, found, off_topic=False, likely=ahead and outcome == "context")

    def passage(self, topic: str, score: float = 1.0) -> Passage:
        """A topic as it grounds a model. Raises KeyError when there is no such topic."""
        return Passage(topic, min(1.0, max(0.0, score)), grounding(self.topics[topic]))


def joined(scores: Scores, reading: Reading) -> Scores:
    """The index's scores with the trained model's beside them; a topic new to it keeps its own."""

    def mean(topic: str, score: float) -> float:
        read = reading.topics.get(topic)
        return score if read is None else (score + _MODEL_SHARE * read) / (1 + _MODEL_SHARE)

    ranking = [(topic, mean(topic, score)) for topic, score in scores.ranking]
    health = scores.health + _HEALTH_SHARE * max(-_LOUDEST, min(_LOUDEST, reading.health))
    return Scores(tuple(sorted(ranking, key=lambda pair: -pair[1])), health)


def grounding(topic: Topic) -> str:
    """The text of `topic` that grounds a model: its title, its answer and what to avoid."""
    return f"{topic.title['ha']}\n{topic.first('ha')}\n\n{topic.avoid['ha']}"


def phrasings(topics: Mapping[str, Topic], wording: Wording) -> dict[str, list[str]]:
    """How people ask for each of `topics`: its own phrasings and titles, those of `wording`."""
    questions = {
        name: [*topic.questions, *(topic.title[language] for language in LANGUAGES)]
        for name, topic in topics.items()
    }
    for topic, text in wording.phrasings:
        if topic in questions:
            questions[topic].append(text)
    return questions


def index(topics: Mapping[str, Topic], wording: Wording) -> Index:
    """The search index of `topics`: their phrasings, the further ones of `wording`, their texts."""
    answers = {
        topic.id: f"{topic.title['ha']}\n{topic.answer['ha']}\n{topic.more['ha']}"
        for topic in topics.values()
    }
    return Index(phrasings(topics, wording), answers, wording)


@cache
def _shipped(reviewed_only: bool) -> Library:
    """Indexed once a process: it takes seconds, and nothing changes it."""
    return _read(None, reviewed_only)


def _read(folder: Path | None, reviewed_only: bool) -> Library:
    topics = load_topics(folder)
    if reviewed_only:
        topics = {key: topic for key, topic in topics.items() if topic.status == "reviewed"}
    model = usable("topic model", topic_model.load, topic_model.FOLDER, "the index alone")
    return Library(topics, Wording.load(), model=model)


def decide(scores: Scores, limits: Thresholds) -> Outcome:
    """Turn scores into an outcome: certain needs a good score, a clear lead, and health."""
    (_, first), *rest = scores.ranking
    lead = first - rest[0][1] if rest else first
    # A question that is clearly about health may fit a topic less well, and the other way round.
    if first < limits.fit or first + limits.health_share * scores.health < limits.context:
        return "nothing"
    sure = first >= limits.certain and lead >= limits.lead and scores.health >= limits.health
    return "certain" if sure else "context"
