"""Twilio's webhooks: messages from WhatsApp, and what became of ours.

The answer to a message is an empty TwiML document, at once: the reply goes out by REST.
"""

from collections.abc import Callable
from typing import TypeVar

from flask import Blueprint, Response, abort, request
from werkzeug.datastructures import MultiDict

from bot.channels.twilio import TwilioChannel
from core.logs import crash
from webhooks.service import Service

T = TypeVar("T")
_SIGNATURE_HEADER = "X-Twilio-Signature"
_MOST_BYTES, _MOST_FIELDS = 256 * 1024, 500
_NOTHING_TO_SAY = '<?xml version="1.0" encoding="UTF-8"?><Response/>'


def routes(service: Service) -> Blueprint:
    """POST /webhooks/twilio and POST /webhooks/twilio/status."""
    room = Blueprint("twilio", __name__)

    @room.post("/webhooks/twilio", provide_automatic_options=False)
    def message() -> Response:
        channel, form = _authentic(service)
        inbound = _read(channel.parse, form)
        if inbound is not None:
            service.accept(inbound)
        return Response(_NOTHING_TO_SAY, content_type="text/xml; charset=utf-8")

    @room.post("/webhooks/twilio/status", provide_automatic_options=False)
    def status() -> Response:
        channel, form = _authentic(service)
        report = _read(channel.parse_status, form)
        if report is not None:
            service.report(report)
        return Response(status=204)

    return room


def _authentic(service: Service) -> tuple[TwilioChannel, MultiDict[str, str]]:
    """The channel and the form, once its signature is found right. Raises Forged."""
    channel = service.channels.get("whatsapp")
    if not isinstance(channel, TwilioChannel):
        abort(404)
    query = request.query_string.decode("latin-1")
    url = channel.signed_url(request.path, query, request.base_url)
    form = _form()
    channel.verify(url, form, request.headers.get(_SIGNATURE_HEADER))
    return channel, form


def _form() -> MultiDict[str, str]:
    """The form, unless it is far beyond what Twilio sends: signing sorts every field."""
    request.max_content_length = _MOST_BYTES
    if request.get_data().count(b"&") >= _MOST_FIELDS:
        abort(413)
    return request.form


def _read(parse: Callable[[MultiDict[str, str]], T | None], form: MultiDict[str, str]) -> T | None:
    try:
        return parse(form)
    except Exception as error:
        crash("whatsapp.unreadable", error)
        return None
