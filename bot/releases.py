"""The keeper: brings this process's engine to the live release of the store, and keeps it there.

Every process that answers has one. It looks at the pointer every few seconds, loads what is missing
in a thread of its own while the old release goes on answering, and writes down what this process
serves. Knows no texts and decides nothing about who may change the pointer.
"""

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from core import logs
from core.errors import LafiyaError, ReleaseUnusable, StoreError
from inference.engine import (
    BASE,
    EchoEngine,
    Engine,
    EngineStatus,
    LibraryEngine,
    Sampling,
)
from storage import instances
from storage.instances import Serving, Wanted
from storage.store import Store
from training.registry import Registry

#: Seconds between two looks at the pointer.
EVERY = 2.0
#: A row is renewed this often, and its process counts as running for three times as long.
BEAT = 10.0
ALIVE = 30.0
#: After so long the row of a process that died without a word is removed.
FORGOTTEN = 86_400.0
#: Pauses between tries to load what could not be loaded: doubled each time, up to the second.
BACKOFF, LONGEST_BACKOFF = 2.0, 60.0
#: Of `tuning`: the release that admins want to compare with the live one.
CANDIDATE = "candidate"
LONGEST_REASON = 500


@dataclass
class _Effort:
    """How the bringing of one release goes: the last failure, and when to try again."""

    release: str
    failures: int = 0
    reason: str = ""
    again: float = 0.0


