"""The HTTP of `openai_fakes`: routes, streams, and the ways in which they break.

Knows paths, headers and events; which adapter writes, and what an order does, is the fake's.
"""

import contextlib
import json
import socket
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inference.openai_fakes import FakeServer

REFUSALS = {"busy": 503, "full": 429, "broken": 500}


class Listener(ThreadingHTTPServer):
    """Listens for one fake; a thread for each connection."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, fake: "FakeServer", port: int) -> None:
        self.fake = fake
        self.open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)

    def hang_up(self) -> None:
        """Cut every connection."""
        for line in list(self.open):
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller who hangs up is what is tested; anything else is a fault of the fake."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Listener

    def setup(self) -> None:
        super().setup()
        self.fake = self.server.fake
        self.fake.lines += 1
        self.server.open.add(self.request)

    def finish(self) -> None:
        self.server.open.discard(self.request)
        with contextlib.suppress(OSError):
            super().finish()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        if self.path == "/health":
            return self._send(503 if self.fake.mode in ("busy", "broken") else 200, "")
        if self.path != "/v1/models":
            return self._send(404, {"detail": "Not Found"})
        if self._stranger():
            return self._send(401, {"error": "Unauthorized"})
        return self._send(200, {"object": "list", "data": self.fake.cards()})

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length) or b"{}")
        if self._stranger():
            return self._send(401, {"error": "Unauthorized"})
        if self.path == "/v1/chat/completions":
            return self._chat(body)
        prefix = "/v1" if self.fake.kind == "vllm" else ""
        if self.path in (f"{prefix}/load_lora_adapter", f"{prefix}/unload_lora_adapter"):
            return self._order(self.path.endswith("unload_lora_adapter"), body)
        return self._send(404, {"detail": "Not Found"})

    def _stranger(self) -> bool:
        key = self.fake.key
        return bool(key) and self.headers.get("Authorization") != f"Bearer {key}"

    def _order(self, unload: bool, body: dict[str, Any]) -> None:
        fake = self.fake
        vllm = fake.kind == "vllm"
        if not fake.lora and vllm:
            return self._send(404, {"detail": "Not Found"})
        name = body.get("lora_name") or ""
        if not fake.lora:
            status, words = 400, "LoRA is not enabled. Please set `--enable-lora` to enable LoRA."
        elif unload:
            status, words = fake.unload(name)
        else:
            status, words = fake.load(name, body.get("lora_path") or "")
        if vllm:
            return self._send(status, words if status == 200 else _error(status, words))
        result = {"success": status == 200, "error_message": "" if status == 200 else words}
        told = {"loaded_adapters": fake.adapters} if fake.lists else {}
        return self._send(min(status, 400), result | told)

    def _chat(self, body: dict[str, Any]) -> None:
        fake = self.fake
        fake.asked.append(body)
        writer, mode = fake.written_by(str(body.get("model"))), fake.mode
        if mode in REFUSALS:
            return self._send(REFUSALS[mode], _error(REFUSALS[mode], "no"))
        if mode == "hang":
            time.sleep(30)
        if mode == "base":
            writer, body = fake.model, body | {"model": fake.model}
        if writer is None:
            return self._no_model(str(body.get("model")))
        longest = sum(len(turn["content"]) for turn in body["messages"])
        if longest / 3 + body["max_tokens"] > fake.room:
            return self._send(400, _error(400, f"maximum context length is {fake.room} tokens"))
        words = [f"amsa daga {writer}:", *(f"kalma{n}" for n in range(fake.words))]
        return self._stream(body, words) if body.get("stream") else self._whole(body, words)

    def _no_model(self, model: str) -> None:
        if self.fake.kind == "sglang":
            words = f"Got LoRA adapter that has never been loaded: {model.partition(':')[2]}"
            return self._send(400, {"object": "error", "message": words, "code": 400})
        return self._send(404, _error(404, f"The model `{model}` does not exist."))

    def _whole(self, body: dict[str, Any], words: list[str]) -> None:
        time.sleep(self.fake.pace * len(words))
        message = {"role": "assistant", "content": " ".join(words)}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        usage = {"completion_tokens": len(words)}
        self._send(200, {"model": body["model"], "choices": [choice], "usage": usage})

    def _stream(self, body: dict[str, Any], words: list[str]) -> None:
        if self.fake.mode == "plain":
            return self._whole(body, words)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            for piece in self._pieces(body, words):
                self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            self.wfile.write(b"0\r\n\r\n")
        except OSError:
            self.fake.dropped += 1
            self.close_connection = True

    def _pieces(self, body: dict[str, Any], words: list[str]) -> Iterator[bytes]:
        mode, half = self.fake.mode, len(words) // 2
        yield b": ping\n\n" + _event(body, {"role": "assistant", "content": ""})
        for number, word in enumerate(words):
            time.sleep(self.fake.pace)
            if number == half and mode in _FAULTS:
                yield from _FAULTS[mode](self)
            text = _event(body, {"content": f" {word}" if number else word})
            yield from _drops(text) if mode == "trickle" else (text,)
        yield _event(body, {}, "stop")
        if mode != "silent":
            usage = {"model": body["model"], "choices": [], "usage": {"completion_tokens": 99}}
            yield f"data: {json.dumps(usage)}\n\ndata: [DONE]\n\n".encode()

    def _die(self) -> Iterator[bytes]:
        self.request.shutdown(socket.SHUT_RDWR)
        yield b" "

    def _stall(self) -> Iterator[bytes]:
        for _ in range(300):
            time.sleep(0.1)
            yield b": ping\n\n"

    def _garbage(self) -> Iterator[bytes]:
        yield b"data: {\xff\xfe <html>\n\n"

    def _fault(self) -> Iterator[bytes]:
        words = _error(500, "EngineCore encountered an issue: 'Ina da zazzabi'")
        yield f"data: {json.dumps(words)}\n\ndata: [DONE]\n\n".encode()

    def _send(self, status: int, value: Any) -> None:
        data = value.encode() if isinstance(value, str) else json.dumps(value).encode()
        self.send_response(status)
        kind = "text/plain" if isinstance(value, str) else "application/json"
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


_FAULTS = {
    "die": _Handler._die,
    "stall": _Handler._stall,
    "garbage": _Handler._garbage,
    "fault": _Handler._fault,
}


def _drops(text: bytes) -> Iterator[bytes]:
    for at in range(len(text)):
        time.sleep(0.02)
        yield text[at : at + 1]


def _event(body: dict[str, Any], delta: dict[str, str], end: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": end}
    value = {"object": "chat.completion.chunk", "model": body["model"], "choices": [choice]}
    return f"data: {json.dumps(value, ensure_ascii=False)}\r\n\r\n".encode()


def _error(status: int, words: str) -> dict[str, Any]:
    kinds = {400: "BadRequestError", 404: "NotFoundError", 429: "RateLimitError"}
    kind = kinds.get(status, "InternalServerError")
    return {"error": {"message": words, "type": kind, "param": None, "code": status}}
