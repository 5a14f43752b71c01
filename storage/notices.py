"""What is said to somebody without being asked: an alarm, the end of a run, a wish for a yes.

A reply like any other from there on: stored, queued, sent in order, held outside a window.
"""

from sqlalchemy import Connection

from core.messages import Reply
from storage import outbox, people, threads
from storage.store import Store


def say(
    connection: Connection,
    store: Store,
    conversation_id: int,
    reply: Reply,
    *,
    reason: str,
    now: float,
    expires_at: float,
    urgent: bool = False,
    kind: str = "text",
) -> int:
    """Queue a notice in the caller's transaction; its id. `reason` is a stable id, never text.

    Its buttons become what a number answers: the older ones stand further up.
    """
    line = people.line(connection, conversation_id)
    message = threads.add_reply(
        connection, store, line, reply.text, now=now, source="service", reason=reason, kind=kind
    )
    outbox.enqueue(
        connection, store, line, message, [reply], urgent=urgent, now=now, expires_at=expires_at
    )
    if reply.choices:
        menu = threads.menu(reply.choices)
        threads.change_conversation(connection, conversation_id, menu=menu)
    return message
