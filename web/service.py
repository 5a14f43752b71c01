"""What the pages need of the service behind them, and nothing more."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from bot.console import Console
from bot.texts import Texts
from core.messages import Inbound


class Shown(Protocol):
    """One message as a page shows it, in either direction ("in" or "out")."""

    @property
    def id(self) -> int:
        """Rises with time within a conversation."""

    @property
    def direction(self) -> str:
        """What the person wrote is "in", what was answered is "out"."""

    @property
    def text(self) -> str:
        """The words."""

    @property
    def choices(self) -> Sequence[Sequence[str]]:
        """Buttons as (id, label); only the newest reply has any."""

    @property
    def source(self) -> str | None:
        """Who worded a reply."""

    @property
    def danger_sign(self) -> str | None:
        """The sign that an emergency reply is about."""


class Service(Protocol):
    """The running service, as the pages see it. A `session` here is its digest, never the token."""

    @property
    def texts(self) -> Texts:
        """The sentences."""

    def accept(self, inbound: Inbound) -> None:
        """Take a message in for good: committed on return. Raises StoreError."""

    def replies(self, session: str, after: int) -> Sequence[Shown]:
        """A conversation's messages with a higher id, oldest first. Raises StoreError."""

    def waiting(self, session: str) -> bool:
        """Whether an accepted message has no reply yet. Raises StoreError."""

    def draft(self, session: str) -> str | None:
        """The beginning of the reply that is being written, as far as it may be seen by now; a
        later one may begin differently. Raises StoreError."""

    def readiness(self) -> Mapping[str, Any]:
        """`engine`, `ready`, `reasons`, `release`, `engine_detail` and `drafts` (how many topics no
        clinician has signed), as JSON values."""

    def data(self, token: str) -> str | None:
        """The JSON of a person's own data; None when the link is dead. Raises StoreError."""


class ConsoleService(Service, Protocol):
    """The running service, as the health workers' console sees it."""

    @property
    def console(self) -> Console:
        """What may be seen and ordered, and by whom."""
