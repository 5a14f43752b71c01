"""Sends webhooks and receives the replies, in one cheap process with one clock.

Reads a `Job` as JSON on standard input, prints what it measured as JSON. One asyncio loop, requests
made beforehand, kept-alive connections; it is also the Telegram and the Twilio that the service
sends to. Latencies of the open loop count from the time when a request was due, not from when it
was sent: a server that stalls cannot hide the requests it held up.
"""

import asyncio
import json
import re
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.acceptance.service import Request
from tests.acceptance.traffic import Note

MARK = re.compile(rb"lamba[+ ](\d+-\d+)")
CONTENT = re.compile(rb"ContentSid=(HX\d+)")
LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
CLOSE = re.compile(rb"connection: *close", re.IGNORECASE)


@dataclass
class Job:
    """What to send: `rate` 0 is a closed loop of `connections`, else requests a second."""

    port: int
    sink_port: int
    count: int
    rate: float = 0.0
    connections: int = 8
    per_chat: int = 4
    offset: int = 0
    provider_delay: float = 0.0
    #: Seconds to wait for replies after the last request; 0: replies are not waited for.
    patience: float = 0.0
    limit: float = 60.0


@dataclass
class Seen:
    """When each message was sent and answered."""

    begun: dict[str, float] = field(default_factory=dict)
    answered: dict[str, float] = field(default_factory=dict)
    latencies: list[float] = field(default_factory=list)
    lags: list[float] = field(default_factory=list)
    errors: int = 0
    contents: dict[bytes, bytes] = field(default_factory=dict)

    def note(self, body: bytes) -> None:
        """Find the message that a body answers."""
        mark = MARK.search(body)
        if mark and mark[1].decode() in self.begun:
            self.answered.setdefault(mark[1].decode(), time.perf_counter())

    def send(self, body: bytes) -> None:
        """A send that reached the provider: its own text, or a content made before."""
        content = CONTENT.search(body)
        self.note(self.contents.get(content[1], b"") + body if content else body)


class Wire(asyncio.Protocol):
    """One connection to the service: one request at a time."""

    def __init__(self) -> None:
        self.open = False
        self.buffer = b""
        self.answer: asyncio.Future[tuple[int, bytes]] | None = None

    def connection_made(self, transport: Any) -> None:
        self.transport, self.open = transport, True

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, separator, body = self.buffer.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        if separator and length and len(body) >= int(length[1]):
            self.buffer = b""
            if CLOSE.search(head):
                self._hang_up()
            self._give(int(head[9:12]), body)

    def connection_lost(self, _: Exception | None) -> None:
        self._hang_up()
        self._give(0, b"")

    def _hang_up(self) -> None:
        self.open = False
        self.transport.close()

    def _give(self, status: int, body: bytes) -> None:
        if self.answer is not None and not self.answer.done():
            self.answer.set_result((status, body))


class Line:
    """A kept-alive connection, made again when the service has closed it."""

    def __init__(self) -> None:
        self.wire: Wire | None = None

    async def call(self, port: int, request: bytes) -> tuple[int, bytes]:
        """The status (0: the connection broke) and the body."""
        loop = asyncio.get_running_loop()
        if self.wire is None or not self.wire.open:
            _, self.wire = await loop.create_connection(Wire, "127.0.0.1", port)
        self.wire.answer = loop.create_future()
        self.wire.transport.write(request)
        return await self.wire.answer


