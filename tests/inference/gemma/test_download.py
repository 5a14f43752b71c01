"""A hub of our own on this machine: what it gives, what it refuses, and starting without it."""

import hashlib
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from core.errors import EngineAbsent, SettingsError
from inference.gemma.download import find

SHA = "0123456789abcdef0123456789abcdef01234567"
NAME = "owner/gemma-tiny"


class Hub(ThreadingHTTPServer):
    """Serves one repository as the hub does, or refuses it; remembers what was asked."""

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.folder = folder
        self.refusal: tuple[int, str] | None = None
        self.asked: list[str] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Answer(BaseHTTPRequestHandler):
    server: Hub

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        self.server.asked.append(self.path)
        if self.server.refusal:
            status, code = self.server.refusal
            return self._send(status, b"", {"X-Error-Code": code} if code else {}, body)
        if self.path.startswith("/api/models/") and "/tree/" in self.path:
            return self._send(200, json.dumps(self._tree()).encode(), {}, body)
        if self.path.startswith("/api/models/"):
            rows = {"id": NAME, "sha": SHA, "siblings": []}
            return self._send(200, json.dumps(rows).encode(), {}, body)
        content = (self.server.folder / self.path.rpartition("/")[2]).read_bytes()
        headers = {"ETag": f'"{digest(content)}"', "X-Repo-Commit": SHA}
        return self._send(200, content, headers, body)

    def _tree(self) -> list[dict[str, object]]:
        files = sorted(self.server.folder.iterdir())
        rows = [{"path": f.name, "bytes": f.read_bytes()} for f in files]
        rows.append({"path": "original/consolidated.safetensors", "bytes": b"the same again"})
        return [
            {
                "type": "file",
                "path": row["path"],
                "size": len(row["bytes"]),
                "oid": digest(row["bytes"]),
            }
            for row in rows
        ]

    def _send(self, status: int, content: bytes, headers: dict[str, str], body: bool) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if body:
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


def digest(content: bytes) -> str:
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()


@pytest.fixture
def hub(tiny: Path) -> Iterator[Hub]:
    server = Hub(tiny)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def unseen(stage: str, done: float, detail: str) -> None:
    pass


def test_a_download_reports_its_bytes_and_the_next_start_needs_no_network(
    hub: Hub, tiny: Path, tmp_path: Path
) -> None:
    seen: list[tuple[str, float, str]] = []
    folder, revision = find(
        NAME, lambda *report: seen.append(report), cache=tmp_path, endpoint=hub.address
    )
    assert revision == SHA
    weights = "model.safetensors"
    assert (folder / weights).read_bytes() == (tiny / weights).read_bytes()
    assert not (folder / "original").exists()
    assert {stage for stage, _, _ in seen} == {"download"}
    assert seen[0][1] == 0.0
    assert max(done for _, done, _ in seen) == 1.0
    assert any(detail.endswith(" of 0.00 GB") for _, _, detail in seen)
    hub.asked.clear()
    assert find(NAME, unseen, cache=tmp_path, endpoint=hub.address) == (folder, SHA)
    assert hub.asked == []


def test_what_was_left_half_way_is_fetched(hub: Hub, tmp_path: Path) -> None:
    folder, _ = find(NAME, unseen, cache=tmp_path, endpoint=hub.address)
    (folder / "model.safetensors").resolve().unlink()
    (folder / "model.safetensors").unlink()
    find(NAME, unseen, cache=tmp_path, endpoint=hub.address)
    assert (folder / "model.safetensors").is_file()


def test_what_the_progress_raises_ends_the_download(hub: Hub, tmp_path: Path) -> None:
    class Closed(Exception):
        pass

    def stop(stage: str, done: float, detail: str) -> None:
        if detail:
            raise Closed

    with pytest.raises(Closed):
        find(NAME, stop, cache=tmp_path, endpoint=hub.address)


@pytest.mark.parametrize(
    ("status", "code", "kind", "said"),
    [
        (403, "GatedRepo", SettingsError, "accepted its terms"),
        (401, "GatedRepo", SettingsError, "set HF_TOKEN"),
        (404, "RepoNotFound", SettingsError, "the hub has no owner/gemma-tiny"),
        (401, "RepoNotFound", SettingsError, "check the name"),
        (401, "", SettingsError, "HF_TOKEN"),
        (403, "", SettingsError, "refused"),
        (500, "", EngineAbsent, "set MODEL to a folder"),
        (502, "", EngineAbsent, "cannot be reached"),
    ],
)
def test_a_refusal_says_what_to_do(
    hub: Hub, tmp_path: Path, status: int, code: str, kind: type[Exception], said: str
) -> None:
    hub.refusal = (status, code)
    with pytest.raises(kind, match=f"MODEL: .*{said}"):
        find(NAME, unseen, cache=tmp_path, endpoint=hub.address)


def test_without_a_network_the_setting_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(EngineAbsent, match="MODEL: owner/gemma-tiny is not on this machine"):
            find(NAME, unseen, cache=tmp_path, endpoint=address)


@pytest.mark.parametrize("name", ["a/b/c", "owner/na me", "-/--", ""])
def test_what_is_no_name_at_all(name: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="MODEL: "):
        find(name, unseen, cache=tmp_path, endpoint="http://127.0.0.1:9")


def test_a_repository_without_a_checkpoint(hub: Hub, tmp_path: Path) -> None:
    hub.folder = tmp_path / "empty"
    hub.folder.mkdir()
    (hub.folder / "README.md").write_text("nothing")
    with pytest.raises(SettingsError, match=r"no checkpoint that can be loaded: no config\.json"):
        find(NAME, unseen, cache=tmp_path / "cache", endpoint=hub.address)
