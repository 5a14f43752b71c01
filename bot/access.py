"""Who may open the console: a link from their own chat, then a session, looked at each time.

A link lives for minutes and opens once; a session lives for hours. Both are signed with a secret
that lives with the database, and neither is worth anything once its admin is no longer one.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from itsdangerous import BadData, URLSafeSerializer

from storage import entrance, privacy
from storage.store import Store

#: Seconds that a link waits to be opened, and that a session lasts.
LINK, SESSION = 600.0, 12 * 3600.0
#: Who holds a shell on the machine needs no chat; the audit names their account.
OPERATOR = "operator:"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who looks at the console. `key` must come with every change: no other page knows it."""

    actor: str
    key: str


class Access:
    """Makes links, opens them, and knows the sessions that came of them.

    `actors` are the admins of now, as the audit names them (`bot.announce.actor_of`).
    """

    def __init__(self, store: Store, base_url: str, actors: Iterable[str]) -> None:
        self._store, self._base = store, base_url.rstrip("/")
        self._actors = frozenset(actors)
        #: Whether people come by https: then a browser sends the session by nothing else.
        self.secure = base_url.startswith("https://")

    def link(self, actor: str, language: str, *, now: float) -> str:
        """An address that opens the console once, within `LINK` seconds.

        What opens it stands behind the #: browsers send that to nobody, so that it is in no proxy's
        log and a messenger that looks at addresses does not use it up.
        """
        token = self._signer("link").dumps([actor, secrets.token_urlsafe(12), now + LINK])
        return f"{self._base}/console?lang={language}#{token}"

    def enter(self, token: str, *, now: float) -> str | None:
        """The session that a link opens; None when it is forged, old, used, or of no admin.

        Raises StoreError.
        """
        match self._read("link", token):
            case [str(actor), str(number), float(until)] if now < until and self._known(actor):
                if not entrance.enter(self._store, number, actor=actor, now=now):
                    return None
            case _:
                return None
        key = secrets.token_urlsafe(12)
        return str(self._signer("session").dumps([actor, key, now + SESSION]))

    def visitor(self, session: str, *, now: float) -> Visitor | None:
        """Who a session belongs to; None when it is forged, old, or of somebody who was removed."""
        match self._read("session", session):
            case [str(actor), str(key), float(until)] if now < until and self._known(actor):
                return Visitor(actor, key)
        return None

    def _known(self, actor: str) -> bool:
        return actor in self._actors or actor.startswith(OPERATOR)

    def _read(self, purpose: str, token: str) -> Any:
        try:
            return self._signer(purpose).loads(token)
        except (BadData, ValueError):
            return None

    def _signer(self, purpose: str) -> URLSafeSerializer:
        return URLSafeSerializer(self._secret, salt=f"console-{purpose}")

    @cached_property
    def _secret(self) -> str:
        # Read at the first use: the table is there only after the migration.
        return privacy.link_secret(self._store)
