"""What Telegram and Twilio send us, for tests: shapes as in their own documentation."""

import base64
import hashlib
import hmac
from typing import Any

Json = dict[str, Any]


def update(update_id: int, chat_id: int = 77001, **message: Any) -> Json:
    """A Telegram update with a message in a private chat (a field set to None is left out)."""
    fields: Json = {
        "message_id": update_id % 100_000,
        "from": {
            "id": chat_id,
            "is_bot": False,
            "first_name": "Amina",
            "last_name": "Test",
            "language_code": "ha",
        },
        "chat": {"id": chat_id, "type": "private", "first_name": "Amina", "last_name": "Test"},
        "date": 1_795_000_000,
        **message,
    }
    return {
        "update_id": update_id,
        "message": {k: v for k, v in fields.items() if v is not None},
    }


def press(update_id: int, data: str, chat_id: int = 77001, **query: Any) -> Json:
    """A Telegram update with a pressed button."""
    person = {"id": chat_id, "is_bot": False, "first_name": "Amina"}
    buttons = [
        [{"text": "Na yarda", "callback_data": "yes"}, {"text": "A'a", "callback_data": "no"}]
    ]
    message = {
        "message_id": 9,
        "chat": {"id": chat_id, "type": "private", "first_name": "Amina"},
        "date": 1_795_000_000,
        "text": "Kun yarda?",
        "reply_markup": {"inline_keyboard": buttons},
    }
    fields: Json = {
        "id": f"4382bfdwdsb{update_id}",
        "from": person,
        "message": message,
        "chat_instance": "-3871",
        "data": data,
        **query,
    }
    return {
        "update_id": update_id,
        "callback_query": {k: v for k, v in fields.items() if v is not None},
    }


def form(sid: str, body: str = "", number: str = "+2348000000001", **more: str) -> dict[str, str]:
    """A Twilio form with a WhatsApp message, blank fields included as Twilio sends them."""
    return {
        "MessageSid": sid,
        "SmsSid": sid,
        "SmsMessageSid": sid,
        "AccountSid": "AC" + "0" * 32,
        "MessagingServiceSid": "",
        "From": f"whatsapp:{number}",
        "To": "whatsapp:+14155238886",
        "Body": body,
        "NumMedia": "0",
        "NumSegments": "1",
        "SmsStatus": "received",
        "MessageType": "text",
        "ProfileName": "Amina",
        "WaId": number.removeprefix("+"),
        "ApiVersion": "2010-04-01",
        **more,
    }


def signature(token: str, url: str, fields: dict[str, str]) -> str:
    """X-Twilio-Signature, written from the documentation and not with Twilio's library."""
    signed = url + "".join(f"{name}{fields[name]}" for name in sorted(fields))
    digest = hmac.new(token.encode(), signed.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()
