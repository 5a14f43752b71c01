"""Quick replies on WhatsApp: Twilio sends buttons only as a stored "content".

An account holds few contents, so one serves all texts of one layout with the same buttons: its
body is a variable for each line, since a variable's value may hold no line break. It is found again
by its name, or created. Any trouble means "no buttons" for ten minutes: a reply with numbered lines
now is better than one with buttons later.
Source: twilio.com/docs/content/twilio-quick-reply, .../using-variables-with-content-api,
.../api/errors/21656 and twilio_content_v1 (OpenAPI).
"""

import hashlib
import json
import logging
import re
import threading
from collections.abc import Callable
from itertools import count
from typing import Any

from core.logs import event
from core.messages import Reply

#: (method, path and query, JSON body or None) -> decoded answer; raises anything on trouble.
Request = Callable[[str, str, dict[str, Any] | None], Any]

_BODY_LIMIT, _TITLE_LIMIT, _MOST_BUTTONS, _ID_LIMIT = 1024, 20, 3, 200
_MOST_VARIABLES = 100
#: What a variable's value may not hold; a line break is never inside a line.
_UNFIT = re.compile(r"\t| {5}")
_LINE = re.compile(r"[^\n]*\S[^\n]*")
_PREFIX = "lafiya_"
_PAUSE = 600.0
_PAGE = 500
_MOST_PAGES = 10
_PATIENCE = 3.0  # for all pages: replies wait meanwhile
#: An account holds a limited number of contents, and an unusual layout is not worth one.
_MOST_CONTENTS = 200


class QuickReplies:
    """Names of stored contents, in memory; shared by all sending threads."""

    def __init__(self, request: Request, clock: Callable[[], float]) -> None:
        self._request = request
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, str] | None = None
        self._closed_until = float("-inf")

    def find(self, reply: Reply) -> str | None:
        """The content to send the reply with, or None: then it goes as numbered text."""
        if not fits(reply):
            return None
        with self._lock:
            if self._clock() < self._closed_until:
                return None
            try:
                return self._find(_name(reply), reply)
            except Exception as error:
                self._close(type(error).__name__)
                return None

    def forget(self, reply: Reply, code: str | None) -> None:
        """The provider refused the content: no buttons for a while, then look again."""
        with self._lock:
            self._known = None
            self._close(code)

    def _find(self, name: str, reply: Reply) -> str | None:
        if self._known is None:
            self._known = self._list()
        if name not in self._known:
            if len(self._known) >= _MOST_CONTENTS:
                return None
            self._known[name] = str(
                self._request("POST", "/v1/Content", _content(name, reply))["sid"]
            )
        return self._known[name]

    def _list(self) -> dict[str, str]:
        found: dict[str, str] = {}
        query, began = f"?PageSize={_PAGE}", self._clock()
        for _ in range(_MOST_PAGES):
            if self._clock() - began > _PATIENCE:
                raise TimeoutError
            page = self._request("GET", f"/v1/Content{query}", None)
            for item in page["contents"]:
                if str(item["friendly_name"]).startswith(_PREFIX):
                    found[item["friendly_name"]] = item["sid"]
            _, _, more = (page["meta"].get("next_page_url") or "").partition("?")
            if not more:
                break
            query = f"?{more}"
        return found

    def _close(self, cause: str | None) -> None:
        self._closed_until = self._clock() + _PAUSE
        event("whatsapp.no_quick_replies", level=logging.WARNING, cause=cause, pause=_PAUSE)


def fits(reply: Reply) -> bool:
    """Whether WhatsApp can show the reply's choices as buttons within a conversation.

    Two braces would be read as a variable, and equal labels are refused.
    """
    text = reply.text
    labels = [choice.label for choice in reply.choices]
    return (
        0 < len(labels) <= _MOST_BUTTONS
        and len(set(labels)) == len(labels)
        and all(0 < len(label) <= _TITLE_LIMIT for label in labels)
        and all(0 < len(choice.id) <= _ID_LIMIT for choice in reply.choices)
        and text.strip() != ""
        and len(text) <= _BODY_LIMIT
        and "{{" not in text + "".join(labels)
        and not _UNFIT.search(text)
        and len(_LINE.findall(text)) <= _MOST_VARIABLES
    )


def variables(text: str) -> str:
    """The lines of a text as `ContentVariables`, for the content of its layout."""
    lines = enumerate(_LINE.findall(text), 1)
    return json.dumps({str(number): line for number, line in lines}, ensure_ascii=False)


def layout(text: str) -> str:
    """The text with each line that says something replaced by its variable."""
    numbers = count(1)
    return _LINE.sub(lambda _: f"{{{{{next(numbers)}}}}}", text)


def _name(reply: Reply) -> str:
    parts = [layout(reply.text), *((choice.id, choice.label) for choice in reply.choices)]
    return _PREFIX + hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:40]


def _content(name: str, reply: Reply) -> dict[str, Any]:
    actions = [{"type": "QUICK_REPLY", "title": c.label, "id": c.id} for c in reply.choices]
    quick_reply = {"body": layout(reply.text), "actions": actions}
    return {"friendly_name": name, "language": "ha", "types": {"twilio/quick-reply": quick_reply}}
