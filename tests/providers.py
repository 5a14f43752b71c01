"""A Telegram Bot API and a Twilio on 127.0.0.1, with faults on demand, that remember every send.

As a library: `with Providers() as providers: ...`. As a process, for load and SIGKILL tests:
`python -m tests.providers --port 9090 --faults 429=0.03,500=0.02,hang=0.03,reset=0.02 --seed 1`;
then GET /_sent lists what was sent, and POST /_update, /_script and /_clear control it.

Which send fails is drawn from the seed, the address, the text and the attempt, so that the order of
threads does not matter. `taken` says whether the provider has passed the message on to the person.
"""

import argparse
import hashlib
import json
import os
import re
import socket
import struct
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from email.message import Message
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

EXTRACT = Path(__file__).parent / "data" / "telegram_bot_api_extract.json"
SENDS = ("sendMessage", "sendDocument", "sendPhoto", "Messages.json")
FILES = {"document", "photo"}
#: Faults after which the message may or may not have been passed on.
UNCLEAR = ("hang", "reset", "closed", "garbage", "504")


@dataclass(frozen=True)
class Sent:
    """One call that reached a provider."""

    provider: str
    method: str
    address: str
    text: str
    data: dict[str, str]
    outcome: str
    taken: bool
    provider_id: str
    at: float


@dataclass
class Plan:
    """Which sends fail, and how: shares of all sends by kind, and scripts that go first."""

    rates: dict[str, float] = field(default_factory=dict)
    seed: int = 0
    script: deque[str] = field(default_factory=deque)
    always: dict[str, str] = field(default_factory=dict)
    retry_after: float = 1
    hang: float = 30.0

    @classmethod
    def read(cls, spec: str, seed: int = 0, **more: Any) -> "Plan":
        """From `429=0.03,hang=0.02`."""
        pairs = (part.split("=") for part in spec.split(",") if part)
        return cls({kind: float(share) for kind, share in pairs}, seed, **more)

    def draw(self, address: str, text: str, attempt: int) -> tuple[str, bool]:
        """(`ok` or a fault, whether the message is passed on)."""
        digest = hashlib.sha256(repr((self.seed, address, text, attempt)).encode()).digest()
        point, coin = int.from_bytes(digest[:8], "big") / 2**64, digest[8] % 2 == 0
        kind = self.always.get(address) or (self.script.popleft() if self.script else "")
        for name, share in self.rates.items():
            if kind:
                break
            kind, point = (name, point) if point < share else ("", point - share)
        kind = kind or "ok"
        if kind.endswith("+"):  # scripted: passed on, and then the fault
            return kind[:-1], True
        return kind, kind == "ok" or (kind in UNCLEAR and kind in self.rates and coin)


