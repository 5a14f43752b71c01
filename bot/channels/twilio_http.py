"""Twilio's transport, and what each way of failing means for a reply.

The official client has no time-out of its own, pools connections for https:// only, drops
Retry-After, and raises whatever requests and json raise beside its own errors (twilio 9.13).
"""

import json
import logging
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response

from bot.channels.twilio_codes import send_error
from core.errors import SendDoubtful, SendError, SendLater
from core.logs import event

_CONNECTIONS = 64
_WRONG_ADDRESS = (
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidHeader,
)


class TooFast(TwilioException):
    """HTTP 429, with the waiting time that the client would drop."""

    def __init__(self, code: str, after: float | None) -> None:
        super().__init__(code)
        self.code = code
        self.after = after


class Http(TwilioHttpClient):
    """The client's own transport, pooled for http:// too (it is for https:// only)."""

    def __init__(self, timeout: float) -> None:
        super().__init__(timeout=timeout)
        self.session = self._pool = _Session()
        for scheme in ("http://", "https://"):
            self._pool.mount(scheme, HTTPAdapter(pool_maxsize=_CONNECTIONS))

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()

    def request(self, *args: Any, **more: Any) -> Response:
        """Send one request. Raises TooFast for 429."""
        response = super().request(*args, **more)
        if response.status_code == 429:
            wait = (response.headers or {}).get("Retry-After", "")
            raise TooFast(_code(response.text), float(wait) or None if wait.isdecimal() else None)
        return response


class _Session(requests.Session):
    """Looks up proxies and certificates once a host: requests reads the whole environment anew
    for every message, which takes longer than the message itself.
    """

    def __init__(self) -> None:
        super().__init__()
        self._found: dict[str, dict[str, Any]] = {}

    def merge_environment_settings(self, url: Any, *given: Any) -> Any:
        """As requests does it, remembered."""
        host = urlsplit(str(url)).netloc
        if host not in self._found:
            self._found[host] = dict(super().merge_environment_settings(url, *given))
        return dict(self._found[host])


def _code(text: str) -> str:
    try:
        return str(json.loads(text)["code"])
    except (ValueError, TypeError, LookupError):
        return "20429"


def meaning(error: Exception) -> SendError:
    """What becomes of a reply whose sending ended like this. Twilio's words quote the number, so
    they never pass on; its client also raises whatever requests and json raise.
    """
    if isinstance(error, SendError):
        return error
    if isinstance(error, TooFast):
        return send_error(429, error.code, error.after)
    if isinstance(error, TwilioRestException | TwilioServiceException):
        code = str(error.code) if error.code else None
        return send_error(error.status if isinstance(error.status, int) else 500, code)
    name = type(error).__name__
    if _not_sent(error):
        return SendLater("not connected", code=name)
    event("whatsapp.doubtful", level=logging.DEBUG, cause=name)
    return SendDoubtful("no readable answer", code=name)


def _not_sent(error: Exception) -> bool:
    """Whether it failed before a byte of the request went out."""
    if isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.ProxyError):
        return True
    if isinstance(error, requests.exceptions.SSLError):
        return "CERTIFICATE_VERIFY_FAILED" in str(error)
    if isinstance(error, requests.exceptions.ConnectionError) and error.args:
        reason = getattr(error.args[0], "reason", None)
        return isinstance(reason, urllib3.exceptions.NewConnectionError)
    return isinstance(error, _WRONG_ADDRESS)
