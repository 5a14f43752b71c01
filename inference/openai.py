"""An engine behind an OpenAI-compatible server (vLLM, SGLang, llama.cpp, Ray Serve).

Knows `/v1/chat/completions` and `/v1/models`. Only connecting is repeated: a question that reached
the server is not asked twice.
"""

import httpx

from core.errors import EngineBusy, EngineError, EngineTimeout
from inference import prompt
from inference.engine import EngineStatus, Generation, Request

MAX_TOKENS = 400
TEMPERATURE = 0.2


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

    def generate(self, request: Request) -> Generation:
        """The server's answer. Raises EngineBusy (429, 503), EngineTimeout, or EngineError."""
        body = {
            "model": self._model,
            "messages": prompt.messages(request),
            "max_tokens": MAX_TOKENS,
            "temperature": TEMPERATURE,
        }
        try:
            answer = self._client.post("/chat/completions", json=body, timeout=request.deadline)
        except httpx.TimeoutException:
            raise EngineTimeout from None
        except httpx.HTTPError as error:
            raise EngineError(f"unreachable: {type(error).__name__}") from None
        if answer.status_code in (429, 503):
            raise EngineBusy
        return Generation(_text(answer), self._model)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _text(answer: httpx.Response) -> str:
    if answer.status_code != httpx.codes.OK:
        raise EngineError(f"HTTP {answer.status_code}")
    try:
        content = answer.json()["choices"][0]["message"]["content"]
    except (ValueError, KeyError, IndexError, TypeError):
        raise EngineError("unreadable answer") from None
    if not isinstance(content, str):
        raise EngineError("empty answer")
    return content
