"""The way in: triage sets the lane, the store commits, a worker is woken.

Everything that a provider's time-out allows for happens here, and nothing else: no model, no send.
"""

from collections.abc import Mapping
from dataclasses import replace

from bot.bell import Bell
from bot.channels.base import Channel
from bot.metrics import Metrics
from bot.mind import Mind
from core import logs
from core.messages import Inbound
from knowledge.referral import country_of
from storage import inbox
from storage.inbox import Finding
from storage.store import Store

#: Longer texts are cut: Telegram's longest message is 4,096 characters, WhatsApp's the same.
LONGEST = 8_000


class Intake:
    """Takes messages in for good."""

    def __init__(
        self,
        store: Store,
        mind: Mind,
        channels: Mapping[str, Channel],
        metrics: Metrics,
        bells: tuple[Bell, Bell],
        reply_hours: float = 24.0,
    ) -> None:
        """`bells` are those of the ordinary and of the urgent workers."""
        self._store, self._mind, self._channels = store, mind, channels
        self._metrics, self._bells, self._reply_hours = metrics, bells, reply_hours

    def accept(self, inbound: Inbound, *, now: float) -> bool:
        """Commit a message and its job; False for a repeated delivery. Raises StoreError."""
        inbound = replace(inbound, text=inbound.text[:LONGEST], name=inbound.name[:80])
        seen = Finding() if inbound.choice else self._look(inbound.text)
        job = inbox.accept(
            self._store,
            inbound,
            seen,
            now=now,
            country=country_of(inbound.address),
            reply_hours=self._reply_hours,
        )
        channel = inbound.channel
        if job is None:
            self._metrics.duplicates.labels(channel).inc()
            logs.event("message.repeated", channel=channel)
            return False
        self._bells[seen.urgent].ring()
        self._metrics.received.labels(channel).inc()
        logs.event("message.accepted", channel=channel, job=job, urgent=seen.urgent)
        if inbound.receipt and channel in self._channels:
            self._channels[channel].acknowledge(inbound)
        return True

    def _look(self, text: str) -> Finding:
        found = self._mind.find_danger(text)
        if found is None or found.downgraded:
            return Finding()
        return Finding(found.sign, found.urgency, urgent=True)
