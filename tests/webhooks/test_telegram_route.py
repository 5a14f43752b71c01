"""Telegram's webhook: 200 means committed; forgeries store nothing."""

import json

import pytest

from bot.channels.fakes import FakeChannel
from bot.channels.telegram import TelegramChannel
from core.errors import StoreError
from core.messages import Kind
from tests.payloads import press, update
from webhooks.factory import create_app
from webhooks.fakes import FakeService

SECRET = "s3cret_for-tests"
PATH = "/webhooks/telegram"


@pytest.fixture
def service():
    return FakeService({"telegram": TelegramChannel("123456:test-token", secret=SECRET)})


@pytest.fixture
def post(service):
    client = create_app(service).test_client()

    def call(body, secret=SECRET, **more):
        headers = {} if secret is None else {"X-Telegram-Bot-Api-Secret-Token": secret}
        data = body if isinstance(body, bytes | str) else json.dumps(body)
        return client.post(PATH, data=data, headers=headers, **more)

    return call


def test_a_message_is_accepted(service, post):
    answer = post(update(1, text="Ina jin zazzaɓi"))
    assert (answer.status_code, answer.data) == (200, b"")
    assert [i.text for i in service.accepted] == ["Ina jin zazzaɓi"]


def test_a_press_is_accepted(service, post):
    assert post(press(2, "yes")).status_code == 200
    assert service.accepted[0].kind is Kind.CHOICE


NOTHING = [
    ("an unknown update", {"update_id": 1, "hologram": {}}),
    ("an empty object", {}),
    ("a broken message", {"update_id": 1, "message": 5}),
    (
        "somebody has left",
        {"update_id": 1, "my_chat_member": {"new_chat_member": {"status": "left"}}},
    ),
]


@pytest.mark.parametrize(("label", "body"), NOTHING, ids=[n[0] for n in NOTHING])
def test_what_is_authentic_is_never_refused(service, post, label, body):
    assert post(body).status_code == 200
    assert not service.accepted


FORGED = [
    ("no secret", None),
    ("an empty one", ""),
    ("another one", "s3cret_for-test"),
    ("a longer one", SECRET + "x"),
    ("not ASCII", "ɗ".encode().decode("latin-1")),
]


@pytest.mark.parametrize(("label", "secret"), FORGED, ids=[f[0] for f in FORGED])
def test_a_forgery_is_refused(service, post, caplog, label, secret):
    caplog.set_level("INFO", logger="lafiya")
    answer = post(update(1, text="asirin mutum"), secret)
    assert answer.status_code == 403
    assert answer.get_json() == {"error": "forbidden"}
    assert not service.accepted
    lines = [record.fields for record in caplog.records]
    assert [line["route"] for line in lines] == ["telegram.update"]
    assert "asirin" not in str(lines)
    assert SECRET not in str(lines)


def test_a_channel_without_secret_takes_nothing():
    service = FakeService({"telegram": TelegramChannel("123456:test-token", secret="")})
    answer = (
        create_app(service)
        .test_client()
        .post(PATH, json=update(1, text="a"), headers={"X-Telegram-Bot-Api-Secret-Token": ""})
    )
    assert answer.status_code == 403


MALFORMED = [
    ("nothing", b"", 400),
    ("no JSON", b"{", 400),
    ("a list", b"[]", 400),
    ("a number", b"1", 400),
    ("bytes", b"\xff\xfe\x00", 400),
    ("a deep well", b"[" * 200_000, 400),
    ("a number of many digits", b'{"update_id": ' + b"9" * 10_000 + b"}", 400),
    ("1 MiB and a byte", b" " * ((1 << 20) + 1), 413),
]


@pytest.mark.parametrize(("label", "body", "status"), MALFORMED, ids=[m[0] for m in MALFORMED])
def test_the_malformed_is_refused_in_one_line(service, post, label, body, status):
    answer = post(body)
    assert answer.status_code == status
    assert set(answer.get_json()) == {"error"}
    assert b"\n" not in answer.data
    assert not service.accepted


def test_1_mib_is_read(post):
    assert post(json.dumps(update(1, text="a")).ljust(1 << 20)).status_code == 200


def test_a_store_that_is_down_asks_for_a_repeat(service, post):
    service.fault = StoreError("postgresql://user:password@host")
    answer = post(update(1, text="a"))
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "2"
    assert b"password" not in answer.data


def test_the_unforeseen_shows_no_trace(service, post, caplog):
    service.fault = RuntimeError("asirin mutum")
    answer = post(update(1, text="a"))
    assert (answer.status_code, answer.get_json()) == (500, {"error": "internal error"})
    assert "asirin" not in str([record.__dict__.get("fields") for record in caplog.records])


@pytest.mark.parametrize("channels", [{}, {"telegram": FakeChannel()}])
def test_a_channel_that_is_off(channels):
    client = create_app(FakeService(channels)).test_client()
    assert client.post(PATH, json={}).status_code == 404


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch", "options"])
def test_other_methods(service, method):
    answer = getattr(create_app(service).test_client(), method)(PATH)
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "POST"
    assert answer.get_json() == {"error": "method not allowed"}


def test_headers_and_unknown_paths(service):
    answer = create_app(service).test_client().get("/webhooks/nothing?token=1")
    assert answer.status_code == 404
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.content_type == "application/json"
