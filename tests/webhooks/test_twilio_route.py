"""Twilio's webhooks: signed or refused, answered with empty TwiML."""

from urllib.parse import quote
from xml.etree import ElementTree

import pytest

from bot.channels.twilio import TwilioChannel
from core.errors import StoreError
from core.messages import DeliveryReport
from tests.payloads import form, signature
from webhooks.factory import create_app
from webhooks.fakes import FakeService

TOKEN, PUBLIC, PATH = "twilio-token", "https://lafiya.example", "/webhooks/twilio"
FORM = form("SM1", "Ina jin zazzaɓi & amai", Tomorrow="")
STATUS = {"MessageSid": "SM9", "MessageStatus": "undelivered", "ErrorCode": "63016", "New": ""}


def _service(public=PUBLIC):
    channel = TwilioChannel("AC0", TOKEN, "+14155238886", public_url=public)
    return FakeService({"whatsapp": channel})


@pytest.fixture
def service():
    return _service()


@pytest.fixture
def post(service):
    return _poster(service)


def _poster(service):
    client = create_app(service).test_client()

    def call(fields=FORM, path=PATH, sign=None, url=None, **more):
        sign = signature(TOKEN, url or PUBLIC + path, fields) if sign is None else sign
        headers = {"X-Twilio-Signature": sign} if sign else {}
        return client.post(path, data=fields, headers=headers, **more)

    return call


def test_a_message_is_accepted(service, post):
    answer = post()
    assert answer.status_code == 200
    assert answer.content_type == "text/xml; charset=utf-8"
    assert ElementTree.fromstring(answer.data).tag == "Response"  # noqa: S314 - our own
    assert [i.text for i in service.accepted] == ["Ina jin zazzaɓi & amai"]


def test_the_public_address_counts_and_not_the_proxys(service, post):
    assert post(base_url="http://10.0.0.7:8080").status_code == 200


def test_a_query_is_part_of_what_is_signed(service, post):
    assert post(path=f"{PATH}?a=%20b").status_code == 200
    assert post(path=f"{PATH}?a=c", url=f"{PUBLIC}{PATH}?a=d").status_code == 403


def test_without_a_public_address_the_called_one_counts():
    service = _service(public="")
    post = _poster(service)
    assert post(url=f"http://localhost{PATH}").status_code == 200
    assert post(path=f"{PATH}?a=1", url=f"http://localhost{PATH}?a=1").status_code == 200
    assert post().status_code == 403


FORGED = [
    ("no signature", FORM, ""),
    ("a wrong one", FORM, "AAAA"),
    ("for another form", FORM, signature(TOKEN, PUBLIC + PATH, {**FORM, "Body": "a"})),
    ("with another token", FORM, signature("x", PUBLIC + PATH, FORM)),
    ("not ASCII", FORM, "É"),
    ("an empty form", {}, "AAAA"),
]


@pytest.mark.parametrize("path", [PATH, f"{PATH}/status"])
@pytest.mark.parametrize(("label", "fields", "sign"), FORGED, ids=[f[0] for f in FORGED])
def test_a_forgery_is_refused(service, post, caplog, path, label, fields, sign):
    caplog.set_level("INFO", logger="lafiya")
    answer = post(fields, path, sign)
    assert (answer.status_code, answer.get_json()) == (403, {"error": "forbidden"})
    assert not service.accepted
    assert not service.reports
    lines = str([record.fields for record in caplog.records])
    assert "2348" not in lines
    assert "zazza" not in lines


def test_a_form_with_half_a_surrogate_pair_is_forged(service):
    client = create_app(service).test_client()
    answer = client.post(
        PATH,
        data="Body=%ED%A0%80&MessageSid=SM1",
        content_type="application/x-www-form-urlencoded",
        headers={"X-Twilio-Signature": "AAAA"},
    )
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("label", "body"),
    [("256 KiB and more", b"a=" + b"b" * (256 * 1024)), ("501 fields", b"a=1&" * 500)],
)
def test_the_oversized_is_refused(service, label, body):
    client = create_app(service).test_client()
    answer = client.post(
        PATH,
        data=body,
        content_type="application/x-www-form-urlencoded",
        headers={"X-Twilio-Signature": "AAAA"},
    )
    assert answer.status_code == 413
    assert set(answer.get_json()) == {"error"}


def test_another_content_type_is_forged(service):
    client = create_app(service).test_client()
    answer = client.post(PATH, json=FORM, headers={"X-Twilio-Signature": "AAAA"})
    assert answer.status_code == 403


def test_a_raw_form_as_twilio_writes_it(service):
    fields = form("SM2", "Sannu ƙwarai", number="+2348000000009")
    raw = "&".join(f"{name}={quote(value, safe='')}" for name, value in fields.items())
    answer = (
        create_app(service)
        .test_client()
        .post(
            PATH,
            data=raw,
            content_type="application/x-www-form-urlencoded; charset=UTF-8",
            headers={"X-Twilio-Signature": signature(TOKEN, PUBLIC + PATH, fields)},
        )
    )
    assert answer.status_code == 200
    assert service.accepted[0].address == "+2348000000009"


def test_what_is_authentic_is_never_refused(service, post):
    assert post({"MessageSid": "SM1", "Hologram": "x"}).status_code == 200
    assert not service.accepted


def test_a_store_that_is_down(service, post):
    service.fault = StoreError()
    assert post().status_code == 503
    assert post(STATUS, f"{PATH}/status").status_code == 503


def test_a_status_is_reported(service, post):
    answer = post(STATUS, f"{PATH}/status")
    assert (answer.status_code, answer.data) == (204, b"")
    assert service.reports == [DeliveryReport("whatsapp", "SM9", "undelivered", "63016")]


def test_a_status_that_says_nothing(service, post):
    assert post({"MessageSid": "SM9"}, f"{PATH}/status").status_code == 204
    assert not service.reports


@pytest.mark.parametrize("path", [PATH, f"{PATH}/status"])
def test_a_channel_that_is_off(path):
    client = create_app(FakeService()).test_client()
    assert client.post(path, data=FORM).status_code == 404
    assert client.get(path).status_code == 405
