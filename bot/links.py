"""Signed links: to a person's own data, to a picture that a provider fetches, to a release.

The token of data holds the row's id and when the record began, so that no other record answers to
it; a part of a reply never gives its id to another. Both are dead after an erasure.
"""

from functools import cached_property
from pathlib import Path
from typing import ClassVar

from itsdangerous import BadData, URLSafeTimedSerializer

from storage import outbox, privacy
from storage.store import Store
from training.export import Exports
from training.folder import RunFolder

MAX_AGE = 24 * 3600
#: A provider fetches a picture as it passes the message on, and again when it tries again.
PICTURE_AGE = 6 * 3600

#: An admin who asks for a release fetches it now.
RELEASE_AGE = 3600


class _Signed:
    """What signs the tokens of one kind of link. The secret lives with the database."""

    salt: ClassVar[str]

    def __init__(self, store: Store, base_url: str) -> None:
        self._store, self._base = store, base_url.rstrip("/")

    @cached_property
    def _signer(self) -> URLSafeTimedSerializer:
        # Read at the first use: the table is there only after the migration.
        return URLSafeTimedSerializer(privacy.link_secret(self._store), salt=self.salt)


class DataLinks(_Signed):
    """Makes and reads the links to people's own data."""

    salt = "my-data"

    def make(self, person_id: int) -> str:
        """The address of a person's data."""
        with self._store.read() as connection:
            begun = privacy.since(connection, person_id)
        return f"{self._base}/data/{self._signer.dumps([person_id, begun])}"

    def open(self, token: str) -> str | None:
        """The data behind a token; None when it is forged, too old, or the data are gone."""
        try:
            person_id, begun = self._signer.loads(token, max_age=MAX_AGE)
        except (BadData, ValueError, TypeError):
            return None
        with self._store.read() as connection:
            if begun is None or privacy.since(connection, person_id) != begun:
                return None
            return privacy.export(connection, self._store, person_id)


class PictureLinks(_Signed):
    """Makes and reads the links to the pictures of replies."""

    salt = "picture"

    def make(self, part_id: int) -> str:
        """The address of the picture of a part of a reply."""
        return f"{self._base}/pictures/{self._signer.dumps(part_id)}"

    def open(self, token: str) -> bytes | None:
        """The picture behind a token; None when it is forged, too old, or the picture is gone."""
        try:
            part_id = self._signer.loads(token, max_age=PICTURE_AGE)
        except (BadData, ValueError):
            return None
        document = outbox.document(self._store, part_id)
        return document.content if document and document.is_picture else None


class ReleaseLinks(_Signed):
    """Makes and reads the links to exported releases. Without an address there are none."""

    salt = "release"

    def __init__(self, store: Store, exports: Exports, base_url: str) -> None:
        super().__init__(store, base_url)
        self._exports = exports

    def make(self, name: str) -> str:
        """The address of an export's file; "" where nobody could reach it."""
        return f"{self._base}/data/release/{self._signer.dumps(name)}" if self._base else ""

    def open(self, token: str) -> Path | None:
        """The file behind a token; None when it is forged, too old, or the file is gone."""
        try:
            name = self._signer.loads(token, max_age=RELEASE_AGE)
        except (BadData, ValueError):
            return None
        product = self._exports.product(RunFolder(self._exports.jobs.root / name))
        return product.file() if product else None