class Providers:
    """Both providers on one port."""

    def __init__(self, plan: Plan | None = None, port: int = 0) -> None:
        self.plan = plan or Plan()
        self.sent: list[Sent] = []
        self.calls: list[tuple[str, dict[str, str]]] = []
        self.contents: dict[str, str] = {}
        self.bodies: dict[str, str] = {}
        self.content_fault = ""
        #: What both answer to every call, as to wrong credentials.
        self.refusal = ""
        self.faults: dict[str, deque[str]] = {}
        self.webhook: dict[str, str] = {}
        #: What Telegram's messages say now, with their buttons; a deleted one is taken out.
        self.shown: dict[str, tuple[str, str]] = {}
        self.updates: list[dict[str, Any]] = []
        self.confirmed: list[int] = []
        self.stopping = False
        self.changed = threading.Condition()
        self.lock = threading.Lock()
        self.attempts: Counter[tuple[str, str]] = Counter()
        self.methods: dict[str, dict[str, Any]] = json.loads(EXTRACT.read_text())["methods"]
        handler = type("Handler", (_Handler,), {"providers": self})
        self.server = _Server(("127.0.0.1", port), handler)
        self.base = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> "Providers":
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping = True
        with self.changed:
            self.changed.notify_all()
        self.server.shutdown()
        self.server.server_close()

    def give(self, *updates: dict[str, Any]) -> None:
        """Let Telegram have updates for getUpdates."""
        with self.changed:
            self.updates.extend(updates)
            self.changed.notify_all()

    def taken(self, address: str | None = None) -> list[Sent]:
        """What people have received, in order."""
        with self.lock:
            return [s for s in self.sent if s.taken and address in (None, s.address)]

    def called(self, method: str) -> list[dict[str, str]]:
        """The parameters of each call of a method."""
        with self.lock:
            return [data for name, data in self.calls if name == method]

    def record(
        self, provider: str, method: str, address: str, text: str, data: dict[str, str]
    ) -> Sent:
        """Draw the outcome of one send, and remember it."""
        with self.lock:
            self.attempts[address, text] += 1
            outcome, taken = self.plan.draw(address, text, self.attempts[address, text])
            number = len(self.sent) + 1
            provider_id = str(number) if provider == "telegram" else f"SM{number:032x}"
            sent = Sent(
                provider, method, address, text, data, outcome, taken, provider_id, time.time()
            )
            self.sent.append(sent)
            return sent


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients of ours hang up on purpose."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65536
    disable_nagle_algorithm = True
    providers: Providers

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._route()

    def do_POST(self) -> None:
        self._route()

    def _route(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = urlsplit(self.path).path
        if path.startswith("/bot"):
            self._telegram(path.rpartition("/")[2], _fields(self.headers, body))
        elif path.startswith("/2010-04-01/Accounts/"):
            self._twilio(path, _fields(self.headers, body))
        elif path.startswith("/v1/Content"):
            self._content(json.loads(body) if body else None)
        else:
            self._control(path, json.loads(body) if body else None)

    def _control(self, path: str, body: Any) -> None:
        found = self.providers
        if path == "/_update":
            found.give(*(body if isinstance(body, list) else [body]))
        elif path == "/_script":
            found.plan.script.extend(body)
        elif path == "/_clear":
            with found.lock:
                found.sent.clear()
                found.calls.clear()
        with found.lock:
            self._answer(200, [asdict(s) for s in found.sent])

    def _telegram(self, method: str, data: dict[str, str]) -> None:
        found = self.providers
        with found.lock:
            found.calls.append((method, data))
            script = found.faults.get(method)
            fault = self.providers.refusal or (script.popleft() if script else "")
        wrong = _unlike(found.methods.get(method), data)
        if fault:
            self._fault(fault, "telegram")
        elif wrong:
            self._telegram_error(400, f"Bad Request: {wrong}")
        elif method in SENDS:
            self._telegram_send(method, data)
        elif method == "editMessageText":
            self._telegram_edit(data)
        else:
            self._telegram_other(method, data)

    def _telegram_send(self, method: str, data: dict[str, str]) -> None:
        text = data.get("text", data.get("caption", ""))
        if method == "sendMessage" and not text.strip():
            return self._telegram_error(400, "Bad Request: message text is empty")
        if len(text.encode("utf-16-le")) // 2 > (4096 if method == "sendMessage" else 1024):
            return self._telegram_error(400, "Bad Request: message is too long")
        sent = self.providers.record("telegram", method, data["chat_id"], text, data)
        if sent.outcome != "ok":
            return self._fault(sent.outcome, "telegram")
        self.providers.shown[sent.provider_id] = (text, data.get("reply_markup", ""))
        chat = {"id": int(data["chat_id"]), "type": "private", "first_name": "A"}
        result = {
            "message_id": int(sent.provider_id),
            "date": int(sent.at),
            "chat": chat,
            "text": text,
        }
        return self._answer(200, {"ok": True, "result": result})

    def _telegram_edit(self, data: dict[str, str]) -> None:
        said, number = (data["text"], data.get("reply_markup", "")), data.get("message_id", "")
        with self.providers.lock:
            before = self.providers.shown.get(number)
            if before is not None:
                self.providers.shown[number] = said
        if before is None:
            return self._telegram_error(400, "Bad Request: message to edit not found")
        if before == said:
            words = "specified new message content and reply markup are exactly the same"
            return self._telegram_error(400, f"Bad Request: message is not modified: {words}")
        return self._answer(200, {"ok": True, "result": True})

    def _telegram_other(self, method: str, data: dict[str, str]) -> None:
        found, result = self.providers, True
        if method == "getUpdates":
            if found.webhook:
                return self._telegram_error(409, "Conflict: can't use getUpdates method")
            result = self._updates(data)
        elif method == "getMe":
            result = {"id": 123456, "is_bot": True, "first_name": "Lafiya", "username": "LafiyaBot"}
        elif method == "setWebhook":
            found.webhook = data
        elif method == "deleteWebhook":
            found.webhook = {}
        elif method == "getWebhookInfo":
            url = found.webhook.get("url", "")
            result = {"url": url, "has_custom_certificate": False, "pending_update_count": 0}
        return self._answer(200, {"ok": True, "result": result})

    def _updates(self, data: dict[str, str]) -> Any:
        found, until = self.providers, time.monotonic() + float(data.get("timeout", 0))
        offset = int(data.get("offset", 0))
        with found.changed:
            found.confirmed += [u["update_id"] for u in found.updates if u["update_id"] < offset]
            found.updates[:] = [u for u in found.updates if u["update_id"] >= offset]
            while not found.updates and not found.stopping and time.monotonic() < until:
                found.changed.wait(until - time.monotonic())
            return list(found.updates[:100])

    def _twilio(self, path: str, data: dict[str, str]) -> None:
        if self.providers.refusal:
            return self._fault(self.providers.refusal, "twilio")
        if not path.endswith("/Messages.json"):
            return self._answer(
                200, {"sid": path.split("/")[3].removesuffix(".json"), "status": "active"}
            )
        with self.providers.lock:
            self.providers.calls.append(("Messages.json", data))
        text, content = data.get("Body", ""), data.get("ContentSid", "")
        if not data.get("To", "").startswith("whatsapp:+"):
            return self._twilio_error(400, 21211, f"The 'To' number {data.get('To')} is not valid")
        if len(text) > 1600:
            return self._twilio_error(400, 21617, "The body exceeds the 1600 character limit")
        if not text and not content:
            return self._twilio_error(400, 21602, "Message body is required")
        if content:
            text = _filled(self.providers.bodies.get(content, content), data)
        if not text:
            return self._twilio_error(400, 21656, "The ContentVariables Parameter is invalid")
        address = data["To"].removeprefix("whatsapp:")
        sent = self.providers.record("twilio", "Messages.json", address, text, data)
        if sent.outcome != "ok":
            return self._fault(sent.outcome, "twilio")
        return self._answer(201, {"sid": sent.provider_id, "status": "queued", "to": data["To"]})

    def _content(self, body: Any) -> None:
        found = self.providers
        with found.lock:
            found.calls.append(("Content", body or {}))
        if found.content_fault:
            return self._fault(found.content_fault, "twilio")
        if body is None:
            items = [{"friendly_name": n, "sid": s} for n, s in found.contents.items()]
            return self._answer(200, {"contents": items, "meta": {"next_page_url": None}})
        sid = f"HX{len(found.contents) + 1:032x}"
        found.contents[body["friendly_name"]] = sid
        found.bodies[sid] = body["types"]["twilio/quick-reply"]["body"]
        return self._answer(201, {"sid": sid, "friendly_name": body["friendly_name"]})

    def _fault(self, kind: str, provider: str) -> None:
        """Answer as the kind says: a status (with a Twilio code after a colon), or no answer."""
        if kind == "hang":
            self._wait_out()
        elif kind == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._hang_up()
        elif kind == "closed":
            self._hang_up()
        elif kind == "partial":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{")
            self._hang_up()
        elif kind == "garbage":
            self._answer(200, b"<html>captive portal</html>")
        elif kind == "html403":
            self._answer(403, b"<html>proxy says no</html>")
        else:
            status, _, code = kind.partition(":")
            self._status(int(status), code, provider)

    def _status(self, status: int, code: str, provider: str) -> None:
        wait = self.providers.plan.retry_after
        if provider == "twilio":
            headers = {"Retry-After": str(int(wait))} if status == 429 and wait else {}
            number = int(code or {429: 20429, 401: 20003, 404: 20404}.get(status, 20500))
            return self._twilio_error(status, number, "no", headers)
        words = code or {
            429: f"Too Many Requests: retry after {wait}",
            403: "Forbidden: bot was blocked by the user",
            400: "Bad Request: can't parse",
            401: "Unauthorized",
            404: "Not Found",
            409: "Conflict: terminated by other getUpdates request",
        }.get(status, "Internal Server Error")
        more = {"parameters": {"retry_after": wait}} if status == 429 and wait else {}
        return self._telegram_error(status, words, more)

    def _telegram_error(
        self, status: int, words: str, more: Mapping[str, Any] | None = None
    ) -> None:
        self._answer(
            status, {"ok": False, "error_code": status, "description": words, **(more or {})}
        )

    def _twilio_error(
        self, status: int, code: int, words: str, headers: Mapping[str, str] | None = None
    ) -> None:
        body = {"code": code, "message": words, "more_info": "", "status": status}
        self._answer(status, body, headers or {})

    def _answer(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def _wait_out(self) -> None:
        until = time.monotonic() + self.providers.plan.hang
        while time.monotonic() < until and not self.providers.stopping:
            time.sleep(0.02)
        self._hang_up()

    def _hang_up(self) -> None:
        """Close at once, below the handler: it would say goodbye politely before a reset."""
        self.close_connection = True
        self.wfile.flush()
        os.close(self.connection.detach())


def _fields(headers: Message, body: bytes) -> dict[str, str]:
    """The parameters of a form, also of one with files (a file's value is its content)."""
    kind = headers.get("Content-Type", "")
    if not kind.startswith("multipart/"):
        return dict(parse_qsl(body.decode(), keep_blank_values=True))
    whole = BytesParser().parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body)
    parts = whole.get_payload()
    found: dict[str, str] = {}
    for part in parts if isinstance(parts, list) else ():
        name = part.get_param("name", header="content-disposition")
        found[str(name)] = part.get_payload(decode=True).decode("utf-8", "replace")
        if part.get_filename():
            found[f"{name}.filename"] = str(part.get_filename())
    for kind in FILES & found.keys():  # sent by reference: `attach://NAME`
        attached = found[kind].removeprefix("attach://")
        if attached in found:
            found[kind] = found[attached]
            found[f"{kind}.filename"] = found[f"{attached}.filename"]
    return found


def _filled(body: str, data: dict[str, str]) -> str:
    """A content's body with its variables; "" when Twilio would refuse them (docs/errors/21656)."""
    values = json.loads(data.get("ContentVariables", "{}"))
    wrong = any(re.search(r"^$|[\n\t]| {5}", value) for value in values.values())
    if wrong or set(values) != set(re.findall(r"\{\{(\w+)\}\}", body)):
        return ""
    return re.sub(r"\{\{(\w+)\}\}", lambda name: values[name[1]], body)


def _unlike(method: dict[str, Any] | None, data: dict[str, str]) -> str:
    """What is wrong with a call, by the specification: "" when nothing is."""
    if method is None:
        return "no such method"
    missing = [name for name, spec in method.items() if spec["required"] and not data.get(name)]
    if missing:
        return f"{missing[0]} is missing"
    unknown = set(data) - method.keys() if not FILES & data.keys() else set()  # files add names
    return f"{min(unknown)} is unknown" if unknown else ""


def main() -> None:
    """Serve until killed."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--port", type=int, default=9090)
    options.add_argument("--faults", default="", help="429=0.03,500=0.02,hang=0.03,reset=0.02")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--hang", type=float, default=30.0, help="seconds of a hang")
    options.add_argument("--retry-after", type=float, default=1)
    options.add_argument("--say-port", action="store_true", help="print the port (with --port 0)")
    given = options.parse_args()
    plan = Plan.read(given.faults, given.seed, hang=given.hang, retry_after=given.retry_after)
    providers = Providers(plan, given.port)
    if given.say_port:
        sys.stdout.write(f"{providers.server.server_port}\n")
        sys.stdout.flush()
    providers.server.serve_forever()


if __name__ == "__main__":
    main()
