"""The service as an operator runs it: `lafiya` in processes of its own, killed and started at will.

Knows the command line, the settings and how providers sign. Imports nothing of the service.
"""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.acceptance.nursery import Born, Nursery
from tests.payloads import form, signature, update

ROOT = Path(__file__).parents[2]
PUBLIC_URL = "https://lafiya.example"
TELEGRAM_TOKEN = "987654321:AAaccept4nceT0kenThatMustNeverBeLogged"
TELEGRAM_SECRET = "accept4nce-secret-header"
TWILIO_SID = "AC" + "0" * 32
TWILIO_TOKEN = "accept4nceTwilioTokenNeverLogged"
LAFIYA = (sys.executable, "-c", "from cli.main import main; main()")


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return asked.getsockname()[1]


@dataclass(frozen=True)
class Upset:
    """A process that was killed, or a database that was gone, and from when to when."""

    what: str
    begun: float
    ended: float


@dataclass
class Service:
    """The processes of one service over one database."""

    folder: Path
    providers: str
    database_url: str
    commands: tuple[str, ...] = ("serve",)
    settings: dict[str, str] = field(default_factory=dict)
    nursery: Nursery | None = None
    port: int = field(default_factory=free_port)
    running: list[subprocess.Popen[bytes] | Born] = field(default_factory=list)
    upsets: list[Upset] = field(default_factory=list)

    def __enter__(self) -> "Service":
        for command in self.commands:
            self.start(command)
        self.await_answering()
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.running:
            process.kill()
            process.wait()

    @property
    def log(self) -> Path:
        """What all the processes have logged and printed."""
        return self.folder / "service.log"

    def start(self, command: str) -> subprocess.Popen[bytes] | Born:
        """Start one more process: `serve`, `web` or `worker`."""
        words = ["--env", str(self.folder / "none.env"), command]
        if self.nursery:
            process = self.nursery.bear(words, self._environment(), self.log)
        else:
            process = self._start_anew(words)
        self.running.append(process)
        return process

    def _start_anew(self, words: list[str]) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                (*LAFIYA, *words), cwd=ROOT, env=self._environment(), stdout=log, stderr=log
            )

    def kill(self, number: int) -> None:
        """SIGKILL a process (its number among `commands`) and start it again."""
        begun = time.time()
        self.running[number].send_signal(signal.SIGKILL)
        self.running[number].wait()
        self.upsets.append(Upset(f"kill {self.commands[number]}", begun, time.time()))
        again = self.start(self.commands[number])
        self.running[number] = self.running.pop(self.running.index(again))

    def await_answering(self, seconds: float = 150) -> None:
        """Wait until the web part answers."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                if self.call("GET", "/health/live")[0] == 200:
                    return
            except OSError:
                dead = [p.poll() for p in self.running if p.poll() is not None]
                if dead:
                    raise AssertionError(f"ended with {dead}: {self.log.read_text()}") from None
                time.sleep(0.05)
        raise AssertionError("the service does not answer: " + self.log.read_text()[-2000:])

    def call(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        """One request on a connection of its own: status and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def measure(self, name: str) -> float:
        """One value of /metrics; 0 when it is not there yet."""
        lines = self.call("GET", "/metrics")[1].decode().splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))

    def _environment(self) -> dict[str, str]:
        product = {
            "DATABASE_URL": self.database_url,
            "PORT": str(self.port),
            "PUBLIC_URL": PUBLIC_URL,
            "ENGINE": "echo",
            "LIBRARY_DIRECT": "false",
            # Drafts are left out: an index over no topics is made at once, and echo needs none.
            "LIBRARY_REVIEWED_ONLY": "true",
            "CONSENT": "notice",
            "RATE_LIMIT": "10000",
            "LEASE_SECONDS": "2",
            "SEND_TIMEOUT": "2",
            "TELEGRAM_BOT_TOKEN": TELEGRAM_TOKEN,
            "TELEGRAM_WEBHOOK_SECRET": TELEGRAM_SECRET,
            "TELEGRAM_API_BASE": self.providers,
            "TWILIO_ACCOUNT_SID": TWILIO_SID,
            "TWILIO_AUTH_TOKEN": TWILIO_TOKEN,
            "TWILIO_WHATSAPP_FROM": "+14155238886",
            "TWILIO_API_BASE": self.providers,
        }
        return {**os.environ, **product, **self.settings}


Request = tuple[str, bytes, dict[str, str]]


def telegram(number: int, chat: int, text: str, **headers: str) -> Request:
    """(path, body, headers) of an authentic update."""
    payload: dict[str, Any] = update(number, chat, text=text)
    secret = {"X-Telegram-Bot-Api-Secret-Token": TELEGRAM_SECRET}
    kind = {"Content-Type": "application/json"}
    return "/webhooks/telegram", json.dumps(payload).encode(), {**kind, **secret, **headers}


def whatsapp(number: int, phone: str, text: str, **headers: str) -> Request:
    """(path, body, headers) of an authentic Twilio form."""
    fields = form(f"SM{number:032x}", text, phone)
    path = "/webhooks/twilio"
    signed = {"X-Twilio-Signature": signature(TWILIO_TOKEN, PUBLIC_URL + path, fields)}
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    return path, urlencode(fields).encode(), {**kind, **signed, **headers}
