"""The chat page as a channel: replies stay in the store, and the page comes and reads them.

Knows how a page's session becomes an identity. Does not know a route or the store.
"""

import hashlib

from bot.channels.base import Accept
from core.messages import Capabilities, Delivery, Inbound, Kind, Reply

NAME = "web"


class WebChannel:
    """The public page. Nothing is handed to anybody, so nothing can fail."""

    name = NAME
    can = Capabilities(
        text_limit=20_000,
        max_buttons=20,
        overall_per_s=1000.0,
        chat_burst=100,
        chat_every_s=0.01,
        consent_on_page=True,
        drafts=True,
        pulled=True,
    )

    def start(self, accept: Accept) -> None:
        """Nothing to start: the page's routes call `accept` themselves."""

    def stop(self) -> None:
        """Nothing to stop."""

    def send(self, address: str, reply: Reply, *, template: bool = False) -> Delivery:
        """Done already: the page reads the reply from the store."""
        return Delivery()

    def edit(self, address: str, provider_id: str, reply: Reply) -> None:
        """Nothing: can.edits is false."""

    def typing(self, address: str) -> None:
        """The page shows it by itself while it waits."""

    def draft(self, number: int, address: str, text: str) -> None:
        """The page reads it from the store."""

    def acknowledge(self, inbound: Inbound) -> None:
        """The page knows from the answer to its own request."""

    def trouble(self) -> str:
        """None: there is no provider."""
        return ""

    def check(self) -> list[tuple[str, bool, str]]:
        """Nothing to check: no token, no provider."""
        return []


def identity(session: str) -> str:
    """Whose session it is: a digest, so that what is stored opens no conversation."""
    return hashlib.sha256(session.encode()).hexdigest()


def inbound(session: str, message_id: str, text: str, choice: str | None = None) -> Inbound:
    """One message of a page. The same `message_id` of a session again is the same message."""
    who = identity(session)
    return Inbound(
        channel=NAME,
        external_id=f"{who}:{message_id}",
        sender=who,
        address=who,
        kind=Kind.CHOICE if choice else Kind.TEXT,
        text=text,
        choice=choice,
    )