class Sink(asyncio.Protocol):
    """Both providers: answers every call, and notes what was sent."""

    def __init__(self, seen: Seen, delay: float) -> None:
        self.seen, self.delay, self.buffer = seen, delay, b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, separator, body = self.buffer.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        if not separator or len(body) < int(length[1] if length else 0):
            return
        self.buffer = b""
        reply = self._reply(head.split(b" ", 2)[1], body)
        line = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        asyncio.get_running_loop().call_later(self.delay, self._write, line % len(reply) + reply)

    def _write(self, data: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(data)

    def _reply(self, path: bytes, body: bytes) -> bytes:
        if path.startswith(b"/v1/Content"):
            return self._content(body)
        if path.endswith((b"/sendMessage", b"/Messages.json")):
            self.seen.send(body)
        if not path.startswith(b"/bot"):
            return b'{"sid": "SM1", "status": "queued"}'
        if path.endswith(b"/getMe"):
            return b'{"ok":true,"result":{"id":1,"is_bot":true,"first_name":"L","username":"L"}}'
        if not path.endswith(b"/sendMessage"):
            return b'{"ok":true,"result":true}'
        message = b'{"message_id":1,"date":1,"chat":{"id":1,"type":"private"},"text":"-"}'
        return b'{"ok":true,"result":' + message + b"}"

    def _content(self, body: bytes) -> bytes:
        if not body:
            return b'{"contents": [], "meta": {"next_page_url": null}}'
        sid = b"HX%032d" % len(self.seen.contents)
        self.seen.contents[sid] = body
        return b'{"sid": "' + sid + b'"}'


def notes(job: Job) -> list[Note]:
    """The messages, half of either channel, the chats taking turns."""
    found = []
    for index in range(job.count):
        pair, channel = divmod(index, 2)
        number, chat = divmod(pair, max(1, job.count // 2 // job.per_chat))
        base = (2348000100000 if channel else 771000000) + job.offset
        found.append(Note("whatsapp" if channel else "telegram", base + chat, number, 1))
    return found


def raw(request: Request) -> bytes:
    """A request as it goes over the wire."""
    path, body, headers = request
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


Deliver = Callable[[int, float], Awaitable[None]]


async def measure(job: Job) -> dict[str, Any]:
    """Run the job, wait for replies, and say how it went."""
    written = notes(job)
    requests = [(f"{n.chat}-{n.number}", raw(n.request())) for n in written]
    seen = Seen()
    loop = asyncio.get_running_loop()
    sink = await loop.create_server(
        lambda: Sink(seen, job.provider_delay), "127.0.0.1", job.sink_port, backlog=256
    )
    spent, started = time.process_time(), time.perf_counter()
    try:
        async with asyncio.timeout(job.limit):
            await (_open if job.rate else _closed)(job, requests, seen)
    except TimeoutError:
        seen.errors += job.count - len(seen.latencies) - seen.errors
    seconds = time.perf_counter() - started
    until = time.perf_counter() + job.patience
    while len(seen.answered) < job.count and time.perf_counter() < until:
        await asyncio.sleep(0.01)
    share = (time.process_time() - spent) / (time.perf_counter() - started)
    sink.close()
    return report(job, seen, seconds, share)


async def _closed(job: Job, requests: list[tuple[str, bytes]], seen: Seen) -> None:
    """Each connection sends its next request when the last one was answered."""
    left = iter(requests)

    async def lane() -> None:
        line = Line()
        for key, request in left:
            await _one(job, line, key, request, seen, time.perf_counter())

    await asyncio.gather(*(lane() for _ in range(job.connections)))


async def _open(job: Job, requests: list[tuple[str, bytes]], seen: Seen) -> None:
    """A request every 1 / rate seconds, whatever became of the ones before."""
    idle: list[Line] = []
    start = time.perf_counter()

    async def one(key: str, request: bytes, due: float) -> None:
        line = idle.pop() if idle else Line()
        await _one(job, line, key, request, seen, due)
        idle.append(line)

    tasks = []
    for index, (key, request) in enumerate(requests):
        due = start + index / job.rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        seen.lags.append(time.perf_counter() - due)
        tasks.append(asyncio.create_task(one(key, request, due)))
    await asyncio.gather(*tasks)


async def _one(job: Job, line: Line, key: str, request: bytes, seen: Seen, due: float) -> None:
    seen.begun[key] = due
    try:
        status, body = await line.call(job.port, request)
    except OSError:
        status, body = 0, b""
    if 200 <= status < 300:
        seen.latencies.append(time.perf_counter() - due)
        seen.note(body)
    else:
        seen.errors += 1


def report(job: Job, seen: Seen, seconds: float, share: float) -> dict[str, Any]:
    """The figures, times in milliseconds."""
    found: dict[str, Any] = {
        "count": len(seen.latencies),
        "errors": seen.errors,
        "per_second": round(len(seen.latencies) / seconds, 1),
        **quantiles(seen.latencies),
        "client_lag_p99_ms": quantiles(seen.lags)["p99_ms"],
        "client_cpu": round(share, 2),
    }
    if job.patience:
        waits = [at - seen.begun[key] for key, at in seen.answered.items()]
        last = max(seen.answered.values(), default=0.0) - min(seen.begun.values(), default=0.0)
        found["replies"] = len(waits)
        found["replies_per_second"] = round(len(waits) / last, 1) if waits else 0.0
        found |= {f"reply_{name}": value for name, value in quantiles(waits).items()}
    return found


def quantiles(seconds: list[float]) -> dict[str, float]:
    """Median, 99th percentile (nearest rank) and maximum, in milliseconds."""
    ordered = sorted(seconds) or [0.0]
    at = {"p50_ms": 0.5, "p99_ms": 0.99, "max_ms": 1.0}
    last = len(ordered) - 1
    return {n: round(ordered[min(last, int(q * len(ordered)))] * 1000, 2) for n, q in at.items()}


def job_line(job: Job) -> bytes:
    """A job as this module reads it."""
    return json.dumps(asdict(job)).encode()


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(Job(**json.loads(sys.stdin.read()))))))
