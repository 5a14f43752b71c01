"""Who answers what: order, lanes, leases. Races are run on PostgreSQL; SQLite would hide them."""

import random
import threading
import time

import pytest
from sqlalchemy import text

from storage import jobs
from storage.store import Conflict
from tests.storage.given import (
    LEASE,
    NOW,
    OTHER,
    accept,
    at_once,
    claim,
    finish,
    message,
    one,
    rows,
)


def taken(store, *senders, urgent=()):
    """One message of each sender in turn; the job ids."""
    return [
        accept(store, message(str(n), sender=sender), urgent=n in urgent)
        for n, sender in enumerate(senders)
    ]


def test_order_within_a_conversation(any_store):
    first, second, third = taken(any_store, "a", "a", "b")
    held = claim(any_store)
    assert held.id == first
    assert claim(any_store).id == third, "the second waits for the first, another person does not"
    assert claim(any_store) is None
    assert finish(any_store, held)
    assert claim(any_store).id == second
    assert claim(any_store) is None


def test_urgent_goes_first_and_waits_for_nobody(any_store):
    first, alarm, second, other = taken(any_store, "a", "a", "a", "b", urgent=(1,))
    held = claim(any_store)
    assert (held.id, held.urgent) == (alarm, True)
    assert claim(any_store).id == first, "an ordinary job does not wait for an urgent one"
    later = accept(any_store, message("later", sender="a"), urgent=True)
    assert claim(any_store, urgent_only=True).id == later, "nor an urgent one for an ordinary"
    assert claim(any_store, urgent_only=True) is None, "the reserved worker takes nothing else"
    assert claim(any_store).id == other
    assert claim(any_store) is None, f"{second} waits"


def test_the_database_refuses_a_second_ordinary_one(any_store):
    taken(any_store, "a", "a", "a", urgent=(2,))
    ids = [row[0] for row in rows(any_store, "SELECT id FROM jobs ORDER BY id")]
    run = text("UPDATE jobs SET status = 'running' WHERE id = :n")
    with any_store.write() as connection:
        connection.execute(run, {"n": ids[0]})
        connection.execute(run, {"n": ids[2]})
    with pytest.raises(Conflict), any_store.write() as connection:
        connection.execute(run, {"n": ids[1]})


def test_a_job_that_failed_keeps_its_place(any_store):
    first, second = taken(any_store, "a", "a")
    held = claim(any_store)
    jobs.put_back(any_store, held, now=NOW, delay=3)
    assert claim(any_store, now=NOW + 2) is None, f"{second} may not overtake {first}"
    again = claim(any_store, now=NOW + 3)
    assert (again.id, again.attempts) == (first, 2)


def test_claims_are_counted_for_the_poison_cap(any_store):
    taken(any_store, "a")
    counted = []
    for n in range(4):
        held = claim(any_store, now=NOW + 100 * n)
        counted.append(held.attempts)
        if n % 2:
            jobs.put_back(any_store, held, now=NOW + 100 * n, delay=0)
        else:
            assert jobs.revive(any_store, now=NOW + 100 * n + 11) == 1
    assert counted == [1, 2, 3, 4]


def test_a_lost_lease_ends_nothing(any_store):
    [job] = taken(any_store, "a")
    late = claim(any_store)
    assert jobs.revive(any_store, now=NOW + 10) == 0, "not over yet"
    assert jobs.revive(any_store, now=NOW + 10.1) == 1
    assert not finish(any_store, late), "queued again: another may have it any moment"
    current = claim(any_store, lease=OTHER, now=NOW + 11)
    assert not finish(any_store, late)
    jobs.put_back(any_store, late, now=NOW + 11, delay=0)
    assert one(any_store, "SELECT status FROM jobs") == "running", "nor does it put back another's"
    assert finish(any_store, current)
    assert not finish(any_store, current), "only once"
    assert (current.id, claim(any_store, now=NOW + 99)) == (job, None)


def test_a_late_thread_is_told_from_the_next_one_of_its_process(any_store):
    """A process that slept through its lease claims the job again under the same name."""
    taken(any_store, "a")
    late = claim(any_store)
    jobs.revive(any_store, now=NOW + 11)
    current = claim(any_store, now=NOW + 11)
    assert (late.lease, current.lease) == (LEASE, LEASE)
    jobs.put_back(any_store, late, now=NOW + 11, delay=0)
    assert not finish(any_store, late)
    assert finish(any_store, current)


