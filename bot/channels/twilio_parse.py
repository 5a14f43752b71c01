"""Twilio's forms for WhatsApp, read into our words. Pure: no network, no clock.

Field names: twilio.com/docs/messaging/guides/webhook-request. Twilio adds fields without notice, so
what is unknown or blank is passed over. Nothing here raises for any form.
"""

from collections.abc import Mapping

from bot.channels.twilio_codes import CODES, Meaning
from bot.channels.words import clean
from core.messages import DeliveryReport, Inbound, Kind

NAME = "whatsapp"
PREFIX = "whatsapp:"
Form = Mapping[str, str]
_LONGEST_ID = 128

_MEDIA = {
    "audio": Kind.VOICE,
    "image": Kind.PHOTO,
    "video": Kind.VIDEO,
    "application": Kind.DOCUMENT,
    "text": Kind.DOCUMENT,
}
_CARDS = ("text/vcard", "text/x-vcard", "text/directory")


def parse(form: Form) -> Inbound | None:
    """The message in a form, or None when it is not one from a WhatsApp user."""
    external_id = _id(form, "MessageSid") or _id(form, "SmsMessageSid") or _id(form, "SmsSid")
    address = _address(_field(form, "From"))
    if not external_id or not address:
        return None
    choice = _field(form, "ButtonPayload")
    return Inbound(
        channel=NAME,
        external_id=external_id,
        sender=_field(form, "WaId") or address.removeprefix("+"),
        address=address,
        kind=Kind.CHOICE if choice else _kind(form),
        text=_text(form),
        choice=choice or None,
        name=_field(form, "ProfileName"),
    )


def parse_status(form: Form) -> DeliveryReport | None:
    """Twilio's later word on a message, or None when the form holds none.

    Fields: twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks
    """
    provider_id = _id(form, "MessageSid") or _id(form, "SmsSid")
    status = _field(form, "MessageStatus") or _field(form, "SmsStatus")
    if not provider_id or not status.isascii() or not 0 < len(status) <= 32:
        return None
    code = _field(form, "ErrorCode")
    failed = status.lower() in ("failed", "undelivered")
    return DeliveryReport(
        NAME,
        provider_id,
        status.lower(),
        code if code.isdecimal() else None,
        send_again=failed and CODES.get(code) is Meaning.LATER,
    )


def whatsapp(address: str) -> str:
    """The address as Twilio writes it."""
    return address if address.startswith(PREFIX) else PREFIX + address


def _kind(form: Form) -> Kind:
    told = _field(form, "MessageType").lower()
    media = _field(form, "MediaContentType0").lower().partition(";")[0].strip()
    if told == "sticker" or media == "image/webp":
        return Kind.STICKER
    if told in ("contacts", "contact") or media in _CARDS:
        return Kind.CONTACT
    if media or _field(form, "NumMedia") not in ("", "0"):
        return _MEDIA.get(media.partition("/")[0], Kind.OTHER)
    if told == "location" or _field(form, "Latitude"):
        return Kind.LOCATION
    return Kind.TEXT if _text(form) else Kind.OTHER


def _text(form: Form) -> str:
    return _field(form, "Body") or _field(form, "ButtonText")


def _address(sender: str) -> str:
    """+234… from `whatsapp:+234…`; a form that did not escape the plus sign has a space there."""
    if not sender.startswith(PREFIX):
        return ""
    number = sender.removeprefix(PREFIX).strip()
    return f"+{number}" if number.isascii() and number.isdigit() else number[:_LONGEST_ID]


def _id(form: Form, name: str) -> str:
    value = _field(form, name)
    return value if len(value) <= _LONGEST_ID else ""


def _field(form: Form, name: str) -> str:
    return clean(form.get(name)).strip()
