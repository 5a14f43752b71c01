"""Taking messages in: once each, for good, with everything that belongs to them."""

import contextlib
import dataclasses
from datetime import UTC, datetime

import pytest

from core.errors import StoreError
from core.messages import Kind
from storage import inbox, threads
from storage.inbox import Finding
from tests.storage.given import (
    NOW,
    SECRETS,
    WORDS,
    accept,
    at_once,
    claim,
    everything,
    message,
    one,
    private,
    queue,
    ready,
    rows,
    times,
)


def test_message_and_job_are_one_commit(any_store):
    inbound = message("u5", "77", name="Amina", sent_at=datetime(2026, 1, 2, tzinfo=UTC))
    found = Finding("convulsions", "emergency", urgent=True)
    job = inbox.accept(any_store, inbound, found, now=NOW, country="NG")
    [row] = rows(
        any_store,
        "SELECT direction, channel, external_id, kind, body, danger_sign, urgency, sent_at,"
        " created_at FROM messages",
    )
    assert row == (
        *("in", "telegram", "u5", "text", "sakon u5", "convulsions", "emergency"),
        *(datetime(2026, 1, 2, tzinfo=UTC).timestamp(), NOW),
    )
    assert rows(any_store, "SELECT id, status, attempts FROM jobs") == [(job, "queued", 0)]
    assert rows(any_store, "SELECT identity, address, name, language, country FROM people") == [
        ("77", "77", "Amina", "ha", "NG")
    ]
    assert one(any_store, "SELECT last_in_at FROM conversations") == NOW


