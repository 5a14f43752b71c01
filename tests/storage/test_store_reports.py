"""Counts for the status, the readiness page and the metrics."""

from storage import people, reports, threads
from storage.reports import Load
from tests.storage.given import NOW, accept, claim, finish, message, queue, send

HOUR = 3600.0


def test_nothing_yet(any_store):
    assert reports.load(any_store, now=NOW) == Load(0, 0, 0, 0.0, 0, {}, {})


def test_what_there_is_to_do_and_what_became_of_the_last_hour(any_store):
    accept(any_store, message("old", sender="a"), now=NOW - 2 * HOUR)
    done = claim(any_store, now=NOW)
    finish(any_store, done)
    queue(any_store, done.conversation_id, "tun jiya", now=NOW - 2 * HOUR)
    send(any_store, now=NOW - 2 * HOUR)
    accept(any_store, message("waits", sender="b"), now=NOW - 30)
    accept(any_store, message("runs", sender="a"), now=NOW - 40)
    running = claim(any_store, now=NOW)
    queue(any_store, done.conversation_id, "1", "2", now=NOW - 10)
    send(any_store, now=NOW)
    with any_store.write() as connection:
        line = people.line(connection, done.conversation_id)
        for source in ("danger_sign", "library", None):
            threads.add_reply(connection, any_store, line, "amsa", now=NOW, source=source)
    assert running.created_at == NOW - 40 or running.created_at == NOW - 30
    assert reports.load(any_store, now=NOW) == Load(
        people=2,
        queued=1,
        running=1,
        oldest_wait=40.0,
        received=2,
        sources={"danger_sign": 1, "library": 2, "other": 1},
        parts={"queued": 1, "sent": 1},
    )
    assert reports.load(any_store, now=NOW, window=5 * HOUR).received == 3
