"""Transactions: all or nothing, one at a time on SQLite, and errors that quote nobody."""

import sqlite3
import threading
import traceback

import pytest
from sqlalchemy import event, make_url, text

from core.errors import StoreError
from storage.store import Conflict
from tests.storage.given import (
    SECRETS,
    WORDS,
    accept,
    at_once,
    everything,
    message,
    one,
    private,
    rows,
)


def test_read_changes_nothing(any_store):
    accept(any_store, message())
    with any_store.read() as connection:
        connection.execute(text("DELETE FROM people"))
    assert one(any_store, "SELECT count(*) FROM people") == 1


def test_an_exception_rolls_back(any_store):
    before = everything(any_store)

    def break_off():
        with any_store.write() as connection:
            connection.execute(text("INSERT INTO receipts VALUES ('a', 'b', 1)"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    assert everything(any_store) == before
    assert accept(any_store, message()) is not None, "the door is open again"


def test_a_write_within_a_write_is_refused(any_store):
    """On SQLite it would wait for itself for ever, and everybody with it."""
    with any_store.write(), pytest.raises(RuntimeError, match="already"):
        accept(any_store, message())
    assert accept(any_store, message()) is not None


def test_writers_queue_and_readers_do_not(any_store):
    inside, leave = threading.Event(), threading.Event()

    def hold():
        with any_store.write() as connection:
            connection.execute(text("INSERT INTO receipts VALUES ('a', 'b', 1)"))
            inside.set()
            assert leave.wait(10)

    def read():
        assert inside.wait(10)
        seen = one(any_store, "SELECT count(*) FROM receipts")
        leave.set()
        return seen

    assert at_once(hold, read) == [None, 0]
    assert one(any_store, "SELECT count(*) FROM receipts") == 1


WRONG = [
    ("a constraint", "INSERT INTO meta VALUES (:words, 'x'), (:words, 'y')"),
    ("a wrong table", "INSERT INTO nowhere VALUES (:words)"),
    ("a wrong type", "UPDATE people SET created_at = CAST(:words AS INTEGER) WHERE :words = 'x'"),
    ("nobody", "INSERT INTO consents VALUES (1, 999, 'x', true, :words, 1)"),
    ("a text too long", "UPDATE people SET channel = :words"),
]


@pytest.mark.parametrize(("label", "statement"), WRONG)
def test_errors_quote_nobody(any_store, label, statement):
    """Neither in their own words nor in what a crash report would print."""
    accept(any_store, private())

    def fail():
        with any_store.write() as connection:
            connection.execute(text(statement), {"words": WORDS})

    if any_store.is_sqlite and label in ("a wrong type", "a text too long"):
        fail()
        return
    with pytest.raises(StoreError) as failed:
        fail()
    printed = "".join(traceback.format_exception(failed.value))
    assert not [secret for secret in SECRETS if secret in printed], printed
    assert isinstance(failed.value, Conflict) == (label in ("a constraint", "nobody"))


def test_a_locked_database_is_named(store, sqlite_url):
    """Another process holds the writer's lock for longer than anybody waits."""
    event.listen(store.engine, "connect", lambda new, _: new.execute("PRAGMA busy_timeout = 50"))
    store.engine.dispose()
    other = sqlite3.connect(make_url(sqlite_url).database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="OperationalError"):
        accept(store, message())
    other.execute("ROLLBACK")
    other.close()
    assert accept(store, message()) is not None


def test_a_full_disk_takes_nothing_and_loses_nothing(store):
    accept(store, message("1"))
    with store.read() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    with store.engine.connect() as connection:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match="OperationalError"):
        accept(store, message("2", text="k" * 50_000))
    with store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    assert accept(store, message("2", text="k" * 50_000)) is not None, "the repeat is a first"
    assert rows(store, "SELECT external_id FROM messages ORDER BY id") == [("1",), ("2",)]


def test_sqlite_is_opened_for_keeps(store):
    """Each setting is one that a power cut, an erasure or a cascade depends on."""
    with store.read() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}


@pytest.mark.postgres
def test_a_connection_that_rested_is_tried_first(pg_store, pg_url, open_again):
    """Its server may have been restarted meanwhile: nobody is refused for that."""
    with pg_store.read() as connection:
        resting = connection.info
    resting["rests_since"] = 0.0
    _end_all_but(open_again(pg_url))
    assert accept(pg_store, message()) is not None


@pytest.mark.postgres
def test_after_one_broken_connection_all_are_made_anew(pg_store, pg_url, open_again):
    with pg_store.read(), pg_store.read():
        pass
    _end_all_but(open_again(pg_url))
    with pytest.raises(StoreError):
        accept(pg_store, message())
    assert accept(pg_store, message()) is not None


def _end_all_but(store):
    """Close every other connection to this database from the server's side."""
    mine = "datname = current_database() AND pid <> pg_backend_pid()"
    store.outside(f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE {mine}")
