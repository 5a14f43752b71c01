"""A service over a database of its own, with providers that can fail."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.acceptance.nursery import Nursery
from tests.acceptance.service import Service
from tests.providers import Providers


@pytest.fixture
def providers() -> Iterator[Providers]:
    """Telegram and Twilio, without faults."""
    with Providers() as running:
        yield running


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Where the services of the tests come from."""
    started = Nursery()
    yield started
    started.close()


@pytest.fixture
def serve(
    tmp_path: Path, providers: Providers, nursery: Nursery
) -> Iterator[Callable[..., Service]]:
    """Starts `lafiya serve` with settings; SQLite in the test's folder."""
    begun: list[Service] = []

    def start(folder: Path = tmp_path, **settings: str) -> Service:
        url = f"sqlite:///{folder}/lafiya.db"
        service = Service(tmp_path, providers.base, url, settings=settings, nursery=nursery)
        begun.append(service)
        return service.__enter__()

    yield start
    for service in begun:
        service.__exit__()
