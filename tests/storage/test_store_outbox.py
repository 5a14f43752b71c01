"""Replies on their way: order, leases, doubts, windows, and what providers say later."""

import random
import threading
import time

import pytest

from core.messages import Choice, DeliveryReport, Document, Reply
from storage import outbox, people, threads
from tests.storage.given import (
    DAY,
    LEASE,
    NOW,
    OTHER,
    accept,
    at_once,
    message,
    one,
    private,
    queue,
    ready,
    rows,
    send,
    start,
    times,
)

ROW = "SELECT status, attempts, doubts, code, provider_id, lease FROM outbox ORDER BY id"


def talk(store, sender="a", **more):
    """A conversation with one message in it; its id."""
    accept(store, message(f"from-{sender}", sender=sender, **more))
    return one(store, "SELECT max(id) FROM conversations")


def texts(parcels):
    return [parcel.reply.text for parcel in parcels]


def settle(store, parcel, status, *, lease=LEASE, now=NOW, **values):
    outbox.settle(store, parcel.id, lease=lease, status=status, now=now, **values)


def test_a_part_comes_back_as_it_was_queued(any_store):
    reply = Reply(
        "amsa", (Choice("a:yes", "I"), Choice("a:no", "A'a")), Document("d.json", "{ƙ}".encode())
    )
    queue(any_store, talk(any_store), reply)
    [parcel] = ready(any_store)
    assert parcel.reply == reply
    assert (parcel.address, parcel.channel, parcel.template) == ("a", "telegram", False)
    assert (parcel.attempts, parcel.doubts, parcel.last_in_at) == (0, 0, NOW)
    assert ready(any_store, "whatsapp") == []


@pytest.mark.parametrize("name", ["r1.png", "v1-adapter.zip", "v1.gguf"])
def test_a_file_that_is_no_text_comes_back_as_it_was_queued(any_store, name):
    picture = Document(name, bytes(range(256)))
    queue(any_store, talk(any_store), Reply("zane", document=picture))
    [parcel] = ready(any_store)
    assert parcel.reply.document == picture
    assert outbox.document(any_store, parcel.id) == picture
    assert outbox.document(any_store, parcel.id + 1) is None


def test_order_within_a_conversation_and_lane(any_store):
    one_, two = talk(any_store, "a"), talk(any_store, "b")
    queue(any_store, one_, "a1", "a2")
    queue(any_store, one_, "a!", urgent=True)
    queue(any_store, two, "b1")
    assert texts(ready(any_store)) == ["a!", "a1", "b1"], "urgent first, one of each lane"
    assert texts(ready(any_store, urgent_only=True)) == ["a!"]
    alarm, first, _ = ready(any_store)
    assert start(any_store, first)
    assert texts(ready(any_store)) == ["a!", "b1"], "nothing overtakes what is being sent"
    assert start(any_store, alarm), "but an urgent part does"
    settle(any_store, first, "sent")
    assert texts(ready(any_store)) == ["a2", "b1"]


ENDS = [
    ("sent", True),
    ("refused", True),
    ("expired", True),
    ("doubtful", True),
    ("queued", False),
    ("waiting", True),
]


def test_what_lets_the_next_part_go(any_store):
    for status, next_may_go in ENDS:
        conversation = talk(any_store, status)
        queue(any_store, conversation, f"{status} 1", f"{status} 2")
        first = next(p for p in ready(any_store) if p.conversation_id == conversation)
        assert start(any_store, first)
        settle(any_store, first, status, not_before=NOW + 60, code="x")
        mine = [p for p in ready(any_store) if p.conversation_id == conversation]
        assert texts(mine) == ([f"{status} 2"] if next_may_go else []), status
        ended = one(any_store, "SELECT ended_at FROM outbox WHERE id = :id", id=first.id)
        assert (ended == NOW) == (status in outbox.ENDED), status


def test_started_once_under_concurrency(any_store):
    for n in range(5):
        queue(any_store, talk(any_store, str(n)), "amsa")
    for parcel in ready(any_store):
        answers = at_once(*times(6, lambda p=parcel: start(any_store, p)))
        assert sum(answers) == 1
    assert one(any_store, "SELECT sum(attempts) FROM outbox") == 5


def test_two_parts_of_a_conversation_are_not_sent_together(any_store):
    conversation = talk(any_store)
    queue(any_store, conversation, "1", "2")
    [first] = ready(any_store)
    assert start(any_store, first)
    settle(any_store, first, "waiting")
    [second] = ready(any_store)
    with any_store.write() as connection:
        connection.exec_driver_sql("UPDATE outbox SET status = 'queued' WHERE status = 'waiting'")
    [again] = ready(any_store)
    assert (again.id, start(any_store, again)) == (first.id, True)
    assert not start(any_store, second), "the index refuses the second, whatever was read before"