@pytest.mark.parametrize(
    ("label", "first", "second", "new"),
    [
        ("the same delivery", message("1"), message("1"), False),
        ("the same id with other words", message("1"), message("1", text="wani abu"), False),
        ("another id", message("1"), message("2"), True),
        ("the same id on another channel", message("1"), private("1"), True),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_once_only(any_store, label, first, second, new):
    assert accept(any_store, first) is not None
    assert (accept(any_store, second) is not None) == new
    assert one(any_store, "SELECT count(*) FROM messages") == 1 + new
    assert one(any_store, "SELECT count(*) FROM jobs") == 1 + new


def test_concurrent_duplicates_make_one_message(any_store):
    answers = at_once(*times(8, lambda: accept(any_store, message("storm"))))
    assert sum(answer is not None for answer in answers) == 1
    assert one(any_store, "SELECT count(*) FROM messages") == 1


def test_two_first_messages_of_one_person(any_store):
    at_once(*(lambda n=n: accept(any_store, message(f"first-{n}")) for n in range(8)))
    assert one(any_store, "SELECT count(*) FROM people") == 1
    assert one(any_store, "SELECT count(*) FROM conversations") == 1
    assert one(any_store, "SELECT count(*) FROM jobs") == 8


def test_strangers_do_not_wait_for_one_another(any_store):
    at_once(*(lambda n=n: accept(any_store, message(str(n), sender=str(n))) for n in range(8)))
    assert one(any_store, "SELECT count(*) FROM people") == 8


def test_a_failure_in_between_leaves_nothing(any_store):
    before = everything(any_store)
    with contextlib.suppress(ZeroDivisionError), any_store.write() as connection:
        inbox.ensure_person(any_store, connection, message(), now=NOW)
        _ = 1 / 0
    broken = dataclasses.replace(message("1"), kind=None)
    with pytest.raises((AttributeError, StoreError)):
        accept(any_store, broken)
    assert everything(any_store) == before
    assert accept(any_store, message("1")) is not None, "the provider's repeat is a first"


TEXTS = [
    ("NUL", "ciwo\0n kai", "ciwon kai"),
    ("half a surrogate pair", "ciwo \ud83d kai", "ciwo ? kai"),
    ("hooked letters and emoji", "ɓ ɗ ƙ ƴ 🤒", "ɓ ɗ ƙ ƴ 🤒"),
    ("Ajami", "ذَزَّبِ", "ذَزَّبِ"),
    ("five kilobytes", "ƙ" * 5000, "ƙ" * 5000),
    ("nothing", "", ""),
]


def test_any_text_is_taken(any_store):
    for label, given, stored in TEXTS:
        job = accept(any_store, message(label, sender=label, text=given, name=given, address=given))
        found = rows(
            any_store,
            "SELECT body, name, address FROM messages JOIN jobs ON jobs.message_id = messages.id"
            " JOIN conversations ON conversations.id = jobs.conversation_id"
            " JOIN people ON people.id = person_id WHERE jobs.id = :job",
            job=job,
        )
        assert found == [(stored, stored[:80], stored)], label


def test_odd_ids_are_taken_and_stay_apart(any_store):
    """PostgreSQL refuses long and unprintable ids: a provider would then repeat for ever."""
    for n, odd in enumerate(("\0", "\ud83d", "k" * 500, "ƙ" * 500)):
        first = message(f"{odd}{n}1", sender=f"{odd}{n}1", choice=odd, address="7")
        other = message(f"{odd}{n}2", sender=f"{odd}{n}2", address="7")
        assert accept(any_store, first) is not None, n
        assert accept(any_store, first) is None, n
        assert accept(any_store, other) is not None, n
        assert one(any_store, "SELECT count(*) FROM people") == 2 * n + 2


def test_replies_go_to_where_the_person_wrote_from_last(any_store):
    accept(any_store, private("1", address="+2348000000001"))
    accept(any_store, private("2", address="+2348000000002"))
    assert one(any_store, "SELECT address FROM people") == "+2348000000002"


def test_an_admin_to_alert_is_made_once_and_keeps_the_address(any_store):
    stranger = message(sender="900", address="900")
    with any_store.write() as connection:
        first = inbox.ensure_person(any_store, connection, stranger, now=NOW)
    with any_store.write() as connection:
        assert inbox.ensure_person(any_store, connection, stranger, now=NOW) == first
    accept(any_store, message("1", sender="900"))
    assert one(any_store, "SELECT count(*) FROM people") == 1


def test_receipts_are_forgotten_by_age_and_outlive_an_erasure(any_store):
    for n in range(1100):
        if n in (0, 1099):
            accept(any_store, message(str(n)), now=NOW + n)
    with any_store.write() as connection:
        connection.exec_driver_sql(
            "INSERT INTO receipts (channel, external_id, received_at)"
            " WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1098)"
            f" SELECT 'telegram', 'r' || i, {NOW} FROM n"
        )
        connection.exec_driver_sql("DELETE FROM people")
    assert accept(any_store, message("0")) is None, "an erased message's repeat is still one"
    assert inbox.forget_receipts(any_store, before=NOW + 1000) == 1099
    assert rows(any_store, "SELECT external_id FROM receipts") == [("1099",)]


def test_the_thread_of_a_message(any_store):
    press = {"choice": "do:help", "kind": Kind.CHOICE, "edited": True}
    accept(any_store, message("1", text="na farko"))
    accept(any_store, message("2", text="na biyu", **press))
    second = one(any_store, "SELECT max(id) FROM messages")
    thread = threads.load(any_store, second, turns=6)
    assert thread is not None
    turn = thread.turn
    assert (turn.text, turn.choice, turn.kind, turn.edited) == ("na biyu", *press.values())
    assert [(p.role, p.text) for p in turn.past] == [("user", "na farko")]
    assert (turn.answered, turn.last_minute) == (0, 2)
    assert threads.load(any_store, second, turns=0).turn.past == ()
    assert threads.load(any_store, second + 1, turns=6) is None


def test_questions_that_wait_for_consent_are_kept_together(any_store):
    """The newest few; one that was erased or forgotten meanwhile is passed over."""
    for n in range(7):
        accept(any_store, message(str(n), text=f"tambaya {n}"))
        latest = one(any_store, "SELECT max(id) FROM messages")
        with any_store.write() as connection:
            waiting = threads.with_waiting(connection, 1, latest)
            threads.change_conversation(connection, 1, waiting=waiting)
    with any_store.write() as connection:
        connection.exec_driver_sql("DELETE FROM messages WHERE body = 'tambaya 4'")
    turn = threads.load(any_store, latest, turns=0).turn
    assert turn.waiting_text == "tambaya 2\ntambaya 3\ntambaya 5\ntambaya 6"


def test_nothing_of_a_person_shows_in_a_repr(store):
    accept(store, private())
    job = claim(store)
    thread = threads.load(store, job.message_id, turns=6)
    queue(store, job.conversation_id, WORDS)
    [parcel] = ready(store, "whatsapp")
    for words in SECRETS:
        assert words not in f"{job} {thread} {parcel}"
