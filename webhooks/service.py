"""What the routes need of the service behind them, and nothing more."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from bot.channels.base import Channel
from core.messages import DeliveryReport, Inbound


class Service(Protocol):
    """The running service, as the machines that call us see it."""

    @property
    def channels(self) -> Mapping[str, Channel]:
        """The channels that are on, by name."""

    def accept(self, inbound: Inbound) -> None:
        """Take a message in for good: committed on return. Raises StoreError."""

    def report(self, report: DeliveryReport) -> None:
        """Record a provider's later word on a message. Raises StoreError."""

    def picture(self, token: str) -> bytes | None:
        """The picture behind a signed link; None when the link is dead. Raises StoreError."""

    def release(self, token: str) -> Path | None:
        """The exported release behind a signed link; None when it is dead. Raises StoreError."""

    def readiness(self) -> Mapping[str, Any]:
        """Whether we can serve (`ready`) and why not (`reasons`), as JSON values."""

    def metrics_page(self) -> bytes:
        """Prometheus's text format."""
