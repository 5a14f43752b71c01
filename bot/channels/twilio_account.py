"""Whether Twilio accepts our account: asked once the service starts, and learnt from every send.

Knows what to tell the operator. Twilio itself calls nobody whose credentials are wrong: without
this, the first to notice would be the first person who is not answered.
"""

import logging
import threading
from collections.abc import Callable

from bot.channels.twilio_codes import ACCOUNT_STATUSES, CODES, Meaning
from bot.channels.twilio_http import meaning
from core.errors import SendError
from core.logs import event

_FIRST_PAUSE, _LONGEST_PAUSE = 2.0, 300.0
_FROM = frozenset({"21212", "21603", "21606", "63002", "63007"})
_CREDENTIALS = frozenset({"20003", "20404", *ACCOUNT_STATUSES})


class Account:
    """What is known of the account; `trouble` is what to do, or nothing."""

    def __init__(self, status: Callable[[], str], *, first_pause: float = _FIRST_PAUSE) -> None:
        """`status` asks Twilio for the account's status and raises whatever its client raises."""
        self._status = status
        self._pause = first_pause
        self._done = threading.Event()
        self.trouble = ""

    def watch(self) -> None:
        """Ask in the background until the account is found to be fine."""
        threading.Thread(target=self._watch, name="twilio-account", daemon=True).start()

    def stop(self) -> None:
        """Ask no more."""
        self._done.set()

    def look(self) -> str:
        """Ask once: what to do, or nothing when all is well."""
        try:
            status = self._status()
        except Exception as error:
            return advice(meaning(error).code)
        return "" if status == "active" else f"the account is {status}: see Twilio's console"

    def took(self) -> None:
        """Twilio has taken a message of ours."""
        self.trouble = ""

    def refused(self, error: SendError) -> None:
        """A message was not taken: perhaps because of the account."""
        if _is_account(error.code):
            self._tell(advice(error.code))

    def _watch(self) -> None:
        pause = self._pause
        while not self._done.is_set():
            trouble = self.look()
            self._tell(trouble)
            if not trouble or self._done.wait(pause):
                return
            pause = min(_LONGEST_PAUSE, pause * 2)

    def _tell(self, trouble: str) -> None:
        if trouble and trouble != self.trouble:
            event("whatsapp.trouble", level=logging.WARNING, advice=trouble)
        self.trouble = trouble


def advice(code: str | None) -> str:
    """What an operator can do about an error of the account or the way to it."""
    if code in _CREDENTIALS:
        return f"check TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN ({code})"
    if code in _FROM:
        return f"check TWILIO_WHATSAPP_FROM ({code})"
    if _is_account(code):
        return f"see the account in Twilio's console ({code})"
    return f"see that Twilio can be reached at TWILIO_API_BASE ({code})"


def _is_account(code: str | None) -> bool:
    return code in ACCOUNT_STATUSES or CODES.get(code or "") is Meaning.ACCOUNT