def test_renewing_keeps_what_is_in_hand(any_store):
    taken(any_store, "a", "b")
    held, others = claim(any_store), claim(any_store, lease=OTHER)
    jobs.renew(any_store, LEASE, now=NOW + 9, lease_seconds=10)
    assert jobs.revive(any_store, now=NOW + 11) == 1, "the other process did not renew"
    assert not finish(any_store, others)
    assert finish(any_store, held)


def test_a_job_that_a_thread_dropped_is_revived_though_its_process_lives(any_store):
    """The database was down when the thread wanted to put it back: its lease is renewed no more."""
    job, _ = taken(any_store, "a", "b")
    claim(any_store, lease="p.1")
    kept = claim(any_store, lease="p.2")
    jobs.renew(any_store, "p.2", now=NOW + 9, lease_seconds=10)
    assert jobs.revive(any_store, now=NOW + 11) == 1
    assert claim(any_store, now=NOW + 11).id == job
    assert finish(any_store, kept)


def test_a_rollback_leaves_the_job_with_its_worker(any_store):
    taken(any_store, "a")
    held = claim(any_store)

    def break_off():
        with any_store.write() as connection:
            assert jobs.finish(connection, held, now=NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()
    assert finish(any_store, held)


def test_depth(any_store):
    taken(any_store, "a", "b", "c", "c")
    finish(any_store, claim(any_store))
    held = claim(any_store)
    with any_store.read() as connection:
        assert jobs.depth(connection) == {"queued": 2, "running": 1}
    assert held


class Watch:
    """Sees when two ordinary jobs of a conversation run together, and what ran how often."""

    def __init__(self):
        self.lock = threading.Lock()
        self.running, self.together, self.finished = {}, 0, []

    def begin(self, job):
        with self.lock:
            if not job.urgent:
                self.together += self.running.get(job.conversation_id, 0)
                self.running[job.conversation_id] = 1

    def end(self, job):
        """Said before the commit, as a claim may follow on it at once."""
        with self.lock:
            if not job.urgent:
                self.running[job.conversation_id] = 0


def work(store, watch, seed, stop):
    """Claim and finish until told to stop; now and then fail, and put the job back."""
    chance = random.Random(seed)
    while not stop.is_set():
        job = claim(store, urgent_only=seed == 0)
        if job is None:
            time.sleep(0.002)
            continue
        watch.begin(job)
        time.sleep(chance.random() / 200)
        watch.end(job)
        if chance.random() < 0.1:
            jobs.put_back(store, job, now=NOW, delay=0)
        elif finish(store, job):
            with watch.lock:
                watch.finished.append(job)


@pytest.mark.parametrize(
    ("workers", "messages"),
    [pytest.param(("sqlite", 4), 60), pytest.param(("pg", 12), 140, marks=pytest.mark.postgres)],
    ids=["sqlite", "postgres"],
)
def test_one_ordinary_job_of_a_conversation_at_a_time(request, workers, messages):
    """Many messages of few people, arriving while many threads claim."""
    kind, count = workers
    store = request.getfixturevalue("store" if kind == "sqlite" else "pg_store")
    watch, stop = Watch(), threading.Event()
    half = messages // 2

    def arrive(part):
        for n in range(half):
            accept(store, message(f"{part}-{n}", sender=str(n % 5)), urgent=n % 7 == 3)

    def watch_end():
        until = time.monotonic() + 50
        while len(watch.finished) < messages and time.monotonic() < until:
            time.sleep(0.01)
        stop.set()

    at_once(
        *(lambda seed=seed: work(store, watch, seed, stop) for seed in range(count)),
        lambda: arrive("a"),
        lambda: arrive("b"),
        watch_end,
    )
    assert watch.together == 0
    assert sorted(job.id for job in watch.finished) == [
        row[0] for row in rows(store, "SELECT id FROM jobs WHERE status = 'done' ORDER BY id")
    ]
    assert len(watch.finished) == messages
    for person in {job.conversation_id for job in watch.finished}:
        mine = [j.id for j in watch.finished if j.conversation_id == person and not j.urgent]
        assert mine == sorted(mine), "in order"
