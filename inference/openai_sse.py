"""Chat completions as bytes: whole answers, and answers that grow event by event.

Knows the OpenAI format and the habits of the servers that speak it; knows no socket and no clock.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from core.errors import EngineBusy, EngineError

#: Lines end as in the standard of server-sent events. str.splitlines would also cut at U+2028 and
#: U+0085, which stand unescaped inside the JSON of servers that keep it readable.
_BREAK = re.compile(rb"\r\n|\n|\r(?!\Z)")
_TOO_LONG = re.compile(
    r"context (?:length|size|window)|exceed_context|too long|longer than|n_ctx"
    r"|max(?:imum)?[ _](?:allowed |model |input )?len",
    re.I,
)
_NO_SUCH_MODEL = re.compile(
    r"never been loaded|does not exist|not found|unknown (?:model|lora)", re.I
)
#: Ends that are no answer: vLLM and SGLang abort what they cannot go on with.
_BROKEN = frozenset(["abort", "error", "cancelled"])


class TooLong(EngineError):
    """The question and its memory do not fit the model: too long."""


class Missing(EngineError):
    """The server has no model of this name."""


class Events:
    """The `data` of server-sent events, from bytes that are cut anywhere."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._data: list[bytes] = []
        self._begun = False

    def feed(self, chunk: bytes) -> Iterator[str]:
        """The events that are complete now. Raises EngineError for what is not UTF-8."""
        self._rest += chunk
        if not (b"\n" in chunk or b"\r" in chunk or self._rest[-len(chunk) - 1 :][:1] == b"\r"):
            return
        *lines, rest = _BREAK.split(bytes(self._rest))
        self._rest = bytearray(rest)
        for line in lines:
            yield from self._line(line)

    def close(self) -> Iterator[str]:
        """What is left when the stream ends: some servers leave out the last empty line."""
        rest, self._rest = bytes(self._rest).rstrip(b"\r"), bytearray()
        for line in (rest, b""):
            yield from self._line(line)

    def _line(self, line: bytes) -> Iterator[str]:
        if not self._begun:
            line, self._begun = line.removeprefix(b"\xef\xbb\xbf"), True
        if not line:
            data, self._data = b"\n".join(self._data), []
            if data:
                yield _decode(data)
            return
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
        elif name == b"error":  # as llama.cpp wrote it for a long time
            self._data.append(b'{"error": ' + value + b"}")


class Answer:
    """One answer: its text so far, how it ended, its tokens, and the model that it names.

    `late`: its time was up before its end.
    """

    def __init__(self) -> None:
        self.text = ""
        self.model = ""
        self.pieces = 0
        self.finished = False
        self.stopped = False
        self.late = False
        self._raw = ""
        self._reason: str | None = None
        self._tokens: int | None = None

    def stop(self) -> None:
        """Whoever looks on has seen enough."""
        self.finished = self.stopped = True

    def add(self, event: str) -> None:
        """Take in one event. Raises EngineError when it cannot be read or is an error."""
        if event.strip() == "[DONE]":
            self.finished = True
            return
        self.take(read(event))

    def take(self, value: Any) -> None:
        """Take in one object. Raises EngineBusy, TooLong, Missing or EngineError."""
        if not isinstance(value, dict):
            raise EngineError("unreadable answer")
        if value.get("error"):
            raise fault(0, value)
        self._count(value)
        choices = value.get("choices")
        if not isinstance(choices, list):
            raise EngineError("unreadable answer")
        if choices:  # a last event may hold the usage only
            self._choice(choices[0])

    @property
    def end(self) -> str:
        """As in `Generation.end`. Raises EngineError for an answer that was cut off."""
        if self.stopped:
            return "stopped"
        if self._reason in _BROKEN or not (self._reason or self.finished):
            raise EngineError("the answer was cut off")
        return "length" if self._reason == "length" else "stop"

    @property
    def tokens(self) -> int:
        """As the server counted; without its count, one for each piece of text."""
        return self.pieces if self._tokens is None else self._tokens

    def _count(self, value: dict[str, Any]) -> None:
        usage, model = value.get("usage"), value.get("model")
        if isinstance(usage, dict) and isinstance(usage.get("completion_tokens"), int):
            self._tokens = usage["completion_tokens"]
        if isinstance(model, str):
            self.model = model

    def _choice(self, choice: Any) -> None:
        if not isinstance(choice, dict):
            raise EngineError("unreadable answer")
        part = choice.get("delta") or choice.get("message") or {}
        content = part.get("content") if isinstance(part, dict) else None
        if isinstance(content, str) and content:
            self._raw += content
            self.text = clean(self._raw)
            self.pieces += 1
        if isinstance(choice.get("finish_reason"), str):
            self._reason = choice["finish_reason"]


def whole(body: bytes) -> Answer:
    """The answer of a server that sent it in one piece. Raises EngineError."""
    answer, value = Answer(), read(_decode(body))
    answer.take(value)
    message = value["choices"][0].get("message") if value["choices"] else None
    if not isinstance(message, dict) or not isinstance(message.get("content"), str):
        raise EngineError("empty answer")
    answer.finished = True
    return answer


def read(text: str) -> Any:
    """A JSON value. Raises EngineError.

    A server's words on what went wrong may hold control characters, which JSON forbids.
    """
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        raise EngineError("unreadable answer") from None


def fault(status: int, value: Any) -> EngineError:
    """The error that a status or an error object means. The server's own words stay out of it:
    they may quote the question."""
    code, words = _words(value)
    status = status or code
    if status in (429, 503):
        return EngineBusy()
    if _TOO_LONG.search(words) and status in (0, 400, 413, 422, 500):
        return TooLong()
    if status == 404 or (status == 400 and _NO_SUCH_MODEL.search(words)):
        return Missing()
    return EngineError(f"HTTP {status}" if status else "the server broke off with an error")


def clean(text: str) -> str:
    """Without what no database or messenger takes: halves of characters, and NUL."""
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.replace("\0", "")


def _words(value: Any) -> tuple[int, str]:
    """The code and the message of an error, in each of the shapes that servers give it."""
    error = value.get("error") if isinstance(value, dict) else None
    if not isinstance(error, dict):
        error = value if isinstance(value, dict) else {}
    code = error.get("code")
    words = f"{error.get('type', '')} {error.get('message', '')} {error.get('detail', '')}"
    return code if isinstance(code, int) else 0, words


def _decode(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise EngineError("unreadable answer") from None
