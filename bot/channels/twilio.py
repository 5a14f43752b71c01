"""WhatsApp through Twilio: the official client behind the channel port.

Knows Twilio's REST API and signatures. Does not split texts and does not wait for rate limits.
"""

import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from twilio.request_validator import RequestValidator
from twilio.rest import Client

from bot.channels import twilio_parse
from bot.channels.base import Accept
from bot.channels.split import split
from bot.channels.twilio_account import Account
from bot.channels.twilio_codes import CONTENT_CODES, send_error
from bot.channels.twilio_content import QuickReplies, variables
from bot.channels.twilio_http import Http, meaning
from bot.channels.words import numbered
from core.errors import Forged, SendRefused
from core.messages import Capabilities, Delivery, DeliveryReport, Inbound, Reply

API_BASE = "https://api.twilio.com"
CONTENT_BASE = "https://content.twilio.com"
#: What an operator adds to the webhook's address at Twilio so that a 503 is repeated: by default
#: Twilio repeats only failed connections. Whether it signs the ending is not documented.
#: Source: twilio.com/docs/usage/webhooks/webhooks-connection-overrides
RETRY_ENDING = "#rc=5&rp=all"
_TEXT_LIMIT = 1600
_CONTENT_TIMEOUT = 3.0


class TwilioChannel:
    """One WhatsApp sender. No thread and no connection before the first send."""

    def __init__(
        self,
        sid: str,
        token: str,
        from_: str,
        *,
        api_base: str = API_BASE,
        public_url: str = "",
        template_sid: str = "",
        timeout: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sid = sid
        self._from = twilio_parse.whatsapp(from_)
        self._api_base = api_base
        self._public_url = public_url
        self._template_sid = template_sid
        self._timeout = timeout
        self._token = token
        self._validator: Any = RequestValidator(token)  # type: ignore[no-untyped-call]
        self._content_base = CONTENT_BASE if api_base == API_BASE else api_base
        self._quick_replies = QuickReplies(self._content, clock)
        self._account = Account(self._account_status)
        self._lock = threading.Lock()
        self._http = Http(timeout)
        self._made: Client | None = None

    @property
    def name(self) -> str:
        """`whatsapp`."""
        return twilio_parse.NAME

    @property
    def can(self) -> Capabilities:
        """Limits of Twilio (errors/21617, twilio-quick-reply) and of WhatsApp's throughput."""
        return Capabilities(
            text_limit=_TEXT_LIMIT,
            max_buttons=3,
            window_hours=24,
            pictures=bool(self._public_url),
            fetches=True,
            overall_per_s=80.0,
            chat_burst=5,
            chat_every_s=6.0,
        )

    def parse(self, form: Mapping[str, str]) -> Inbound | None:
        """The message in a form, or None."""
        return twilio_parse.parse(form)

    def parse_status(self, form: Mapping[str, str]) -> DeliveryReport | None:
        """What a status callback says, or None."""
        return twilio_parse.parse_status(form)

    def signed_url(self, path: str, query: str, called: str) -> str:
        """The URL that Twilio signed: under the public address, where one is set."""
        url = f"{self._public_url}{path}" if self._public_url else called
        return f"{url}?{query}" if query else url

    def verify(self, url: str, form: Mapping[str, str], signature: str | None) -> None:
        """Check X-Twilio-Signature (HMAC-SHA1). Raises Forged.

        The SDK's validator raises for a missing header and for half a surrogate pair.
        """
        try:
            if signature and any(
                self._validator.validate(url + ending, form, signature)
                for ending in ("", RETRY_ENDING)
            ):
                return
        except (TypeError, ValueError):
            raise Forged("the signature cannot be checked") from None
        raise Forged("the signature is wrong" if signature else "there is no signature")

    def start(self, accept: Accept) -> None:
        """See that the account is accepted; Twilio calls our webhook by itself."""
        self._account.watch()

    def stop(self) -> None:
        """Close the connections."""
        self._account.stop()
        with self._lock:
            self._http.close()

    def send(self, address: str, reply: Reply, *, template: bool = False) -> Delivery:
        """Send one message. Raises SendRefused, SendLater or SendDoubtful."""
        if template:
            return self._send_template(address)
        if reply.link:
            # A picture goes with a text only: its buttons are written out below it.
            text = numbered(reply.text, reply.choices)
            return self._create(address, body=text, media_url=[reply.link])
        content = self._quick_replies.find(reply) if reply.choices else None
        if content:
            try:
                return self._create(
                    address, content_sid=content, content_variables=variables(reply.text)
                )
            except SendRefused as error:
                if error.code not in CONTENT_CODES:
                    raise
                self._quick_replies.forget(reply, error.code)
        return self._send_text(address, numbered(reply.text, reply.choices))

    def edit(self, address: str, provider_id: str, reply: Reply) -> None:
        """Nothing: can.edits is false, as WhatsApp's businesses cannot change what they sent."""

    def typing(self, address: str) -> None:
        """Nothing: can.typing is false."""

    def draft(self, number: int, address: str, text: str) -> None:
        """WhatsApp shows a message once, whole."""

    def acknowledge(self, inbound: Inbound) -> None:
        """Nothing: WhatsApp shows a pressed button by itself."""

    def trouble(self) -> str:
        """What is wrong with the account, and what to do."""
        return self._account.trouble

    def check(self) -> list[tuple[str, bool, str]]:
        """Ask Twilio about the account."""
        address = f"{self._public_url}/webhooks/twilio{RETRY_ENDING}"
        webhook = (
            f"enter {address} at Twilio as the sender's webhook (POST)"
            if self._public_url
            else "set PUBLIC_URL: without it Twilio cannot reach this service"
        )
        template = "set TWILIO_TEMPLATE_SID to reach people after 24 hours of silence"
        trouble = self._account.look()
        return [
            ("Twilio account", not trouble, trouble or "active"),
            ("WhatsApp webhook", bool(self._public_url), webhook),
            ("WhatsApp template", bool(self._template_sid), template),
        ]

    def _account_status(self) -> str:
        return str(self._client().api.v2010.accounts(self._sid).fetch().status)

    def _send_template(self, address: str) -> Delivery:
        if not self._template_sid:
            raise SendRefused("outside the window, and no template is set", code="63016")
        return self._create(address, content_sid=self._template_sid)

    def _send_text(self, address: str, text: str) -> Delivery:
        """One call: callers split beforehand. Only numbered choices can make a text too long."""
        delivery = None
        for part in split(text, _TEXT_LIMIT):
            delivery = self._create(address, body=part)
        if delivery is None:
            raise SendRefused("an empty message", code="empty")
        return delivery

    def _create(self, address: str, **what: Any) -> Delivery:
        if self._public_url:
            what["status_callback"] = f"{self._public_url}/webhooks/twilio/status"
        try:
            message = self._client().messages.create(
                to=twilio_parse.whatsapp(address), from_=self._from, **what
            )
        except Exception as error:
            failure = meaning(error)
            self._account.refused(failure)
            raise failure from None
        self._account.took()
        return Delivery(message.sid or "")

    def _content(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        response = self._client().request(
            method,
            f"{self._content_base}{path}",
            data=body,
            headers={"Content-Type": "application/json"},
            timeout=min(_CONTENT_TIMEOUT, self._timeout),
        )
        if not 200 <= response.status_code <= 299:
            raise send_error(response.status_code, None)
        return json.loads(response.text)

    def _client(self) -> Client:
        with self._lock:
            if self._made is None:
                client = Client(self._sid, self._token, http_client=self._http)
                client.api.base_url = self._api_base
                self._made = client
            return self._made
