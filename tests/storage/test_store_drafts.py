"""Answers that are still being written: who may see them, and that nothing of them stays."""

import contextlib

import pytest

from core.errors import StoreError
from storage import drafts, jobs, people, privacy, threads
from storage.store import open_store
from tests.storage.given import (
    NOW,
    NUMBER,
    OTHER,
    accept,
    at_once,
    claim,
    everything,
    finish,
    message,
    one,
    private,
    rows,
)

KEY = "a long secret of the operator"
BEGUN = "Sadauki ya sha ruwa."
KINDS = [
    ("sqlite_url", ""),
    ("sqlite_url", KEY),
    pytest.param(("pg_url", KEY), marks=pytest.mark.postgres),
]


@pytest.fixture(params=KINDS, ids=["sqlite", "sqlite sealed", "postgres sealed"])
def kept(request, open_again):
    """A store of each kind, with a DATA_KEY and without."""
    url, key = request.param
    return open_again(request.getfixturevalue(url), key)


def asked(store):
    """A message that is being answered: its job."""
    accept(store, private("1"))
    return claim(store)


def seen(store, sender=NUMBER):
    return drafts.read(store, "whatsapp", sender)


def count(store):
    return one(store, "SELECT count(*) FROM drafts")


def test_a_draft_grows_and_is_seen_by_its_person_alone(kept):
    job = asked(kept)
    assert seen(kept) is None
    for text in ("Sadauki.", BEGUN):
        drafts.keep(kept, {job.message_id: text}, now=NOW)
        assert seen(kept) == text
    assert count(kept) == 1
    assert seen(kept, "+2348000000000") is None
    assert drafts.read(kept, "telegram", NUMBER) is None


def test_a_draft_is_encrypted_like_a_body(kept):
    job = asked(kept)
    drafts.keep(kept, {job.message_id: BEGUN}, now=NOW)
    assert ("Sadauki" in everything(kept)) is not kept.cipher.encrypts


def test_several_answers_grow_in_one_go(kept):
    accept(kept, private("1"))
    accept(kept, message("2", "88"))
    first, second = claim(kept), claim(kept, lease=OTHER)
    drafts.keep(kept, {first.message_id: "daya.", second.message_id: "biyu."}, now=NOW)
    assert (seen(kept), drafts.read(kept, "telegram", "88")) == ("daya.", "biyu.")


def test_the_reply_takes_the_draft_with_it_or_neither(kept):
    job = asked(kept)
    drafts.keep(kept, {job.message_id: BEGUN}, now=NOW)
    with contextlib.suppress(ZeroDivisionError), kept.write() as connection:
        drafts.drop(connection, job.message_id)
        raise ZeroDivisionError
    assert seen(kept) == BEGUN
    with kept.write() as connection:
        assert jobs.finish(connection, job, now=NOW)
        drafts.drop(connection, job.message_id)
    assert count(kept) == 0


def test_what_is_answered_gets_no_draft_any_more(kept):
    job = asked(kept)
    finish(kept, job)
    drafts.keep(kept, {job.message_id: BEGUN}, now=NOW)
    assert count(kept) == 0


def test_a_draft_of_an_answered_message_is_never_seen_and_swept(kept):
    """As after a worker that drafted, lost its lease, and was slower than its successor."""
    job = asked(kept)
    drafts.keep(kept, {job.message_id: BEGUN}, now=NOW)
    finish(kept, job)
    assert (seen(kept), count(kept)) == (None, 1)
    assert drafts.sweep(kept, now=NOW) == 1
    assert count(kept) == 0


def test_a_draft_that_stopped_growing_is_swept_a_fresh_one_is_not(kept):
    job = asked(kept)
    drafts.keep(kept, {job.message_id: BEGUN}, now=NOW)
    assert drafts.sweep(kept, now=NOW + drafts.STALE - 1) == 0
    assert drafts.sweep(kept, now=NOW + drafts.STALE + 1) == 1
    assert seen(kept) is None


def test_a_job_that_begins_again_begins_with_no_draft(kept):
    job = asked(kept)
    drafts.keep(kept, {job.message_id: BEGUN}, now=NOW)
    drafts.forget(kept, job.message_id)
    assert count(kept) == 0


def test_erasing_takes_the_draft_too(kept):
    job = asked(kept)
    drafts.keep(kept, {job.message_id: BEGUN}, now=NOW)
    person = one(kept, "SELECT id FROM people")
    with kept.write() as connection:
        upto = job.message_id
        privacy.erase(connection, kept, person, job.conversation_id, upto=upto, now=NOW)
    assert count(kept) == 0
    drafts.keep(kept, {job.message_id + 7: BEGUN}, now=NOW)
    assert count(kept) == 0


def test_a_draft_is_no_part_of_an_export(kept):
    job = asked(kept)
    drafts.keep(kept, {job.message_id: "wani abu daban."}, now=NOW)
    with kept.read() as connection:
        told = privacy.export(connection, kept, one(kept, "SELECT id FROM people"))
    assert "daban" not in told


def test_encrypting_a_database_leaves_no_draft_in_clear(sqlite_url, open_again):
    plain = open_again(sqlite_url)
    job = asked(plain)
    drafts.keep(plain, {job.message_id: BEGUN}, now=NOW)
    plain.close()
    sealed = open_store(sqlite_url, KEY)
    privacy.encrypt_all(sealed)
    assert rows(sealed, "SELECT * FROM drafts") == []
    sealed.close()


@pytest.mark.postgres
def test_a_draft_and_the_reply_at_once_leave_nothing_to_see(pg_url, open_again):
    store = open_again(pg_url)
    for number in range(12):
        accept(store, private(str(number), text=f"tambaya {number}"))
        job = claim(store)

        def answer(job=job):
            with store.write() as connection:
                jobs.finish(connection, job, now=NOW)
                drafts.drop(connection, job.message_id)
                line = people.line(connection, job.conversation_id)
                threads.add_reply(connection, store, line, "amsa", now=NOW)

        at_once(lambda job=job: drafts.keep(store, {job.message_id: BEGUN}, now=NOW), answer)
        assert seen(store) is None
    drafts.sweep(store, now=NOW)
    assert count(store) == 0


def test_a_database_that_is_away_is_said(sqlite_url, open_again):
    store = open_again(sqlite_url)
    job = asked(store)
    with store.write() as connection:
        connection.exec_driver_sql("DROP TABLE drafts")
    with pytest.raises(StoreError):
        drafts.keep(store, {job.message_id: BEGUN}, now=NOW)
