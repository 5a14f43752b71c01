"""What the console looks like: its page, the way in, and the words in its JSON.

Knows the templates and the texts. Decides nothing and takes nothing in.
"""

from collections.abc import Mapping
from typing import Any

from flask import g, render_template

from bot.admin_correct import LONGEST
from bot.admin_orders import KNOBS
from bot.console import Done
from bot.console_show import forms, knobs, plain
from bot.texts import LANGUAGES
from web.markdown import html
from web.views import Views, engine_key

#: What the script says by itself.
WORDS = (
    *("console-offline", "console-wait", "console-none", "console-choose", "console-running"),
    *("console-report", "console-evaluate", "console-load", "console-swap", "console-run-none"),
    *("console-answer-asked", "console-answer-given", "console-correct", "console-correct-text"),
    *("console-correct-keep", "console-correct-ask", "console-correct-write"),
    *("admin-answers-none", "label-yes", "label-no"),
)


#: What /set takes: (word, label, least, greatest value, step).
TUNED = tuple(
    (
        word,
        f"console-{word.replace('_', '-')}",
        plain(least),
        plain(most),
        1 if read is int else "any",
    )
    for word, (least, most, read) in KNOBS.items()
)


class ConsoleViews(Views):
    """Renders the console over the same texts as the public pages."""

    def page(self, key: str) -> str:
        """The console of a visitor whose changes carry this key."""
        return self._rendered(
            "console.html", key=key, knobs=knobs(), forms=forms(), tuned=TUNED, longest=LONGEST
        )

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
            "drafts": self.say("console-draft", count=readiness.get("drafts", 0)),
            "troubles": list(readiness.get("reasons", ())),
        }

    def release(self, name: str, found: Mapping[str, Any]) -> str:
        """The page about one release: its verdict and the report of its examination."""
        return self._rendered("release.html", name=name, found=found, markdown=html)

    def done(self, done: Done) -> dict[str, Any]:
        """What an order led to."""
        return {
            "done": True,
            "text": done.text,
            "choices": [[choice.id, choice.label] for choice in done.choices],
            "contenders": [
                {
                    "role": self.say(f"console-column-{one.role}"),
                    "release": one.release,
                    "text": one.text,
                }
                for one in done.contenders
            ],
        }

    def _rendered(self, template: str, **more: Any) -> str:
        other = next(name for name in LANGUAGES if name != g.lang)
        words = {key.removeprefix("console-"): self.say(key) for key in WORDS}
        return render_template(
            template, t=self.say, lang=g.lang, other=other, asset=self.asset, words=words, **more
        )
