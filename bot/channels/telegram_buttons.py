"""A reply's choices as Telegram's inline buttons."""

import logging
from collections.abc import Sequence

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.channels.words import numbered
from core.logs import event
from core.messages import Choice, Reply

_BUTTON_ID_BYTES = 64  # InlineKeyboardButton.callback_data
_SHORT_LABEL = 16


def keyboard(reply: Reply) -> tuple[str, InlineKeyboardMarkup | None]:
    """The text and its buttons; choices whose id is too long for a button become numbered lines."""
    if not reply.choices:
        return reply.text, None
    if any(not 0 < len(choice.id.encode()) <= _BUTTON_ID_BYTES for choice in reply.choices):
        event("telegram.buttons_written_out", level=logging.WARNING)
        return numbered(reply.text, reply.choices), None
    rows = [
        [InlineKeyboardButton(choice.label, callback_data=choice.id) for choice in row]
        for row in _rows(reply.choices)
    ]
    return reply.text, InlineKeyboardMarkup(rows)


def _rows(choices: Sequence[Choice]) -> list[Sequence[Choice]]:
    """Two short labels beside each other, a long one alone: phones are narrow."""
    width = 2 if all(len(choice.label) <= _SHORT_LABEL for choice in choices) else 1
    return [choices[at : at + width] for at in range(0, len(choices), width)]
