"""Requests that are not a provider's: refused, nothing stored, and the log says only why."""

import json
import socket
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.service import (
    TELEGRAM_SECRET,
    TELEGRAM_TOKEN,
    TWILIO_TOKEN,
    Request,
    Service,
    telegram,
    whatsapp,
)

WORDS = "Kalmomin da ba za a rubuta ba"
CHAT, PHONE = 771999001, "+2348000999001"
SECRET = "X-Telegram-Bot-Api-Secret-Token"
SIGNATURE = "X-Twilio-Signature"


def _without(request: Request, name: str) -> Request:
    path, body, headers = request
    return path, body, {k: v for k, v in headers.items() if k != name}


def _body(request: Request, body: bytes) -> Request:
    return request[0], body, request[2]


def _cases() -> list[tuple[str, Request, set[int]]]:
    update, form = telegram(1, CHAT, WORDS), whatsapp(2, PHONE, WORDS)
    big = b"a" * (1 << 21)
    return [
        ("no secret", _without(update, SECRET), {403}),
        ("wrong secret", telegram(1, CHAT, WORDS, **{SECRET: "guess"}), {403}),
        ("secret as bytes", telegram(1, CHAT, WORDS, **{SECRET: "\xff\xfe"}), {403}),
        ("token as secret", telegram(1, CHAT, WORDS, **{SECRET: TELEGRAM_TOKEN}), {403}),
        ("not JSON", _body(update, WORDS.encode()), {400}),
        ("a JSON list", _body(update, json.dumps([WORDS]).encode()), {400}),
        ("half JSON", _body(update, update[1][:-9]), {400}),
        ("deep JSON", _body(update, b"[" * 100_000), {400}),
        ("not UTF-8", _body(update, b'{"update_id": "\xff\xfe'), {400}),
        ("oversized update", _body(update, big), {413}),
        ("no signature", _without(form, SIGNATURE), {403}),
        ("wrong signature", whatsapp(2, PHONE, WORDS, **{SIGNATURE: "Z3Vlc3M="}), {403}),
        ("signature as bytes", whatsapp(2, PHONE, WORDS, **{SIGNATURE: "\xff\xfe"}), {403}),
        ("changed form", _body(form, form[1] + b"&Body=tampered"), {403}),
        ("signed for another path", ("/webhooks/twilio/status", *form[1:]), {403}),
        ("signed for another query", ("/webhooks/twilio?x=1", *form[1:]), {403}),
        ("oversized form", _body(form, form[1] + b"&x=" + big), {403, 413}),
        ("too many fields", _body(form, form[1] + b"&x=1" * 5000), {403, 413}),
        ("no such path", (f"/webhooks/{CHAT}", *update[1:]), {404}),
    ]


CASES = _cases()


@pytest.fixture
def service(serve: Callable[..., Service]) -> Service:
    """One service for all cases."""
    return serve()


@pytest.mark.slow
def test_nothing_is_stored_and_only_a_reason_is_logged(service: Service, tmp_path: Path) -> None:
    answers = [(label, service.call("POST", *request), wanted) for label, request, wanted in CASES]
    wrong = [(label, status) for label, (status, _), wanted in answers if status not in wanted]
    shown = [label for label, (_, body), _ in answers if b"Traceback" in body or b"<html" in body]
    assert not wrong
    assert not shown
    for method in ("GET", "PUT", "DELETE"):
        assert service.call(method, "/webhooks/telegram")[0] == 405
    assert _raw(service, b"POST /webhooks/telegram HTTP/1.1\r\nContent-Length: -5\r\n\r\n") == 400
    assert _raw(service, b"\x16\x03\x01\x02\x00 " + WORDS.encode() + b"\r\n\r\n") == 400
    with sqlite3.connect(tmp_path / "lafiya.db") as database:
        for table in ("receipts", "people", "messages", "jobs", "outbox"):
            assert database.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table
    _check_log(service)


def _check_log(service: Service) -> None:
    said = service.log.read_text(errors="replace")
    secrets = [TELEGRAM_TOKEN, TELEGRAM_SECRET, TWILIO_TOKEN, WORDS, str(CHAT), PHONE[1:]]
    assert [secret for secret in (*secrets, "tampered", "Traceback") if secret in said] == []
    assert said.count("web.forged") >= 8


def _raw(service: Service, request: bytes) -> int:
    """The status of a request that no client library would send."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as line:
        line.sendall(request)
        return int(line.recv(4096).split()[1])
