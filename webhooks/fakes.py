"""A service in memory, for tests of the routes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.channels.base import Channel
from core.messages import DeliveryReport, Inbound


@dataclass
class FakeService:
    """Keeps what it was given, or raises `fault` instead."""

    channels: Mapping[str, Channel] = field(default_factory=dict)
    accepted: list[Inbound] = field(default_factory=list)
    reports: list[DeliveryReport] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    pictures: dict[str, bytes] = field(default_factory=dict)
    releases: dict[str, Path] = field(default_factory=dict)
    fault: Exception | None = None

    def accept(self, inbound: Inbound) -> None:
        """Keep the message."""
        if self.fault is not None:
            raise self.fault
        self.accepted.append(inbound)

    def report(self, report: DeliveryReport) -> None:
        """Keep the report."""
        if self.fault is not None:
            raise self.fault
        self.reports.append(report)

    def picture(self, token: str) -> bytes | None:
        """What lies under the token."""
        return self.pictures.get(token)

    def release(self, token: str) -> Path | None:
        """What lies under the token."""
        return self.releases.get(token)

    def readiness(self) -> Mapping[str, Any]:
        """Ready unless there are reasons."""
        return {"ready": not self.reasons, "reasons": self.reasons}

    def metrics_page(self) -> bytes:
        """One metric."""
        return b"lafiya_up 1\n"
