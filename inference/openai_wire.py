"""HTTP to one OpenAI-compatible server, with limits in time and size that hold.

Knows httpx; no model, no release and no question. An exchange runs on a thread of its own: a name
that cannot be resolved, or headers that trickle in, would outlast httpx's timeouts, which are for
each read. Whoever waits stops waiting in time, and the line is cut.
"""

import contextlib
import json
import queue
import socket
import ssl
import threading
import time
from typing import Any
from urllib.parse import urlsplit

import httpx

from core.errors import EngineBusy, EngineError, EngineTimeout
from inference.engine import OnText
from inference.openai_sse import Answer, Events, fault, whole

CONNECT_SECONDS = 4.0
#: Far above 500 tokens: what is longer is no answer of ours.
MOST_BYTES = 1 << 20
#: Shares of a question's time: to the first word, and between two.
FIRST, BETWEEN = 0.5, 0.25
#: Questions of one process to one server at once; more is answered "busy".
MOST_AT_ONCE = 64


class Unreached(EngineError):
    """No connection came about: the question certainly did not reach the server."""


class Refused(EngineError):
    """The server wants another key."""


class Wire:
    """One server by its address. Used from several threads at once."""

    def __init__(self, url: str, key: str = "", transport: httpx.BaseTransport | None = None):
        """`url` with or without `/v1`; `transport` is the seam for tests. Raises InvalidURL."""
        # A line for each question, which takes seconds anyway: on a kept one that somebody is just
        # closing (uvicorn after a 500, or we after the last word) the next question would be lost,
        # and nobody could say whether it had been begun. A limit of 0 kept lines is not enough:
        # the pool may hand a line on before it looks at its limits.
        limits = httpx.Limits(max_connections=MOST_AT_ONCE)
        # An answer that is not compressed cannot unpack into more than it is.
        headers = {"Accept-Encoding": "identity", "Connection": "close"}
        if key:
            headers["Authorization"] = f"Bearer {key}"
        self.label = _label(url)
        self._client = httpx.Client(
            base_url=url.rstrip("/").removesuffix("/v1"),
            headers=headers,
            transport=transport
            or httpx.HTTPTransport(verify=_trust(url), retries=1, limits=limits),
        )

    def call(self, method: str, path: str, body: Any = None, *, seconds: float) -> tuple[int, Any]:
        """(status, JSON value or text) of a short exchange. Raises EngineError."""
        until = time.monotonic() + seconds
        with _Flight(self._client, method, path, body, seconds) as flight:
            status, _ = flight.head(until)
            return status, _value(flight.rest(until))

    def chat(self, body: dict[str, Any], until: float, on_text: OnText | None = None) -> Answer:
        """The answer to a chat completion; streamed when somebody looks on, and then perhaps late.

        Raises Unreached, Refused, EngineBusy, TooLong, Missing, EngineTimeout or EngineError.
        """
        seconds = until - time.monotonic()
        if seconds <= 0:
            raise EngineTimeout
        asked = {**body, "stream": True} if on_text else body
        with _Flight(self._client, "POST", "/v1/chat/completions", asked, seconds) as flight:
            first = until - seconds * (1 - FIRST) if on_text else until
            status, kind = flight.head(first)
            if status in (401, 403):
                raise Refused(f"refuses OPENAI_API_KEY (HTTP {status})")
            if status != httpx.codes.OK:
                raise fault(status, _value(flight.rest(until)))
            if on_text and "event-stream" in kind:
                return _grow(flight, first, seconds * BETWEEN, until, on_text)
            answer = whole(flight.rest(until))
            if on_text and not on_text(answer.text):
                answer.stop()
            return answer

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _grow(flight: "_Flight", first: float, between: float, until: float, on_text: OnText) -> Answer:
    events, answer, limit = Events(), Answer(), first
    while not answer.finished:
        try:
            chunk = flight.next(min(limit, until))
        except EngineTimeout:
            if not answer.pieces:
                raise
            answer.late = True
            break
        pieces = answer.pieces
        for event in events.close() if chunk is None else events.feed(chunk):
            answer.add(event)
        if chunk is None:
            break
        # Only words count: a server that is stuck may still send signs of life.
        if answer.pieces > pieces:
            limit = time.monotonic() + between
            if not on_text(answer.text):
                answer.stop()
    return answer


class _Flight:
    """One exchange. `head` once, then `next` until None, or `rest`."""

    def __init__(
        self, client: httpx.Client, method: str, path: str, body: Any, seconds: float
    ) -> None:
        self._box: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._over = self._ended = False
        self._line: socket.socket | None = None
        timeout = httpx.Timeout(
            seconds, connect=min(CONNECT_SECONDS, seconds), pool=min(1.0, seconds)
        )
        self._request = client.build_request(method, path, json=body, timeout=timeout)
        threading.Thread(target=self._run, args=(client,), name="lafiya-ask", daemon=True).start()

    def __enter__(self) -> "_Flight":
        return self

    def __exit__(self, *_: object) -> None:
        """Cut the line, if it has not ended: the server stops writing when it sees that."""
        self._over = True
        with contextlib.suppress(OSError):
            if self._line is not None:
                self._line.shutdown(socket.SHUT_RDWR)

    def head(self, until: float) -> tuple[int, str]:
        """(status, content type)."""
        status, kind = self._take(until)
        return status, kind

    def next(self, until: float) -> bytes | None:
        """The next bytes; None at the end."""
        chunk: bytes | None = None if self._ended else self._take(until)
        self._ended = chunk is None
        return chunk

    def rest(self, until: float) -> bytes:
        """All bytes that are left."""
        chunks = []
        while (chunk := self.next(until)) is not None:
            chunks.append(chunk)
        return b"".join(chunks)

    def _take(self, until: float) -> Any:
        try:
            item = self._box.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            raise EngineTimeout from None
        if isinstance(item, Exception):
            raise _named(item) from None
        return item

    def _run(self, client: httpx.Client) -> None:
        try:
            response = client.send(self._request, stream=True)
            with contextlib.closing(response):
                stream = response.extensions.get("network_stream")
                self._line = stream.get_extra_info("socket") if stream else None
                self._box.put((response.status_code, response.headers.get("content-type", "")))
                self._pass_on(response)
            self._box.put(None)
        except Exception as error:  # raised again where somebody waits
            self._box.put(error)

    def _pass_on(self, response: httpx.Response) -> None:
        size = 0
        if response.headers.get("content-encoding", "identity") != "identity":
            raise EngineError("a compressed answer, which was not asked for")
        for chunk in response.iter_bytes():
            size += len(chunk)
            if size > MOST_BYTES:
                raise EngineError("endless answer")
            if self._over:
                return
            self._box.put(chunk)


def _named(error: Exception) -> EngineError:
    """The name of a fault; its own words may hold an address with a password."""
    if isinstance(error, EngineError):
        return error
    if isinstance(error, httpx.ConnectTimeout):
        return Unreached("does not answer")
    if isinstance(error, httpx.ConnectError):
        return Unreached("cannot be reached")
    if isinstance(error, httpx.PoolTimeout):
        return EngineBusy()
    if isinstance(error, httpx.TimeoutException):
        return EngineTimeout()
    return EngineError(f"the line broke: {type(error).__name__}")


def _value(body: bytes) -> Any:
    text = body.decode(errors="replace")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _trust(url: str) -> ssl.SSLContext:
    """The authorities that are believed; reading them in takes a while, which http needs not."""
    if urlsplit(url).scheme == "https":
        return httpx.create_ssl_context()
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _label(url: str) -> str:
    """Host and port: what an operator knows a server by, without a password."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)
