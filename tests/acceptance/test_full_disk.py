"""A full disk: nothing is acknowledged that is not stored, and the service recovers by itself."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.acceptance.run import open_work
from tests.acceptance.service import Request, Service, telegram, whatsapp
from tests.acceptance.traffic import MARK
from tests.providers import Providers
from tests.waiting import came

TEXT = "Ina da tambaya a kan lafiya, lamba {}-{} " + "a" * 300


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 16 MB; skips where one cannot be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True)
    except OSError as error:
        pytest.skip(f"no small disk can be mounted here: {error}")
    if done.returncode:
        pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True, capture_output=True)


@pytest.mark.slow
def test_a_full_disk_loses_nothing(
    serve: Callable[..., Service], providers: Providers, small_disk: Path
) -> None:
    service = serve(small_disk, ECHO_DELAY="0.02")
    accepted = [key for key in range(20) if _post(service, _request(key)) == 200]
    assert len(accepted) == 20
    _fill(small_disk / "ballast")
    full = {key: _post(service, _request(key)) for key in range(20, 80)}
    assert set(full.values()) <= {200, 503}
    assert full[79] == 503
    assert service.call("GET", "/health/live")[0] == 200
    (small_disk / "ballast").unlink()
    assert came(lambda: _post(service, _request(79)) == 200, 20)
    for key in range(80):  # the provider sends again what was refused, and more
        assert _post(service, _request(key)) == 200
    url = f"sqlite:///{small_disk}/lafiya.db"
    assert came(lambda: open_work(url) == 0, 90), service.log.read_text()[-3000:]
    answered = [MARK.search(sent.text) for sent in providers.taken()]
    keys = sorted(int(mark[2]) for mark in answered if mark)
    assert sorted(set(keys)) == list(range(80))


def _fill(ballast: Path) -> None:
    """Take the whole rest of the disk."""
    with ballast.open("wb", buffering=0) as file:
        for size in (65536, 4096, 512, 1):
            try:
                while True:
                    file.write(b"0" * size)
            except OSError:
                continue


def _request(key: int) -> Request:
    text = TEXT.format(1, key)
    if key % 2:
        return whatsapp(key, f"+{2348000300000 + key}", text)
    return telegram(key, 771300000 + key, text)


def _post(service: Service, request: Request) -> int:
    path, body, headers = request
    return service.call("POST", path, body, headers)[0]
