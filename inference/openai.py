"""The engine behind OpenAI-compatible servers: vLLM, SGLang, llama.cpp, Ray Serve, `transformers
serve`.

Says which server is asked, for which release, and what becomes of it when that goes wrong. A
question that a server may have begun to answer is not asked again; one that it certainly did not
take (no connection, busy, release lost) goes to the next one.
"""

import threading
import time
from typing import Any

import httpx

from core import logs
from core.errors import EngineAbsent, EngineBusy, EngineError, EngineTimeout, ReleaseUnusable
from inference import prompt
from inference.engine import BASE, EngineStatus, Generation, OnText, Release, Request
from inference.openai_fleet import Fleet
from inference.openai_server import Server, check_model
from inference.openai_sse import Missing, TooLong
from inference.openai_wire import Refused, Unreached

CHECK_SECONDS = 3.0
PATIENCE_SECONDS = 2.0
LINGER_SECONDS = 60.0


class OpenAIEngine:
    """Chat completions over HTTP. Generation.release is "base" for what MODEL itself wrote."""

    verbatim = False

    def __init__(
        self,
        base_urls: str,
        model: str,
        key: str = "",
        *,
        lora: str = "none",
        lora_root: str = "",
        why: str = "OPENAI_BASE_URL",
        check_seconds: float = CHECK_SECONDS,
        linger: float = LINGER_SECONDS,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """`base_urls` with commas between, with or without `/v1`; `lora` as OPENAI_LORA. With
        `check_seconds` 0 nobody looks after the servers; `transport` is a seam for tests.

        Raises httpx.InvalidURL.
        """
        urls = list(dict.fromkeys(url.strip() for url in base_urls.split(",") if url.strip()))
        servers = [Server(url, model, key, lora, transport) for url in urls]
        self._why = f"{why}, model {model}"
        self._model = model
        self._fleet = Fleet(servers, lora_root, linger)
        self._live = BASE
        self._previous = BASE
        self._swapping = threading.Lock()
        if check_seconds:
            self._fleet.start(check_seconds, PATIENCE_SECONDS)

    def status(self) -> EngineStatus:
        """As the servers were when they were last looked at; asks nobody."""
        live, servers = self._live, self._fleet.servers
        able = self._fleet.able(live)
        detail = [self._why]
        if len(servers) > 1:
            detail.append(f"{len(able)} of {len(servers)} servers up")
        if trouble := self._fleet.why_not(live):
            detail.append(trouble)
        return EngineStatus(
            "openai",
            bool(able),
            "; ".join(detail),
            live,
            resident=tuple(n for n in (BASE, *self._fleet.wanted) if self._fleet.able(n)),
            running=self._fleet.running(),
        )

    def generate(self, request: Request, on_text: OnText | None = None) -> Generation:
        """The answer of the first server that takes the question.

        Raises EngineAbsent (no server), EngineBusy (all are), EngineTimeout or EngineError.
        """
        release = request.release or self._live
        if release != BASE and release not in self._fleet.wanted:
            raise EngineError(f"release {release} is not resident")
        until, tried, busy = time.monotonic() + request.deadline, list[Server](), False
        while True:
            with self._fleet.turn(release, tried) as server:
                if server is None:
                    break
                tried.append(server)
                try:
                    return self._ask(server, release, request, until, on_text)
                except EngineBusy:
                    busy = True
                except (Unreached, Refused) as error:
                    server.down(str(error))
                except Missing:
                    self._note_missing(server, release)
        raise (
            EngineBusy if busy else EngineAbsent(self._fleet.why_not(release) or "no server is up")
        )

    def load(self, release: Release) -> None:
        """Put a release on every server that is up, and try it. Raises ReleaseUnusable."""
        with self._swapping:
            self._load(release)
            self._want(release)

    def activate(self, release: Release) -> None:
        """Answer with this release from now on: one change of a name, so that nobody waits."""
        with self._swapping:
            self._load(release)
            self._want(release)
            if release.name != self._live:
                self._previous, self._live = self._live, release.name
            self._want(release)
        logs.event("engine.activated", release=release.name)

    def close(self) -> None:
        """Close the connections."""
        self._fleet.close()

    def _load(self, release: Release) -> None:
        if release.name == self._model:
            raise ReleaseUnusable(f"{release.name}: this is the name of MODEL itself")
        if release.name != BASE:
            self._fleet.hold(release)

    def _want(self, newest: Release) -> None:
        """Live, previous and newest stay on the servers; the others leave when they are idle."""
        known = {**self._fleet.wanted, newest.name: newest}
        kept = dict.fromkeys((self._live, self._previous, newest.name))
        self._fleet.want([known[name] for name in kept if name in known and name != BASE])

    def _ask(
        self, server: Server, release: str, request: Request, until: float, on_text: OnText | None
    ) -> Generation:
        try:
            return self._say(server, release, request, until, on_text)
        except Missing:
            server.lost(release)
            if release == BASE or not self._fleet.hold_on(server, release):
                raise
        return self._say(server, release, request, until, on_text)

    def _say(
        self, server: Server, release: str, request: Request, until: float, on_text: OnText | None
    ) -> Generation:
        try:
            return _chat(server, release, request, until, on_text, _room(server, request))
        except TooLong:
            # Memory was trimmed by an estimate; half of it certainly fits, or the question is long.
            return _chat(server, release, request, until, on_text, _room(server, request) // 2)

    def _note_missing(self, server: Server, release: str) -> None:
        logs.event("engine.model_missing", server=server.label, release=release)
        if release == BASE:
            server.knows_no_model()


def _chat(
    server: Server, release: str, request: Request, until: float, on_text: OnText | None, room: int
) -> Generation:
    body = server.body(release, _fields(request, room))
    answer = server.wire.chat(body, until, on_text)
    if not answer.late:
        server.lives()
    if release != BASE:
        check_model(answer.model, body["model"])
    if answer.late:
        raise EngineTimeout(release=release)
    return Generation(answer.text, release, answer.end, answer.tokens)


def _fields(request: Request, room: int) -> dict[str, Any]:
    sampling = request.sampling
    return {
        "messages": prompt.messages(request, room=room),
        "max_tokens": sampling.max_tokens,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
    }


def _room(server: Server, request: Request) -> int:
    """Tokens for the prompt: what the server says it takes, less the answer."""
    told = server.models.room
    return (
        prompt.ROOM
        if told is None
        else max(1, min(prompt.ROOM, told - request.sampling.max_tokens))
    )