class Keeper:
    """Keeps one engine at the live release. `instance` names this process."""

    def __init__(
        self,
        store: Store,
        registry: Registry,
        engine: Engine,
        instance: str,
        sampling: Callable[[], Sampling],
    ) -> None:
        self._store, self._registry, self._engine = store, registry, engine
        self.instance, self._sampling = instance, sampling
        #: Whether there is a model here that releases are made for.
        self.able = not isinstance(engine, LibraryEngine | EchoEngine)
        self._wanted: Wanted | None = None
        #: What this engine was brought to; None: it has just started, and serves nothing yet.
        self._active: str | None = None
        self._live, self._spare = _Effort(BASE), _Effort("")
        self._loading, self._ticking = threading.RLock(), threading.Lock()
        self._thread: threading.Thread | None = None
        self._last: tuple[float, Serving | None] = (0.0, None)

    def tick(self, now: float) -> None:
        """Look at the pointer; begin what is missing; say what is served. Raises StoreError."""
        if not self.able:
            return
        with self._ticking:
            state = self._engine.status()
            if self._active not in (None, BASE) and not (state.ready or state.resident):
                self._active = None  # it went with its model: a new one begins with none
            wanted = self.look()
            if self._thread is None or not self._thread.is_alive():
                self._begin(wanted, now)
            self._beat(now)

    def look(self) -> Wanted:
        """Read the pointer and what admins set. Raises StoreError."""
        wanted = self._wanted = instances.wanted(self._store)
        if self._active is None and wanted.pointer.release is None:
            self._active = BASE  # as every engine starts
        return wanted

    def join(self, seconds: float) -> None:
        """Wait for what is being loaded (tests, the end)."""
        if self._thread is not None:
            self._thread.join(seconds)

    def close(self) -> None:
        """This process serves no more."""
        if self._last[1] is None:
            return
        with contextlib.suppress(StoreError):  # the row goes by itself, later
            instances.leave(self._store, self.instance, before=time.time() - FORGOTTEN)

    def stage(self, name: str) -> None:
        """Make a release resident here and try it, beside the live one, in this very thread.

        Raises ReleaseUnusable or ReleaseRefused saying why it cannot be.
        """
        with self._loading:
            self._engine.load(self._registry.fetch(name))

    def held(self) -> str | None:
        """Why no model may answer here; None when one may.

        A process that has just started must not let the base model speak for a live release that
        it has not loaded: people would get another model's answers and nobody would know.
        """
        try:
            wanted = self._wanted or self.look()
        except StoreError:
            return "it is not known yet which release is live"
        return self._held(wanted)

    def sampling(self) -> Sampling:
        """How words are drawn: what admins set, else what the settings say."""
        tuning, usual = self._wanted.tuning if self._wanted else {}, self._sampling()
        try:
            return replace(
                usual,
                temperature=float(tuning.get("temperature", usual.temperature)),
                max_tokens=int(tuning.get("max_tokens", usual.max_tokens)),
            )
        except ValueError:
            logs.event("tuning.unreadable", level=30)
            return usual

    def known(self) -> Wanted | None:
        """What was read last of the pointer; None before the first look. Reads nothing."""
        return self._wanted

    def trouble(self) -> str:
        """Why this process does not serve the live release; "" when it does or is on its way."""
        return self._live.reason

    def holding(self) -> str | None:
        """As `held`, without reading anything: None before the first look."""
        return self._held(self._wanted) if self._wanted else None

    def _held(self, wanted: Wanted) -> str | None:
        if self._active is not None:
            return None
        why = self._live.reason or "it is being loaded"
        return f"release {wanted.pointer.release} is live, but not here: {why}"

    def _begin(self, wanted: Wanted, now: float) -> None:
        """Start the thread that loads what is wanted and not there, if it is time to."""
        status = self._engine.status()
        live = wanted.pointer.release or BASE
        spare = wanted.tuning.get(CANDIDATE, "")
        if self._live.release != live:
            self._live = _Effort(live)
        if self._spare.release != spare:
            self._spare = _Effort(spare)
        loading = status.progress is not None
        if not status.ready and (loading or not status.resident):
            return  # while its model is loading, or down, it can load nothing
        if self._active != live:
            self._try(self._live, now, lambda: self._activate(live))
        elif spare and spare not in (live, *status.resident):
            self._try(self._spare, now, lambda: self.stage(spare))

    def _try(self, effort: _Effort, now: float, step: Callable[[], None]) -> None:
        if now < effort.again:
            return
        target = threading.Thread(
            target=self._bring, args=(effort, now, step), name="releases", daemon=True
        )
        self._thread = target
        target.start()

    def _bring(self, effort: _Effort, now: float, step: Callable[[], None]) -> None:
        started = time.monotonic()
        try:
            step()
        except LafiyaError as error:
            reason = str(error)
        except Exception as error:
            logs.crash("release.failed", error, release=effort.release)
            reason = f"unforeseen: {type(error).__name__}"
        else:
            effort.failures, effort.reason = 0, ""
            seconds = round(time.monotonic() - started, 2)
            logs.event("release.loaded", release=effort.release, seconds=seconds)
            return
        effort.failures += 1
        effort.reason = reason[:LONGEST_REASON]
        pause = min(BACKOFF * 2 ** (effort.failures - 1), LONGEST_BACKOFF)
        effort.again = now + (time.monotonic() - started) + pause
        logs.event("release.unusable", level=40, release=effort.release, why=effort.reason)

    def _activate(self, name: str) -> None:
        with self._loading:
            release = self._registry.fetch(name)
            self._engine.load(release)
            self._engine.activate(release)
            served = self._engine.status().release
            if served != name:
                raise ReleaseUnusable(f"{name}: the engine goes on serving {served}")
            self._active = name

    def _beat(self, now: float) -> None:
        """Renew this process's row when it has changed, and now and then."""
        state = self._engine.status()
        serving = Serving(
            id=self.instance,
            engine=state.name[:32],
            release=self._active,
            candidate=next((n for n in (self._spare.release,) if n and n in state.resident), None),
            ready=state.ready and self.holding() is None,
            reason=self._reason(state),
            seen_at=0.0,
        )
        at, before = self._last
        if serving != before or now - at >= BEAT:
            instances.report(self._store, replace(serving, seen_at=now))
            self._last = (now, serving)

    def _reason(self, state: EngineStatus) -> str:
        if not state.ready:
            return state.detail[:LONGEST_REASON]
        if self._wanted and self._active != (self._wanted.pointer.release or BASE):
            return self._live.reason or "it is being loaded"
        return self._spare.reason


def shown(serving: Serving) -> dict[str, Any]:
    """A process as the readiness page lists it."""
    return {
        "instance": serving.id,
        "engine": serving.engine,
        "release": serving.release,
        "ready": serving.ready,
        "reason": serving.reason,
    }
