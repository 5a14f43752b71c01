"""Who came in by a link: each link opens once, decided by a constraint, and is audited.

The numbers of used links lie among the receipts, which are forgotten long after a link has died.
"""

from storage import privacy
from storage.models import Receipt
from storage.store import Store

CHANNEL = "console"


def enter(store: Store, number: str, *, actor: str, now: float) -> bool:
    """Use a link's number up; False when it was used before. Raises StoreError."""
    receipt = {"channel": CHANNEL, "external_id": number, "received_at": now}
    with store.write() as connection:
        if store.add_once(connection, Receipt, receipt, Receipt.external_id).first() is None:
            return False
        privacy.audit(connection, "console.enter", actor=actor, now=now)
    return True


def note(store: Store, action: str, *, actor: str, now: float, **detail: str) -> None:
    """Audit what was ordered from the console. Raises StoreError."""
    with store.write() as connection:
        privacy.audit(connection, action, actor=actor, now=now, **detail)
