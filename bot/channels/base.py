"""What a channel is to the rest of the house.

A channel turns a vendor's payload into `Inbound` and a `Reply` into a vendor's call. It knows no
database and no engine, decides nothing, and maps every foreign exception onto a `SendError`.
"""

from collections.abc import Callable
from typing import Protocol

from core.messages import Capabilities, Delivery, Inbound, Reply

#: Takes a message in for good: returns once it is committed, raises StoreError when it cannot be.
Accept = Callable[[Inbound], None]


class Channel(Protocol):
    """One way that people reach us."""

    @property
    def name(self) -> str:
        """The channel's name in `Inbound.channel`, the store and the metrics."""

    @property
    def can(self) -> Capabilities:
        """What the channel can do."""

    def start(self, accept: Accept) -> None:
        """Begin to receive (register a webhook, or poll). Returns at once; failures are retried."""

    def stop(self) -> None:
        """Stop receiving and close connections. What was not accepted stays with the provider."""

    def send(self, address: str, reply: Reply, *, template: bool = False) -> Delivery:
        """Hand one part over and wait for the provider's answer.

        `template`: send the approved template that invites the person to write, not the text.
        Raises SendRefused, SendLater or SendDoubtful; nothing else.
        """

    def edit(self, address: str, provider_id: str, reply: Reply) -> None:
        """Put another text and buttons in the place of a message, where `can.edits`; waits.

        Raises SendRefused (it is gone), SendLater or SendDoubtful; nothing else.
        """

    def typing(self, address: str) -> None:
        """Show that an answer is being made, if the channel can. Never raises, never waits."""

    def draft(self, number: int, address: str, text: str) -> None:
        """Show the beginning of an answer that is being written, if the channel can.

        `number` names the answer; no text says that it is over, and nothing of it may arrive any
        more. Never raises, never waits.
        """

    def acknowledge(self, inbound: Inbound) -> None:
        """Tell the provider that a button press was seen. Never raises, never waits."""

    def trouble(self) -> str:
        """What keeps the provider from working with us and what to do; "" when nothing does."""

    def check(self) -> list[tuple[str, bool, str]]:
        """For `lafiya doctor`: (what, fine?, what to do) about tokens and the webhook."""
