"""What the service says of itself: the text of `/status`, and whether it is ready and why not.

Reads the store and asks engine and channels; changes nothing.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot import releases
from bot.admin import Desk
from bot.channels.base import Channel
from bot.mind import Mind
from bot.releases import Keeper
from bot.texts import Texts
from core.errors import StoreError
from inference.engine import BASE, Engine, EngineStatus
from storage import reports, store
from storage.store import Store

#: Parts of replies that did not reach anybody.
ENDED_BADLY = ("refused", "expired", "doubtful", "undelivered")


@dataclass(frozen=True, slots=True)
class Readiness:
    """Looks at a running service. `page` is what `/health/ready` shows."""

    store: Store
    mind: Mind
    channels: Mapping[str, Channel]
    keeper: Keeper
    desk: Desk

    def page(self) -> dict[str, Any]:
        """Whether messages can be taken and answered, and why not."""
        engine = self._answering()
        reasons = []
        try:
            if not store.is_current(self.store):
                reasons.append("database: run `lafiya migrate`")
        except StoreError as error:
            reasons.append(str(error))
        # The library answers without the model, and the old release as well as before: that is
        # said, but no reason to take this process out of use.
        ready = not reasons
        reasons += [] if engine.ready else [f"engine: {engine.detail}"]
        reasons += [f"release: {self.keeper.trouble()}"] if self.keeper.trouble() else []
        troubles = {name: channel.trouble() for name, channel in self.channels.items()}
        reasons += [f"{name}: {trouble}" for name, trouble in troubles.items() if trouble]
        return {
            **self._releases(),
            "ready": ready,
            "reasons": reasons,
            "engine": engine.name,
            "engine_detail": engine.detail,
            "release": engine.release,
            "channels": sorted(self.channels),
            "drafts": sum(
                topic.status != "reviewed" for topic in self.mind.library.topics.values()
            ),
        }

    def _answering(self) -> EngineStatus:
        """This process's engine, or a worker's where this one has no model and workers have."""
        own = self.mind.engine.status()
        try:
            servings = [] if self.keeper.able else self.desk.servings()
        except StoreError:
            servings = []
        for there in servings:
            return EngineStatus(
                there.engine, there.ready, there.reason or own.detail, there.release
            )
        return own

    def _releases(self) -> dict[str, Any]:
        """Which release should answer, and what each running process serves."""
        if not self.keeper.able:
            return {}
        try:
            live, servings = self.desk.registry.pointer().release, self.desk.servings()
        except StoreError:
            return {}
        return {"live": live or BASE, "instances": [releases.shown(s) for s in servings]}


def status(
    texts: Texts,
    language: str,
    engine: Engine,
    database: Store | None,
    channels: Mapping[str, Channel],
    counts: Mapping[str, int],
) -> str:
    """The text of `/status`."""
    if database is None:
        load = reports.Load(0, 0, 0, 0.0, 0, {}, {})
    else:
        load = reports.load(database, now=time.time())
    state, sources, parts = engine.status(), load.sources, load.parts
    kinds = {name: sources.get(name, 0) for name in ("library", "model", "fallback")}
    return texts(
        "status",
        language,
        engine=state.name,
        detail=state.detail,
        topics=str(counts["topics"]),
        signs=str(counts["signs"]),
        received=str(load.received),
        answered=str(sum(sources.values())),
        danger=str(sources.get("danger_sign", 0)),
        queued=str(load.queued + load.running),
        unsent=str(parts.get("queued", 0) + parts.get("sending", 0) + parts.get("waiting", 0)),
        failed=str(sum(parts.get(end, 0) for end in ENDED_BADLY)),
        channels=", ".join(sorted(channels)),
        **{name: str(count) for name, count in kinds.items()},
    )
