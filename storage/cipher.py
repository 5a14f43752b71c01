"""Encryption at rest: a key per person, wrapped by DATA_KEY.

Erasing a person's wrapped key makes every copy of their text unreadable, backups included.
Without a DATA_KEY the same calls pass text through. Knows no table.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken

from core.errors import WrongDataKey

#: What a database without a DATA_KEY remembers instead of a fingerprint.
UNSEALED = "none"


@dataclass(frozen=True, slots=True)
class Box:
    """One person's key, or none."""

    fernet: Fernet | None

    def seal(self, text: str) -> str:
        """The text as it is stored. Lone surrogates, which no store takes, become '?'."""
        clean = text.encode("utf-8", "replace")
        if self.fernet is None:
            # PostgreSQL refuses NUL in text.
            return clean.replace(b"\0", b"").decode()
        return self.fernet.encrypt(clean).decode()

    def open(self, stored: str) -> str:
        """The text again. Raises WrongDataKey when it was sealed with another key."""
        if self.fernet is None or not stored:
            return stored
        try:
            return self.fernet.decrypt(stored.encode()).decode()
        except InvalidToken:
            raise WrongDataKey from None


class Cipher:
    """Makes and opens people's keys under one DATA_KEY ("" = nothing is encrypted)."""

    def __init__(self, data_key: str = "") -> None:
        secret = hashlib.sha256(b"lafiya data key:" + data_key.encode()).digest()
        self._blind_key = hashlib.sha256(b"blind" + secret).digest() if data_key else None
        self._master = Fernet(base64.urlsafe_b64encode(secret)) if data_key else None
        self._box = lru_cache(maxsize=4096)(self._unwrap)

    @property
    def encrypts(self) -> bool:
        """Whether a DATA_KEY is set."""
        return self._master is not None

    @property
    def fingerprint(self) -> str:
        """What the database remembers of the key, to refuse another one."""
        return hashlib.sha256(self._blind_key).hexdigest()[:32] if self._blind_key else UNSEALED

    def new_key(self) -> str:
        """A fresh key for one person, wrapped for storage."""
        return self._master.encrypt(Fernet.generate_key()).decode() if self._master else ""

    def box(self, wrapped: str) -> Box:
        """The person's box. Raises WrongDataKey when DATA_KEY does not open it."""
        return self._box(wrapped)

    def blind(self, channel: str, identity: str) -> str:
        """The identity as it is looked up: a keyed hash under a DATA_KEY, never the number."""
        if self._blind_key is None:
            return identity
        return hmac.new(self._blind_key, f"{channel}:{identity}".encode(), "sha256").hexdigest()

    def _unwrap(self, wrapped: str) -> Box:
        if self._master is None:
            if wrapped:
                raise WrongDataKey
            return Box(None)
        try:
            return Box(Fernet(self._master.decrypt(wrapped.encode())))
        except (InvalidToken, ValueError):
            raise WrongDataKey from None
