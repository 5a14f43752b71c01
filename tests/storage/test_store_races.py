"""Two transactions of one person, each stopped where it would hurt. PostgreSQL only: SQLite lets
one writer in at a time.

A third connection holds the conversation's row: whoever is accepting stands still in its middle,
having read the person and not yet written the message.
"""

import threading
import time
from contextlib import contextmanager

import pytest

from core.messages import Reply
from storage import inbox, jobs, outbox, people, privacy, threads
from tests.storage.given import (
    NOW,
    accept,
    claim,
    finish,
    message,
    one,
    private,
    queue,
    ready,
    rows,
    send,
)

pytestmark = pytest.mark.postgres
HELD_UP = "SELECT count(*) FROM pg_locks WHERE NOT granted"


@pytest.fixture
def store(pg_url, open_again):
    """Sealed, so that a message under an old key is seen."""
    return open_again(pg_url, "a long secret")


def apart(step):
    """Run a step in a thread of its own; its result is `.result`, its error is raised by `end`."""

    class Apart(threading.Thread):
        result, error = None, None

        def run(self):
            try:
                self.result = step()
            except BaseException as error:
                self.error = error

        def end(self):
            self.join(20)
            assert not self.is_alive(), "it hangs"
            if self.error:
                raise self.error
            return self.result

    thread = Apart()
    thread.start()
    return thread


def until_held_up(store, count):
    """Wait until so many transactions stand still; a moment only, should none ever do."""
    end = time.monotonic() + 2
    while one(store, HELD_UP) < count and time.monotonic() < end:
        time.sleep(0.01)


@contextmanager
def standing_still(store):
    """The only conversation's row is held inside."""
    with store.engine.connect() as connection:
        connection.exec_driver_sql("SELECT id FROM conversations FOR UPDATE")
        yield


def erasing(store, job):
    """Commit the erasure that a job asked for."""
    with store.write() as connection:
        jobs.finish(connection, job, now=NOW)
        person = connection.exec_driver_sql("SELECT id FROM people").scalar_one()
        privacy.erase(connection, store, person, job.conversation_id, upto=job.message_id, now=NOW)


def test_a_message_that_arrives_while_erasing(store):
    accept(store, private("yes"))
    job = claim(store)
    with standing_still(store):
        writer = apart(lambda: accept(store, private("new", text="sabo")))
        until_held_up(store, 1)
        eraser = apart(lambda: erasing(store, job))
        until_held_up(store, 2)
    eraser.end()
    assert writer.end() is not None
    newest = claim(store)
    assert threads.load(store, newest.message_id, turns=6).turn.text == "sabo"
    assert one(store, "SELECT erased_at FROM people") is None, "they wrote again"


def test_a_message_that_arrives_while_being_swept(store):
    accept(store, private("yes"))
    erasing(store, claim(store))
    with standing_still(store):
        writer = apart(lambda: accept(store, private("new", text="sabo")))
        until_held_up(store, 1)
        sweeper = apart(lambda: privacy.sweep(store))
        until_held_up(store, 2)
    assert sweeper.end() == 0
    assert writer.end() is not None
    assert threads.load(store, claim(store).message_id, turns=6).turn.text == "sabo"


def test_a_message_that_arrives_while_its_writer_is_forgotten(store):
    accept(store, private("old"))
    finish(store, claim(store))
    with standing_still(store):
        writer = apart(lambda: accept(store, private("new", text="sabo"), now=NOW + 9))
        until_held_up(store, 1)
        keeper = apart(lambda: privacy.forget_old(store, before=NOW + 5))
        until_held_up(store, 2)
    assert keeper.end() == 1
    assert writer.end() is not None
    assert threads.load(store, claim(store, now=NOW + 9).message_id, turns=6).turn.text == "sabo"


def test_a_message_that_arrives_after_the_sweep_began(store):
    accept(store, private("yes"))
    erasing(store, claim(store))
    with store.write() as connection:
        connection.exec_driver_sql("DELETE FROM people WHERE erased_at IS NOT NULL")
        writer = apart(lambda: accept(store, private("new", text="sabo")))
        until_held_up(store, 1)
    assert writer.end() is not None, "a newcomer"
    assert threads.load(store, claim(store).message_id, turns=6).turn.text == "sabo"


def test_an_alarm_answered_while_erasing(store):
    """Its reply was sealed with the key of before."""
    accept(store, private("yes"))
    job = claim(store)
    accept(store, private("alarm"), urgent=True)
    alarm = claim(store, urgent_only=True)
    with store.write() as connection:
        assert jobs.finish(connection, alarm, now=NOW)
        line = people.line(connection, alarm.conversation_id)
        eraser = apart(lambda: erasing(store, job))
        until_held_up(store, 1)
        reply = threads.add_reply(connection, store, line, "Ku garzaya", now=NOW)
        part = [Reply("Ku garzaya")]
        outbox.enqueue(
            connection, store, line, reply, part, urgent=True, now=NOW, expires_at=NOW + 60
        )
    eraser.end()
    assert send(store, "whatsapp") == "Ku garzaya"


def test_two_admins_in_danger_alert_each_other(store):
    """Each answer holds its person and writes to the other: nobody waits in a circle."""
    for n, sender in enumerate("ab"):
        accept(store, message(str(n), sender=sender), urgent=True)
    meeting = threading.Barrier(2)

    def answer():
        job = claim(store)
        other = {"a": "b", "b": "a"}[threads.load(store, job.message_id, turns=0).address]
        meeting.wait(10)
        with store.write() as connection:
            assert jobs.finish(connection, job, now=NOW)
            meeting.wait(10)
            admin = message(sender=other, address=other)
            _, talk = inbox.ensure_person(store, connection, admin, now=NOW)
            line = people.line(connection, talk)
            threads.add_reply(connection, store, line, "Akwai haɗari", now=NOW)

    for answering in [apart(answer), apart(answer)]:
        answering.end()


def test_claiming_while_another_claim_is_not_committed(store):
    """The race that an index decides: neither sees the other, one of them is turned away."""
    for n in range(2):
        accept(store, message(str(n)))
    with store.write() as connection:
        connection.exec_driver_sql("UPDATE jobs SET status = 'running' WHERE id = 2")
        claimer = apart(lambda: claim(store))
        until_held_up(store, 1)
    assert claimer.end() is None
    assert rows(store, "SELECT id FROM jobs WHERE status = 'running'") == [(2,)]


def test_a_claim_passes_over_what_another_looks_at(store):
    for sender in "ab":
        accept(store, message(sender, sender=sender))
    with store.engine.connect() as connection:
        connection.exec_driver_sql("SELECT id FROM jobs WHERE id = 1 FOR UPDATE")
        assert claim(store).id == 2, "at once"
    held = claim(store)
    assert held.id == 1
    assert finish(store, held)


def test_accepting_does_not_wait_for_a_long_queue_of_others(store):
    """Only the same person's transactions are put in order."""
    accept(store, private("1"))
    queue(store, 1, "amsa")
    with standing_still(store):
        accept(store, message("2", sender="b"))
        assert claim(store, urgent_only=True) is None
        assert len(ready(store, "whatsapp")) == 1
