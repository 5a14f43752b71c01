"""What monitors see."""

import pytest

from webhooks.factory import create_app
from webhooks.fakes import FakeService


@pytest.fixture
def service():
    return FakeService()


@pytest.fixture
def client(service):
    return create_app(service).test_client()


def test_live_whatever_else_is_wrong(service, client):
    service.reasons.append("database")
    assert client.get("/health/live").status_code == 200


@pytest.mark.parametrize(("reasons", "status"), [([], 200), (["babu engine"], 503)])
def test_ready_gives_its_reasons(service, client, reasons, status):
    service.reasons[:] = reasons
    answer = client.get("/health/ready")
    assert answer.status_code == status
    assert answer.get_json() == {"ready": not reasons, "reasons": reasons}


def test_metrics(client):
    answer = client.get("/metrics")
    assert answer.data == b"lafiya_up 1\n"
    assert answer.content_type.startswith("text/plain; version=0.0.4")


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics"])
def test_only_reading(client, path):
    assert client.post(path).status_code == 405
