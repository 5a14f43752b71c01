"""An engine behind an OpenAI-compatible server (vLLM, SGLang, llama.cpp, Ray Serve).

Knows `/v1/chat/completions` and `/v1/models`. Only connecting is repeated: a question that reached
the server is not asked twice.
"""

import json
import time

import httpx

from core.errors import EngineBusy, EngineError, EngineTimeout, ReleaseUnusable
from inference import prompt
from inference.engine import EngineStatus, Generation, OnText, Release, Request

MAX_TOKENS = 400
TEMPERATURE = 0.2
CONNECT_SECONDS = 5.0
#: Far above 400 tokens: what is longer is no answer of ours.
MOST_BYTES = 1 << 20


class OpenAIEngine:
    """Chat completions over HTTP, with a deadline for each request."""

    verbatim = False

    def __init__(
        self, base_url: str, model: str, key: str = "", transport: httpx.BaseTransport | None = None
    ) -> None:
        """`base_url` with or without its `/v1`; `transport` is the seam for tests."""
        base = base_url.rstrip("/")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._model = model
        self._detail = f"OPENAI_BASE_URL, model {model}"
        self._client = httpx.Client(
            base_url=base if base.endswith("/v1") else f"{base}/v1",
            headers=headers,
            transport=transport or httpx.HTTPTransport(retries=2),
        )

    def status(self) -> EngineStatus:
        """Named as configured; whether it answers is seen at each request."""
        return EngineStatus("openai", True, self._detail, self._model)

    def generate(self, request: Request, on_text: OnText | None = None) -> Generation:
        """The server's answer. Raises EngineBusy (429, 503), EngineTimeout, or EngineError."""
        body = {
            "model": self._model,
            "messages": prompt.messages(request),
            "max_tokens": MAX_TOKENS,
            "temperature": TEMPERATURE,
        }
        until = time.monotonic() + request.deadline
        connect = min(CONNECT_SECONDS, request.deadline)
        timeout = httpx.Timeout(request.deadline, connect=connect)
        try:
            with self._client.stream(
                "POST", "/chat/completions", json=body, timeout=timeout
            ) as answer:
                return Generation(_text(_read(answer, until)), self._model)
        except httpx.TimeoutException:
            raise EngineTimeout from None
        except httpx.HTTPError as error:
            raise EngineError(f"unreachable: {type(error).__name__}") from None

    def load(self, release: Release) -> None:
        """Raises ReleaseUnusable: this server's releases are set where it is started."""
        raise ReleaseUnusable(f"{release.name}: set the model where the server is started")

    def activate(self, release: Release) -> None:
        """Raises ReleaseUnusable: this server's releases are set where it is started."""
        self.load(release)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _read(answer: httpx.Response, until: float) -> bytes:
    """The body of a good answer; httpx's timeout is for each read, a trickle would pass it."""
    if answer.status_code in (429, 503):
        raise EngineBusy
    if answer.status_code != httpx.codes.OK:
        raise EngineError(f"HTTP {answer.status_code}")
    body = b""
    for chunk in answer.iter_bytes():
        body += chunk
        if time.monotonic() > until:
            raise EngineTimeout
        if len(body) > MOST_BYTES:
            raise EngineError("endless answer")
    return body


def _text(body: bytes) -> str:
    try:
        content = json.loads(body)["choices"][0]["message"]["content"]
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        raise EngineError("unreadable answer") from None
    if not isinstance(content, str):
        raise EngineError("empty answer")
    return content