def test_a_stale_parcel_is_not_started(any_store):
    """Another sender tried it since: this one does not know of the doubt and the wait."""
    queue(any_store, talk(any_store), "amsa")
    [stale] = ready(any_store)
    [fresh] = ready(any_store)
    assert start(any_store, fresh, lease=OTHER)
    settle(any_store, fresh, "queued", lease=OTHER, doubts=1, not_before=NOW)
    assert not start(any_store, stale)
    [current] = ready(any_store)
    assert (current.attempts, current.doubts, start(any_store, current)) == (1, 1, True)


def test_settling_needs_the_lease(any_store):
    queue(any_store, talk(any_store), "amsa")
    [parcel] = ready(any_store)
    settle(any_store, parcel, "sent")
    assert rows(any_store, ROW) == [("queued", 0, 0, None, None, None)], "not started"
    start(any_store, parcel)
    settle(any_store, parcel, "sent", lease=OTHER)
    assert rows(any_store, ROW) == [("sending", 1, 0, None, None, LEASE)]
    settle(any_store, parcel, "sent", provider_id="SM1")
    settle(any_store, parcel, "refused", code="late")
    assert rows(any_store, ROW) == [("sent", 1, 0, None, "SM1", None)]


def test_each_crash_in_mid_send_is_repeated_once_to_a_limit(any_store):
    queue(any_store, talk(any_store), "amsa")
    start(any_store, *ready(any_store))
    assert outbox.revive(any_store, now=NOW + 10) == (0, 0), "its time is not over"
    for crash in range(1, outbox.MOST_DOUBTS + 1):
        now = NOW + 11 * crash
        assert outbox.revive(any_store, now=now) == (1, 0)
        [again] = ready(any_store, now=now)
        assert (again.doubts, again.attempts) == (crash, crash)
        start(any_store, again, now=now)
    assert outbox.revive(any_store, now=now + 11) == (0, 1)
    most = outbox.MOST_DOUBTS
    assert rows(any_store, ROW) == [("doubtful", most + 1, most, "crash", None, None)]
    assert ready(any_store, now=NOW + DAY) == []


def test_postponed_and_delayed_parts_wait(any_store):
    queue(any_store, talk(any_store), "amsa")
    [parcel] = ready(any_store)
    outbox.postpone(any_store, parcel.id, until=NOW + 6)
    assert ready(any_store, now=NOW + 5.9) == []
    assert ready(any_store, now=NOW + 6) != []
    start(any_store, parcel)
    outbox.postpone(any_store, parcel.id, until=NOW + 99)
    assert one(any_store, "SELECT not_before FROM outbox") == NOW + 6, "not what is being sent"


@pytest.mark.parametrize(
    ("label", "said", "stands"),
    [
        ("in order", ["queued", "sent", "delivered", "read"], "read"),
        ("twice", ["delivered", "delivered"], "delivered"),
        ("late stages", ["delivered", "sent", "queued"], "delivered"),
        ("read before delivered", ["read", "delivered"], "read"),
        ("a failure last", ["sent", "undelivered", "sent"], "undelivered"),
        (
            "a word we do not know",
            ["sent", "partially_delivered_somehow"],
            "partially_deliver"[:16],
        ),
    ],
)
def test_later_words_of_a_provider(store, label, said, stands):
    accept(store, private())
    queue(store, 1, "amsa")
    send(store, "whatsapp", provider_id="SM1")
    for status in said:
        outbox.report(store, DeliveryReport("whatsapp", "SM1", status))
    assert one(store, "SELECT provider_status FROM outbox") == stands


def test_words_about_somebody_elses_message(any_store):
    accept(any_store, private())
    queue(any_store, 1, "amsa")
    send(any_store, "whatsapp", provider_id="SM1")
    assert outbox.report(any_store, DeliveryReport("whatsapp", "SM2", "read")) is None
    assert outbox.report(any_store, DeliveryReport("telegram", "SM1", "read")) is None
    part = outbox.report(any_store, DeliveryReport("whatsapp", "SM1", "failed", "63016"))
    assert rows(any_store, "SELECT id, provider_status, code FROM outbox") == [
        (part, "failed", "63016")
    ]


def test_held_until_the_person_writes(any_store):
    """The provider took three parts and could deliver none: its window was closed."""
    accept(any_store, private("1"))
    queue(any_store, 1, "1", "2", "3", expires=NOW + 60)
    for n in range(3):
        send(any_store, "whatsapp", provider_id=f"SM{n}")
    late = NOW + 30
    for n in range(3):
        word = DeliveryReport("whatsapp", f"SM{n}", "undelivered", "63016")
        part = outbox.report(any_store, word)
        outbox.hold(any_store, part)
        outbox.invite(any_store, part, now=late)
        assert outbox.report(any_store, word) is None, "the callback again changes nothing"
    [template] = ready(any_store, "whatsapp", now=late)
    assert (template.template, template.reply.text) == (True, "1"), "one for all three"
    start(any_store, template, now=late)
    settle(any_store, template, "sent", now=late)
    assert ready(any_store, "whatsapp", now=NOW + DAY) == []
    back = NOW + 40 * 3600
    accept(any_store, private("2"), now=back)
    assert [send(any_store, "whatsapp", now=back) for _ in range(3)] == ["1", "2", "3"]
    assert one(any_store, "SELECT min(expires_at) FROM outbox WHERE NOT template") > back


