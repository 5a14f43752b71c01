"""One reply as calls of the Bot API: a message, a document, a picture, or a new text in place.

Knows methods and their limits. Does not know the loop, and maps no errors.
"""

from telegram import LinkPreviewOptions, Message
from telegram.error import BadRequest

from bot.channels.split import utf16
from bot.channels.telegram_buttons import keyboard
from bot.channels.telegram_receive import Bot
from core.messages import Reply

_CAPTION_LIMIT = 1024
_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)
#: Telegram's words for an edit that changes nothing (seen in Bot API 10.1, HTTP 400).
_THE_SAME = "message is not modified"


async def send(bot: Bot, address: str, reply: Reply) -> Message:
    """The message that was made; a text too long for a caption goes before its file."""
    text, buttons = keyboard(reply)
    if reply.document is None:
        return await bot.send_message(
            address, text, reply_markup=buttons, link_preview_options=_NO_PREVIEW
        )
    caption = text if utf16(text) <= _CAPTION_LIMIT else None
    if caption is None:
        await bot.send_message(address, text, link_preview_options=_NO_PREVIEW)
    hand_over = bot.send_photo if reply.document.is_picture else bot.send_document
    return await hand_over(
        address,
        reply.document.content,
        filename=reply.document.name,
        caption=caption or None,
        reply_markup=buttons,
    )


async def edit(bot: Bot, address: str, provider_id: str, reply: Reply) -> None:
    """Put a text and its buttons in the place of a message's own."""
    text, buttons = keyboard(reply)
    try:
        await bot.edit_message_text(
            text,
            chat_id=address,
            message_id=int(provider_id),
            reply_markup=buttons,
            link_preview_options=_NO_PREVIEW,
        )
    except BadRequest as error:
        if _THE_SAME not in error.message.casefold():
            raise
