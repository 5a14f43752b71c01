"""For tests: a server that answers as vLLM or SGLang do, over real HTTP on 127.0.0.1.

Knows their paths, status codes and sentences (vLLM 0.33, SGLang 0.5), for chat completions, health,
models and adapters, and the ways in which a server goes wrong. Writes no sense: every answer names
the adapter or model that "wrote" it.
"""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROOM = 4096


class FakeServer:
    """Set `mode` while it runs: well, busy, full, hang, stall, trickle, die, garbage, fault,
    silent (no usage, no [DONE]), plain (does not stream) or broken (HTTP 500).

    `asked` holds every chat completion's body and `orders` every load and unload, `dropped` counts
    callers who hung up. `lists` False: an SGLang that does not list its adapters. `adapters` is by
    name, with paths; a path is good where an `adapter_config.json` is in it.
    """

    def __init__(self, kind: str = "vllm", model: str = "gemma", *, key: str = "") -> None:
        self.kind, self.model, self.key = kind, model, key
        self.mode = "well"
        self.lora = self.lists = True
        self.pace = self.load_seconds = 0.0
        self.words = 6
        self.broken_paths: set[str] = set()
        self.adapters: dict[str, str] = {}
        self.asked: list[dict[str, Any]] = []
        self.orders: list[tuple[str, str]] = []
        self.dropped = 0
        self.port = 0
        self._http: _Listener | None = None

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"http://127.0.0.1:{self.port}/v1"

    def start(self) -> "FakeServer":
        """Listen, on the same port each time; without adapters, as a server that was restarted."""
        self.adapters = {}
        self._http = _Listener(self)
        self.port = self._http.server_address[1]
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Break off everything, as a killed process does."""
        if self._http:
            self._http.shutdown()
            self._http.server_close()
            self._http.hang_up()
            self._http = None

    def __enter__(self) -> "FakeServer":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def written_by(self, model: str) -> str | None:
        """The name of the base model or adapter that a question's `model` means; None: no such."""
        base, colon, adapter = model.partition(":")
        if self.kind == "sglang":
            # SGLang does not look at the base's name at all.
            return base if not colon else adapter if adapter in self.adapters else None
        return model if model == self.model or model in self.adapters else None


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, fake: FakeServer) -> None:
        self.fake = fake
        self.lines: set[socket.socket] = set()
        super().__init__(("127.0.0.1", fake.port), _Handler)

    def hang_up(self) -> None:
        """Cut every connection."""
        for line in list(self.lines):
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller hung up: that is what is tested."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Listener

    def setup(self) -> None:
        super().setup()
        self.fake = self.server.fake
        self.server.lines.add(self.request)

    def finish(self) -> None:
        self.server.lines.discard(self.request)
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
        return self._send(200, {"object": "list", "data": self._cards()})

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length) or b"{}")
        if self._stranger():
            return self._send(401, {"error": "Unauthorized"})
        if self.path == "/v1/chat/completions":
            return self._chat(body)
        prefix = "/v1" if self.fake.kind == "vllm" else ""
        if self.path in (f"{prefix}/load_lora_adapter", f"{prefix}/unload_lora_adapter"):
            return self._order(self.path.rsplit("/", 1)[1], body)
        return self._send(404, {"detail": "Not Found"})

    def _stranger(self) -> bool:
        key = self.fake.key
        return bool(key) and self.headers.get("Authorization") != f"Bearer {key}"

    def _cards(self) -> list[dict[str, Any]]:
        fake = self.fake
        base: dict[str, Any] = {
            "id": fake.model,
            "root": fake.model,
            "parent": None,
            "max_model_len": ROOM,
        }
        shown = fake.adapters if fake.lists else {}
        cards = [base, *({"id": n, "root": p, "parent": fake.model} for n, p in shown.items())]
        return [card | {"object": "model", "owned_by": fake.kind} for card in cards]

    def _order(self, what: str, body: dict[str, Any]) -> None:
        name, path = body.get("lora_name") or "", body.get("lora_path") or ""
        if not self.fake.lora and self.fake.kind == "vllm":
            return self._send(404, {"detail": "Not Found"})
        if name:
            self.fake.orders.append((what, name))
        if what == "load_lora_adapter":
            time.sleep(self.fake.load_seconds if name else 0)
            status, words = self._load(name, path)
        else:
            status, words = self._unload(name)
        if self.fake.kind == "sglang":
            return self._send(min(status, 400), self._result(status, words))
        return self._send(status, words if status == 200 else _vllm_error(status, words))

    def _load(self, name: str, path: str) -> tuple[int, str]:
        fake = self.fake
        if not name or not path:
            return 400, "Both 'lora_name' and 'lora_path' must be provided."
        if name in fake.adapters:
            if fake.kind == "sglang":
                return 400, f"Failed to load LoRA adapter {name} because it is already loaded"
            return 400, (
                f"The lora adapter '{name}' has already been loaded. If you want to load the "
                "adapter in place, set 'load_inplace' to True."
            )
        if not Path(path, "adapter_config.json").exists():
            return 404, f"Loading lora {name} failed: No adapter found for {path}"
        if path in fake.broken_paths:
            return 500, "LoRA rank 64 is greater than max_lora_rank 32."
        fake.adapters = {**fake.adapters, name: path}
        return 200, f"Success: LoRA adapter '{name}' added successfully."

    def _unload(self, name: str) -> tuple[int, str]:
        if name not in self.fake.adapters:
            return 404, f"The lora adapter '{name}' cannot be found."
        self.fake.adapters = {n: path for n, path in self.fake.adapters.items() if n != name}
        return 200, f"Success: LoRA adapter '{name}' removed successfully."

    def _result(self, status: int, words: str) -> dict[str, Any]:
        told = {"loaded_adapters": self.fake.adapters} if self.fake.lists else {}
        return {"success": status == 200, "error_message": "" if status == 200 else words, **told}

    def _chat(self, body: dict[str, Any]) -> None:
        fake = self.fake
        fake.asked.append(body)
        writer, mode = fake.written_by(str(body.get("model"))), fake.mode
        refusals = {"busy": 503, "full": 429, "broken": 500}
        if mode in refusals:
            return self._send(refusals[mode], _vllm_error(refusals[mode], "no"))
        if mode == "hang":
            time.sleep(30)
        if writer is None:
            return self._no_model(str(body.get("model")))
        longest = sum(len(turn["content"]) for turn in body["messages"])
        if longest / 3 > ROOM:
            return self._send(400, _vllm_error(400, f"maximum context length is {ROOM} tokens"))
        words = [f"amsa daga {writer}:", *(f"kalma{n}" for n in range(fake.words))]
        if body.get("stream") and mode != "plain":
            return self._stream(body, words)
        time.sleep(fake.pace * len(words))
        message = {"role": "assistant", "content": " ".join(words)}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        usage = {"completion_tokens": len(words)}
        return self._send(200, {"model": body["model"], "choices": [choice], "usage": usage})

    def _no_model(self, model: str) -> None:
        if self.fake.kind == "sglang":
            words = f"Got LoRA adapter that has never been loaded: {model.partition(':')[2]}"
            return self._send(400, {"object": "error", "message": words, "code": 400})
        return self._send(404, _vllm_error(404, f"The model `{model}` does not exist."))

    def _stream(self, body: dict[str, Any], words: list[str]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            for piece in self._pieces(body, words):
                self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
                self.wfile.flush()
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
            if mode == "trickle":
                yield from _drops(text)
            else:
                yield text
        yield _event(body, {}, "stop")
        if mode != "silent":
            usage = {"model": body["model"], "choices": [], "usage": {"completion_tokens": 99}}
            yield f"data: {json.dumps(usage)}\n\ndata: [DONE]\n\n".encode()

    def _die(self) -> Iterator[bytes]:
        self.request.shutdown(socket.SHUT_RDWR)
        yield b""

    def _stall(self) -> Iterator[bytes]:
        for _ in range(300):
            time.sleep(0.1)
            yield b": ping\n\n"

    def _garbage(self) -> Iterator[bytes]:
        yield b"data: {\xff\xfe <html>\n\n"

    def _fault(self) -> Iterator[bytes]:
        words = _vllm_error(500, "EngineCore encountered an issue: 'Ina da zazzabi'")
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


def _vllm_error(status: int, words: str) -> dict[str, Any]:
    kinds = {400: "BadRequestError", 404: "NotFoundError", 429: "RateLimitError"}
    kind = kinds.get(status, "InternalServerError")
    return {"error": {"message": words, "type": kind, "param": None, "code": status}}
