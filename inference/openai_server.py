"""One server: whether it answers, what it holds, and putting releases on it.

Knows one server only; which releases it should hold is said to it by the fleet.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import httpx

from core import logs
from core.errors import EngineError, EngineTimeout, ReleaseUnusable
from inference import openai_lora
from inference.engine import BASE, Release
from inference.openai_lora import DIALECTS, Dialect, Models
from inference.openai_wire import Unreached, Wire

LOOK_SECONDS = 5.0
CANARY_SECONDS = 30.0
#: A server that is slow to say that it lives is not down while it writes answers.
ALIVE_SECONDS = 30.0
MISSES = 2
#: A release that a server could not load is tried again after this.
AGAIN_SECONDS = 30.0
CANARY = [{"role": "user", "content": "Sannu"}]
#: These take `top_k` beside OpenAI's own fields; others refuse what they do not know.
TAKE_TOP_K = frozenset(["vllm", "sglang", "llamacpp"])


class Server:
    """`up` is None until somebody has looked. Its fields are read without a lock: each is one
    value, and a moment's delay does no harm."""

    def __init__(
        self, url: str, model: str, key: str, lora: str, transport: httpx.BaseTransport | None
    ) -> None:
        self.wire = Wire(url, key, transport)
        self.label = self.wire.label
        self.up: bool | None = None
        self.reason = "not asked yet"
        self.models = Models()
        self.held: dict[str, str] = {}
        self.faults: dict[str, tuple[float, str]] = {}
        self.running: Counter[str] = Counter()
        self.dialect: Dialect | None = DIALECTS.get(lora)
        self._model = model
        self._probe = lora == "auto"
        self._lists = False
        self._health = True
        self._misses = 0
        self._alive = float("-inf")
        self._unknown = False
        self._put: dict[str, str] = {}
        self._looking = threading.Lock()
        self._noting = threading.Lock()
        self.ordering = threading.RLock()

    def can(self, release: str) -> bool:
        """Whether it may be asked: up or not looked at yet, and it holds the release."""
        return self.up is not False and (release == BASE or release in self.held)

    def body(self, release: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """A chat completion's body for a release."""
        body = {"model": self.model_of(release), **fields}
        if self.models.kind not in TAKE_TOP_K:
            body.pop("top_k", None)
        return body

    def model_of(self, release: str) -> str:
        """How this server knows a release."""
        if release == BASE or self.dialect is None:
            return self._model
        return self.dialect.model_of(self._model, release)

    def look(self) -> None:
        """Ask it how it is, and note what it serves."""
        with self._looking:
            try:
                reason = self._ask_health() or self._ask_models()
            except EngineError as error:
                self._miss(error)
                return
            if reason:
                self.down(reason)
            else:
                self._rise()

    def down(self, reason: str) -> None:
        """It cannot be asked until it has been looked at again."""
        if self.up is not False or self.reason != reason:
            logs.event(
                "engine.server_down", level=logging.WARNING, server=self.label, reason=reason
            )
        self.up, self.reason = False, reason
        if not self._lists:
            # It may come back empty, and cannot be asked what it holds.
            self._forget(self.held)

    def lives(self) -> None:
        """It has just answered."""
        self._alive = time.monotonic()

    def knows_no_model(self) -> None:
        """It said that it has no model named MODEL."""
        self._unknown = True
        self.down(self._no_model())

    def hold(self, release: Release, path: str) -> None:
        """Put a release on it and try it. Raises ReleaseUnusable; then nothing has changed."""
        with self.ordering:
            if self.held.get(release.name) == path:
                return
            if self.dialect is None:
                raise ReleaseUnusable(f"{release.name}: {self.label} {_NO_LORA}")
            self._load(self.dialect, release.name, path)
            try:
                self._canary(release.name)
            except EngineError as error:
                self.let_go(release.name)
                raise ReleaseUnusable(f"{release.name}: {self.label}: canary: {error}") from None
            with self._noting:
                self.held = {**self.held, release.name: path}
            self.faults.pop(release.name, None)

    def try_hold(self, release: Release, path: str) -> str | None:
        """`hold`, noting the reason instead of raising it; not again at once."""
        at, reason = self.faults.get(release.name, (float("-inf"), ""))
        if time.monotonic() - at < AGAIN_SECONDS:
            return reason
        try:
            self.hold(release, path)
        except ReleaseUnusable as error:
            self.faults[release.name] = (time.monotonic(), str(error))
            logs.event("engine.release_refused", level=logging.WARNING, server=self.label)
            return str(error)
        return None

    def let_go(self, name: str) -> None:
        """Unload a release; a server that cannot is only noted in the log."""
        self._forget([name])
        if self.dialect is None:
            return
        try:
            openai_lora.unload(self.wire, self.dialect, name)
        except EngineError as error:
            logs.crash("engine.unload_failed", error, server=self.label)

    def lost(self, name: str) -> None:
        """It said that it does not hold this release any more."""
        self._forget([name])

    def _forget(self, names: Iterable[str]) -> None:
        gone = set(names)
        with self._noting:
            self.held = {held: path for held, path in self.held.items() if held not in gone}

    def _load(self, dialect: Dialect, name: str, path: str) -> None:
        """Raises ReleaseUnusable. A name is never used for two folders: vLLM's cache of prompts
        goes by name and path, SGLang's by name."""
        there = openai_lora.load(self.wire, dialect, name, path)
        # What we have put there ourselves is known, even to a server that lists nothing.
        if (there or self._put.get(name)) != path:
            other = f"from {there}" if there else "and does not say from where"
            raise ReleaseUnusable(
                f"{name}: {self.label} holds another adapter of this name, {other}"
            )
        self._put[name] = path

    def _canary(self, name: str) -> None:
        body = self.body(name, {"messages": CANARY, "max_tokens": 4, "temperature": 0.0})
        answer = self.wire.chat(body, time.monotonic() + CANARY_SECONDS)
        check_model(answer.model, body["model"])

    def _ask_health(self) -> str | None:
        if not self._health:
            return None
        status, _ = self.wire.call("GET", "/health", seconds=LOOK_SECONDS)
        if status in (404, 405, 501):
            self._health = False
        return f"is not ready (/health: HTTP {status})" if status >= 500 else None

    def _ask_models(self) -> str | None:
        before = self.held
        status, value = self.wire.call("GET", "/v1/models", seconds=LOOK_SECONDS)
        if status in (401, 403):
            return f"refuses OPENAI_API_KEY (HTTP {status})"
        if 300 <= status < 400:
            return f"sends us elsewhere (HTTP {status}): mend OPENAI_BASE_URL"
        # A server that has no list, or stumbles over it, may answer all the same: /health counts.
        if not self._health and (status >= 500 or status == 429):
            return f"is not ready (/v1/models: HTTP {status})"
        if status == 200:
            self.models = openai_lora.read_models(value)
            self._compare(before)
        self._unknown = self._unknown and self._model not in self.models.names
        return self._no_model() if self._unknown else None

    def _compare(self, before: Mapping[str, str]) -> None:
        """Forget what a restarted server has lost, where it tells what it holds. What came upon it
        while it was asked (not in `before`) may be missing from its list."""
        listed = self.models.adapters
        lost = [name for name, path in before.items() if listed.get(name) != path]
        self._lists = self._lists or len(lost) < len(before)
        if self._lists:
            self._forget(lost)

    def _rise(self) -> None:
        self._misses = 0
        if self._probe:
            try:
                self.dialect = openai_lora.probe(self.wire, self.models.kind)
            except EngineError as error:
                self._miss(error)
                return
            self._probe = False
        if not self.up:
            logs.event("engine.server_up", server=self.label, kind=self.models.kind)
        self.up, self.reason = True, ""

    def _miss(self, error: EngineError) -> None:
        if isinstance(error, EngineTimeout) and self.up is not None:
            self._misses += 1
            alive = time.monotonic() - self._alive < ALIVE_SECONDS
            if alive or self._misses < MISSES:
                return
        words = str(error) if isinstance(error, Unreached) else "does not answer in time"
        self.down(words if isinstance(error, Unreached | EngineTimeout) else str(error))

    def _no_model(self) -> str:
        names = ", ".join(self.models.names[:5]) or "none that it names"
        return f"has no model {self._model}; it serves {names}"


_NO_LORA = (
    "takes no releases while it runs: start vLLM with VLLM_ALLOW_RUNTIME_LORA_UPDATING=True and "
    "--enable-lora, or SGLang with --enable-lora"
)


def check_model(named: str, asked: str) -> None:
    """Raises EngineError when an answer says that another model than the one asked wrote it."""
    if named and named != asked:
        raise EngineError("another model answered than the one that was asked")