def test_one_invitation_under_concurrency(any_store):
    accept(any_store, private("1"))
    queue(any_store, 1, "1", "2", "3", "4")
    for _ in range(4):
        send(any_store, "whatsapp")
    parts = [row[0] for row in rows(any_store, "SELECT id FROM outbox")]
    for part in parts:
        outbox.hold(any_store, part)
    at_once(*(lambda p=part: outbox.invite(any_store, p, now=NOW) for part in parts))
    assert len(ready(any_store, "whatsapp")) == 1


def test_what_vanished_meanwhile_is_no_error(any_store):
    outbox.hold(any_store, 1)
    outbox.invite(any_store, 1, now=NOW)
    outbox.postpone(any_store, 1, until=NOW)
    outbox.settle(any_store, 1, lease=LEASE, status="sent", now=NOW)
    assert one(any_store, "SELECT count(*) FROM outbox") == 0


@pytest.mark.parametrize("table", ["people", "messages", "jobs", "outbox", "conversations"])
def test_ids_are_never_used_again(store, table):
    """A sender that still holds a deleted part's id must not settle the next one's."""
    queue(store, talk(store), "amsa")
    last = one(store, f"SELECT max(id) FROM {table}")
    with store.write() as connection:
        connection.exec_driver_sql("DELETE FROM people")
    queue(store, talk(store, "b"), "wata amsa")
    assert one(store, f"SELECT min(id) FROM {table}") > last


def test_a_part_that_no_key_opens_stops_nobody(any_url, open_again, caplog):
    store = open_again(any_url, "a long secret")
    for sender in "ab":
        queue(store, talk(store, sender), f"amsa {sender}")
    with store.write() as connection:
        connection.exec_driver_sql("UPDATE outbox SET body = 'broken' WHERE id = 1")
    with caplog.at_level("INFO", logger="lafiya"):
        assert texts(ready(store)) == ["amsa b"]
    assert [(r.msg, r.fields) for r in caplog.records] == [("part.unreadable", {"part": 1})]
    assert rows(store, "SELECT status, not_before > :now FROM outbox WHERE id = 1", now=NOW) == [
        ("queued", True)
    ]


def test_stamps_too_long_for_their_columns_are_cut(any_store):
    conversation = talk(any_store)
    with any_store.write() as connection:
        line = people.line(connection, conversation)
        stamps = {"engine": "e" * 99, "release": "r" * 99, "reason": "x" * 99, "topic": None}
        threads.add_reply(connection, any_store, line, "amsa", now=NOW, seconds=1.5, **stamps)
    [row] = rows(
        any_store,
        "SELECT engine, release, reason, topic, seconds FROM messages ORDER BY id DESC LIMIT 1",
    )
    assert row == ("e" * 32, "r" * 64, "x" * 64, None, 1.5)


@pytest.mark.postgres
def test_senders_of_several_processes(pg_store):
    """Every part goes once and in order, though eight threads pick and some sends fail."""
    store, stop, sent, lock = pg_store, threading.Event(), [], threading.Lock()
    for n in range(6):
        conversation = talk(store, str(n))
        for part in range(8):
            queue(store, conversation, f"{n}:{part}", urgent=part == 5)

    def run(seed):
        chance = random.Random(seed)
        while not stop.is_set():
            for parcel in ready(store)[:4]:
                lease = f"process-{seed}"
                if not start(store, parcel, lease=lease):
                    continue
                time.sleep(chance.random() / 500)
                if chance.random() < 0.2:
                    settle(store, parcel, "queued", lease=lease, not_before=NOW)
                    continue
                with lock:
                    sent.append((parcel.conversation_id, parcel.urgent, parcel.id))
                settle(store, parcel, "sent", lease=lease)
            if not ready(store) and len(sent) >= 48:
                stop.set()

    at_once(*(lambda seed=seed: run(seed) for seed in range(8)))
    assert len(sent) == len(set(sent)) == 48
    for lane in {(conversation, urgent) for conversation, urgent, _ in sent}:
        mine = [part for *other, part in sent if tuple(other) == lane]
        assert mine == sorted(mine)


def test_counts(any_store):
    conversation = talk(any_store)
    queue(any_store, conversation, "1", "2", "3")
    send(any_store)
    send(any_store, now=NOW + 7200)
    with any_store.read() as connection:
        assert outbox.counts(connection, since=NOW + 3600) == {"queued": 1, "sent": 1}
