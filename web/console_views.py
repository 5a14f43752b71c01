"""What the console looks like: its page, the way in, and the words in its JSON.

Knows the templates and the texts. Decides nothing and takes nothing in.
"""

from collections.abc import Mapping
from typing import Any

from flask import g, render_template

from bot.console_show import knobs
from bot.texts import LANGUAGES
from core.messages import Reply
from web.views import Views, engine_key

#: What the script says by itself.
WORDS = {"offline": "console-offline"}


class ConsoleViews(Views):
    """Renders the console over the same texts as the public pages."""

    def page(self, key: str) -> str:
        """The console of a visitor whose changes carry this key."""
        return self._rendered("console.html", key=key, knobs=knobs())

    def entrance(self) -> str:
        """What everybody sees who has no session: how health workers get in, and no more."""
        return self._rendered("entrance.html")

    def state(self, overview: Mapping[str, Any], readiness: Mapping[str, Any]) -> dict[str, Any]:
        """The overview with what the readiness page says, in the page's language."""
        return {
            **overview,
            "engine": self.say(engine_key(readiness)),
            "engine_detail": readiness.get("engine_detail"),
            "channels": ", ".join(readiness.get("channels", ())),
            "troubles": list(readiness.get("reasons", ())),
        }

    def reply(self, reply: Reply) -> dict[str, Any]:
        """What an order led to."""
        choices = [[choice.id, choice.label] for choice in reply.choices]
        return {"done": True, "text": reply.text, "choices": choices}

    def _rendered(self, template: str, **more: Any) -> str:
        other = next(name for name in LANGUAGES if name != g.lang)
        words = {word: self.say(key) for word, key in WORDS.items()}
        return render_template(
            template, t=self.say, lang=g.lang, other=other, asset=self.asset, words=words, **more
        )
