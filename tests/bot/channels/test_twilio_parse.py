"""Twilio's forms in, our messages out."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.twilio_parse import parse, parse_status
from core.messages import DeliveryReport, Inbound, Kind
from tests.payloads import form

SID = "SM" + "a" * 32


def _in(**more):
    fields = {
        "channel": "whatsapp",
        "external_id": SID,
        "sender": "2348000000001",
        "address": "+2348000000001",
        "name": "Amina",
        **more,
    }
    return Inbound(**fields)


def _media(kind, **more):
    return {"NumMedia": "1", "MediaContentType0": kind, "MediaUrl0": "https://a.example/1", **more}


CASES = [
    ("text", {"Body": "Ina jin zazzaɓi"}, _in(text="Ina jin zazzaɓi")),
    ("no name", {"Body": "a", "ProfileName": ""}, _in(text="a", name="")),
    ("no WaId", {"Body": "a", "WaId": ""}, _in(text="a")),
    ("another WaId", {"Body": "a", "WaId": "99"}, _in(text="a", sender="99")),
    ("the plus not escaped", {"Body": "a", "From": "whatsapp: 2348000000001"}, _in(text="a")),
    (
        "a name for a number",
        {"Body": "a", "From": "whatsapp:NG.13491208655302741918", "WaId": ""},
        _in(text="a", sender="NG.13491208655302741918", address="NG.13491208655302741918"),
    ),
    (
        "a button",
        {
            "Body": "Na yarda",
            "ButtonText": "Na yarda",
            "ButtonPayload": "yes",
            "MessageType": "button",
        },
        _in(kind=Kind.CHOICE, text="Na yarda", choice="yes"),
    ),
    ("a button without payload", {"ButtonText": "Na yarda"}, _in(text="Na yarda")),
    ("a voice note", _media("audio/ogg; codecs=opus"), _in(kind=Kind.VOICE)),
    (
        "a photo with words",
        _media("image/jpeg", Body="Kuraje"),
        _in(kind=Kind.PHOTO, text="Kuraje"),
    ),
    ("a sticker by type", _media("image/webp", MessageType="sticker"), _in(kind=Kind.STICKER)),
    ("a sticker", _media("image/webp"), _in(kind=Kind.STICKER)),
    ("a video", _media("video/mp4"), _in(kind=Kind.VIDEO)),
    ("a document", _media("application/pdf"), _in(kind=Kind.DOCUMENT)),
    ("a contact", _media("text/vcard"), _in(kind=Kind.CONTACT)),
    ("contacts by type", {"MessageType": "contacts"}, _in(kind=Kind.CONTACT)),
    ("a plain text file", _media("text/plain"), _in(kind=Kind.DOCUMENT)),
    ("media of no type", {"NumMedia": "1"}, _in(kind=Kind.OTHER)),
    ("media of a new type", _media("model/gltf"), _in(kind=Kind.OTHER)),
    ("a location", {"Latitude": "12.0", "Longitude": "8.5"}, _in(kind=Kind.LOCATION)),
    ("a location by type", {"MessageType": "location"}, _in(kind=Kind.LOCATION)),
    ("a reaction or an unknown thing", {"MessageType": "unsupported"}, _in(kind=Kind.OTHER)),
    ("unknown and blank fields", {"Body": "a", "Referral": "", "Tomorrow": "x"}, _in(text="a")),
    ("NUL", {"Body": "a\0b"}, _in(text="a\ufffdb")),
]


@pytest.mark.parametrize(("label", "fields", "expected"), CASES, ids=[c[0] for c in CASES])
def test_a_message(label, fields, expected):
    assert parse(form(SID, **{"body": "", **fields})) == expected


@pytest.mark.parametrize(
    ("label", "fields"),
    [
        ("an SMS", {"From": "+2348000000001"}),
        ("another channel", {"From": "messenger:123"}),
        ("nobody", {"From": ""}),
        ("no number", {"From": "whatsapp:"}),
        ("no id", {"MessageSid": "", "SmsSid": "", "SmsMessageSid": ""}),
        ("an id of 129", {"MessageSid": "a" * 129, "SmsSid": "", "SmsMessageSid": ""}),
    ],
)
def test_no_message(label, fields):
    assert parse({**form(SID, "a"), **fields}) is None


def test_an_empty_form():
    assert parse({}) is None
    assert parse_status({}) is None


@pytest.mark.parametrize(
    ("label", "fields", "expected"),
    [
        ("delivered", {"MessageStatus": "delivered"}, ("delivered", None)),
        (
            "outside the window",
            {"MessageStatus": "undelivered", "ErrorCode": "63016"},
            ("undelivered", "63016"),
        ),
        (
            "failed for a reason that passes",
            {"MessageStatus": "failed", "ErrorCode": "63018"},
            ("failed", "63018", True),
        ),
        (
            "sent, with an old code",
            {"MessageStatus": "sent", "ErrorCode": "63018"},
            ("sent", "63018"),
        ),
        ("upper case", {"MessageStatus": "READ"}, ("read", None)),
        ("a code that is none", {"MessageStatus": "failed", "ErrorCode": "None"}, ("failed", None)),
        ("the older name", {"SmsStatus": "sent"}, ("sent", None)),
    ],
)
def test_a_status(label, fields, expected):
    assert parse_status({"MessageSid": SID, **fields}) == DeliveryReport("whatsapp", SID, *expected)


@pytest.mark.parametrize(
    "fields", [{"MessageStatus": ""}, {"MessageStatus": "ɗ"}, {"MessageStatus": "a" * 33}]
)
def test_no_status(fields):
    assert parse_status({"MessageSid": SID, **fields}) is None


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(form(SID))) | st.text(), st.text()))
def test_never_raises_for_any_form(fields):
    parse({"MessageSid": SID, "From": "whatsapp:+1", **fields})
    parse_status({"MessageSid": SID, **fields})
