"""A hub on 127.0.0.1, small enough for a test: it takes what `HuggingFace.push` sends.

Knows the five requests of huggingface_hub 1.x that make a repository, look at it and commit small
files to it.
"""

import base64
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

OWNER = "clinic"


@dataclass
class FakeHub:
    """Repositories by id: whether they are private, and their files. `allows` is the good token."""

    allows: str
    repos: dict[str, bool] = field(default_factory=dict)
    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    #: Answers this status to everything.
    fault: int = 0

    def __enter__(self) -> "FakeHub":
        """Serve until the end of the block; `endpoint` is the address."""
        hub = self

        class Handler(_Handler):
            fake = hub

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, path: str, token: str, body: bytes) -> tuple[int, dict[str, Any]]:
        """What the hub says to one request."""
        self.asked.append(path)
        if self.fault:
            return self.fault, {"error": "told to fail"}
        if token != f"Bearer {self.allows}":
            return 401, {"error": "Invalid user token."}
        if path == "/api/repos/create":
            return self._create(json.loads(body))
        if path == "/api/validate-yaml":
            return 200, {"errors": [], "warnings": []}
        repo = "/".join(path.removeprefix("/api/models/").split("/")[:2])
        if path == f"/api/models/{repo}" and repo in self.repos:
            return 200, {"id": repo, "private": self.repos[repo]}
        if path.endswith("/preupload/main"):
            return 200, {"files": [_plain(one) for one in json.loads(body)["files"]]}
        if path.endswith("/commit/main"):
            return self._commit(repo, body)
        return 404, {"error": "not found"}

    def _create(self, said: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        repo = f"{said.get('organization') or OWNER}/{said['name']}"
        url = {"url": f"{self.endpoint}/{repo}"}
        if repo in self.repos:
            return 409, url | {"error": "You already created this model repo"}
        self.repos[repo] = said.get("visibility") == "private"
        return 200, url

    def _commit(self, repo: str, body: bytes) -> tuple[int, dict[str, Any]]:
        kept = self.files.setdefault(repo, {})
        for line in body.splitlines():
            said = json.loads(line)
            if said["key"] == "file":
                kept[said["value"]["path"]] = base64.b64decode(said["value"]["content"])
        url = f"{self.endpoint}/{repo}/commit/1"
        return 200, {"success": True, "commitUrl": url, "commitOid": "1" * 40}


def _plain(file: dict[str, Any]) -> dict[str, Any]:
    """Every file as one that comes with the commit itself, not by the way of large ones."""
    return {"path": file["path"], "uploadMode": "regular", "shouldIgnore": False, "oid": None}


class _Handler(BaseHTTPRequestHandler):
    """Hands requests to the fake, and says nothing on standard error."""

    fake: FakeHub

    def do_GET(self) -> None:
        """A request that looks."""
        self.do_POST()

    def do_POST(self) -> None:
        """A request that changes something."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        token = self.headers.get("Authorization") or ""
        status, said = self.fake.answer(self.path, token, body)
        raw = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_: object) -> None:
        """Silent."""
