"""What travels between the rooms, as frozen values.

Knows the shape of a message, a reply and an answer. Does not know any vendor, table or engine.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """What a person sent. Everything but TEXT and CHOICE is answered with a vetted sentence."""

    TEXT = "text"
    CHOICE = "choice"
    VOICE = "voice"
    PHOTO = "photo"
    VIDEO = "video"
    DOCUMENT = "document"
    STICKER = "sticker"
    LOCATION = "location"
    CONTACT = "contact"
    GROUP = "group"
    OTHER = "other"


class Source(StrEnum):
    """Who worded an answer: the four that `lafiya ask` reports, and the service's own texts."""

    DANGER_SIGN = "danger_sign"
    LIBRARY = "library"
    MODEL = "model"
    FALLBACK = "fallback"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Inbound:
    """One thing a person sent, in our words.

    `external_id` is the provider's id of the delivery: the same one twice is one message.
    `sender` is an opaque identity; `address` is where a reply goes (the two may differ).
    `choice` is the id of a pressed button, `sent_at` the provider's time when it gives one.
    """

    channel: str
    external_id: str
    sender: str = field(repr=False)
    address: str = field(repr=False)
    kind: Kind = Kind.TEXT
    text: str = field(default="", repr=False)
    choice: str | None = None
    name: str = field(default="", repr=False)
    sent_at: datetime | None = None
    edited: bool = False
    #: What the channel needs to tell the provider that the press was seen (Telegram's callback id).
    receipt: str | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """A button: its id comes back in `Inbound.choice`, or its number or label as text."""

    id: str
    label: str


@dataclass(frozen=True, slots=True)
class Document:
    """A small file that goes out with a reply: a person's own data (.json), a picture (.png), or
    any other.
    """

    name: str
    content: bytes = field(repr=False)

    @property
    def is_text(self) -> bool:
        """Whether its content can be read as text."""
        return self.name.endswith(".json")

    @property
    def is_picture(self) -> bool:
        """Whether it is shown, not only offered."""
        return self.name.endswith(".png")


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes out: plain text, perhaps with buttons or one document.

    `link` is where a provider fetches the document, where it is not handed over (`can.fetches`).
    """

    text: str
    choices: tuple[Choice, ...] = ()
    document: Document | None = None
    link: str = field(default="", repr=False)

    def with_note(self, note: str) -> "Reply":
        """The same reply with a paragraph added at its end."""
        return replace(self, text=f"{self.text}\n\n{note}")


@dataclass(frozen=True, slots=True)
class Found:
    """A passage that retrieval found: its topic id and score (0 to 1)."""

    id: str
    score: float


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply and where it came from. `release` is the model release that wrote it, if one did."""

    reply: Reply
    source: Source
    danger_sign: str | None = None
    urgency: str | None = None
    topic: str | None = None
    passages: tuple[Found, ...] = ()
    engine: str = ""
    release: str | None = None
    #: Why the answer is a fallback, or which rule the guard applied: a stable id, never text.
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Past:
    """One earlier message of a conversation, for the engine's memory."""

    role: str  # "user" or "assistant"
    text: str


@dataclass(frozen=True, slots=True)
class Turn:
    """What is known when a message is answered: the message, the person's wishes, the talk so far.

    `service` and `training` are the two consents (None: never given or refused). `menu` holds the
    choices shown last, `waiting_text` the question that waits for consent. `answered` counts
    ordinary answers so far, `last_minute` the messages of the last minute. `choice_room` is how
    many bytes a choice of the reply may carry: a messenger's button holds 64.
    """

    text: str = field(repr=False)
    kind: Kind = Kind.TEXT
    choice: str | None = None
    edited: bool = False
    language: str = "ha"
    country: str | None = None
    stopped: bool = False
    service: bool | None = None
    training: bool | None = None
    consent_on_page: bool = False
    documents: bool = False
    pictures: bool = False
    choice_room: int = 64
    waiting_text: str | None = field(default=None, repr=False)
    menu: tuple[Choice, ...] = ()
    topic: str | None = None
    noticed: bool = False
    training_asked: bool = False
    answered: int = 0
    last_minute: int = 0
    is_admin: bool = False
    #: How the audit names the admin who writes.
    actor: str = ""
    past: tuple[Past, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a provider said when a message was handed over."""

    provider_id: str = ""


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """A provider's later word on a message that it took (Twilio's status callback).

    `send_again`: it was taken, then failed for a reason that passes (too fast, their trouble).
    """

    channel: str
    provider_id: str
    status: str
    code: str | None = None
    send_again: bool = False


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a channel can do, so that nothing asks for a channel by name.

    `text_limit` is in characters (UTF-16 units where the provider counts them),
    `window_hours` the time after a person's message in which free text may be sent,
    `overall_per_s` and `chat_burst`/`chat_every_s` the provider's sending limits.
    """

    text_limit: int
    max_buttons: int = 0
    typing: bool = False
    documents: bool = False
    window_hours: int | None = None
    overall_per_s: float = 30.0
    chat_burst: int = 1
    chat_every_s: float = 1.0
    #: Consent is given by the act of sending, beside a notice that the page shows.
    consent_on_page: bool = False
    #: An answer may be seen while it is written; `pulled`: from the store, where it is read anyway.
    drafts: bool = False
    pulled: bool = False
    #: A message that was sent can be replaced in its place.
    edits: bool = False
    #: Pictures can be sent; `fetches`: the provider takes them from a link of ours.
    pictures: bool = False
    fetches: bool = False
