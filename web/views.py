"""What the pages look like: the chat page, a page with one sentence, and the words in them.

Knows the templates and the texts. Does not know the routes, and takes nothing in.
"""

import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import g, render_template

from bot.texts import LANGUAGES
from core.errors import StoreError
from web import incoming
from web.incoming import Refused
from web.service import Service, Shown

#: The numbers of knowledge/data/helplines.yaml for a caller whose country is unknown (tested).
NUMBERS = (("112", "page-emergency-ng"), ("15", "page-emergency-ne"))
_SAMPLES = ("sample-1", "sample-2", "sample-3", "sample-4")
#: Menu items are the plain orders of `bot.commands`, sent as if they had been written.
_MENU = (
    ("taimako", "page-menu-help"),
    ("bayanaina", "page-menu-data"),
    ("goge", "page-menu-erase"),
)
#: A link to a file of one's own data (`bot.links`): shown as a link to this very server.
_DATA_LINK = re.compile(r"https?://\S+(/data/[\w.~-]+)")


def language(asked: str | None) -> str:
    """The language of a page: Hausa unless another one that we have is asked for."""
    return asked if asked in LANGUAGES else LANGUAGES[0]


@dataclass(frozen=True, slots=True)
class Talk:
    """What one chat page shows: whose, the conversation so far, and what could not be sent."""

    session: str
    message_id: str
    history: Sequence[Shown] = ()
    waiting: bool = False
    asked: bool = False
    problem: str = ""
    unsent: str = ""


def new_talk() -> Talk:
    """An empty page with a session of its own (it counts once something is sent)."""
    return Talk(secrets.token_urlsafe(24), new_id())


def new_id() -> str:
    """The id of the next message of a page without scripts: sent twice, it is one message."""
    return secrets.token_urlsafe(16)


@dataclass(frozen=True, slots=True)
class Views:
    """Renders. `asset` gives the address of a static file."""

    service: Service
    asset: Callable[[str], str]

    def say(self, key: str, **values: str) -> str:
        """A sentence in the page's language."""
        texts, spoken = self.service.texts, g.lang
        values.setdefault("emergency", texts("page-emergency-both", spoken))
        return texts(key, spoken, **values)

    def chat(self, talk: Talk) -> str:
        """The chat page."""
        return render_template(
            "page.html",
            t=self.say,
            lang=g.lang,
            other=next(name for name in LANGUAGES if name != g.lang),
            asset=self.asset,
            engine=self.engine(),
            welcome=self.say("page-welcome"),
            samples=[self.say(key) for key in _SAMPLES],
            numbers=[(number, self.say(key)) for number, key in NUMBERS],
            menu=[(order, self.say(key)) for order, key in _MENU],
            longest=incoming.LONGEST,
            parts=parts,
            **{name: getattr(talk, name) for name in Talk.__slots__},
        )

    def sentence(self, sentence: str) -> str:
        """A page that says one thing and leads back."""
        asset = self.asset
        return render_template(
            "notice.html", t=self.say, lang=g.lang, asset=asset, sentence=sentence
        )

    def engine(self) -> str:
        """The line that says who answers."""
        known = self.service.readiness()
        label = self.say("page-engine", engine=self.say(engine_key(known)))
        return f"{label} {self.say('page-draft')}" if known.get("drafts") else label

    def trouble(self, error: Exception) -> tuple[int, str, str]:
        """(status, key, sentence) for an error."""
        if isinstance(error, Refused):
            return error.status, error.key, self.say(error.key)
        status, key = (503, "page-busy") if isinstance(error, StoreError) else (500, "error-page")
        return status, key, self.say(key)


def engine_key(readiness: Mapping[str, Any]) -> str:
    """The human word for the engine; a model that cannot answer is said to rest."""
    name = readiness.get("engine")
    if name in ("library", "echo"):
        return f"page-engine-{name}"
    down = any(str(reason).startswith("engine") for reason in readiness.get("reasons", ()))
    return "page-engine-resting" if down else "page-engine-model"


def parts(text: str) -> list[tuple[str, bool]]:
    """A text as (words, False) and (path of a data file, True), in order."""
    pieces = _DATA_LINK.split(text)
    return [(piece, bool(number % 2)) for number, piece in enumerate(pieces) if piece]


def shown_json(shown: Shown) -> dict[str, Any]:
    """One message for the page's script."""
    return {
        "id": shown.id,
        "direction": shown.direction,
        "text": shown.text,
        "choices": [list(choice) for choice in shown.choices],
        "source": shown.source,
        "urgent": shown.direction == "out" and shown.danger_sign is not None,
    }
