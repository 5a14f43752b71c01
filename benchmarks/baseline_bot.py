"""The bot that tutorials teach: Flask, python-telegram-bot and Twilio, answered inline.

As the libraries' own quick starts do it: Flask's server with threads, a Bot opened for each update,
TwiML as the answer to Twilio. It keeps nothing: no database, no signature check, no triage, no
repeat of a failed send. An answer is the question again after ECHO_DELAY seconds.
"""

import asyncio
import logging
import os
import time

from flask import Flask, Response, request
from telegram import Bot, Update
from telegram.request import HTTPXRequest
from twilio.twiml.messaging_response import MessagingResponse

app = Flask(__name__)


def reply_to(text: str) -> str:
    """What a tutorial calls the model for."""
    time.sleep(float(os.environ.get("ECHO_DELAY", "0")))
    return text


@app.post("/webhooks/telegram")
def telegram() -> str:
    """One update: answered before Telegram gets its 200."""
    asyncio.run(handle(request.get_json(force=True)))
    return "ok"


async def handle(data: dict[str, object]) -> None:
    """Read the update and send the reply."""
    token, base = os.environ["TELEGRAM_BOT_TOKEN"], os.environ["TELEGRAM_API_BASE"]
    async with Bot(token, base_url=f"{base}/bot", request=HTTPXRequest()) as bot:
        update = Update.de_json(data, bot)
        if update.message and update.message.text:
            await bot.send_message(update.message.chat_id, reply_to(update.message.text))


@app.post("/webhooks/twilio")
def whatsapp() -> Response:
    """One WhatsApp message: the reply is the answer to the webhook."""
    answer = MessagingResponse()
    answer.message(reply_to(request.form.get("Body", "")))
    return Response(str(answer), mimetype="application/xml")


@app.get("/health/live")
def live() -> str:
    """For whoever waits until this has started."""
    return "ok"


if __name__ == "__main__":
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    app.run("127.0.0.1", int(os.environ["PORT"]), threaded=True)
