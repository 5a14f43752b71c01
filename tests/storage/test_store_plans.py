"""The hot queries go by an index, however many rows there are: nothing is read row by row.

SQLite says so of an empty database; PostgreSQL's planner is told that reading whole tables is dear.
"""

import re

import pytest
from sqlalchemy import event

from core.messages import DeliveryReport
from storage import jobs, outbox, privacy, reports, threads
from tests.storage.given import NOW, accept, claim, finish, message, queue, ready, start

WHOLE = re.compile(r"\bSCAN (?!.*USING (COVERING )?INDEX)|Seq Scan on (?!people|meta|consents)")


@pytest.fixture
def busy(any_store):
    """A database with something in every table."""
    return fill(any_store)


def fill(store):
    for n in range(30):
        accept(store, message(str(n), sender=str(n % 3)))
    finish(store, claim(store))
    queue(store, 1, "1", "2")
    if not store.is_sqlite:
        store.outside("ANALYZE")
    return store


HOT = [
    ("claim", lambda s: claim(s)),
    ("claim, urgent", lambda s: claim(s, urgent_only=True)),
    ("renew", lambda s: jobs.renew(s, "x", now=NOW, lease_seconds=9)),
    ("revive jobs", lambda s: jobs.revive(s, now=NOW)),
    ("revive parts", lambda s: outbox.revive(s, now=NOW)),
    ("ready", lambda s: ready(s)),
    ("ready, urgent", lambda s: ready(s, urgent_only=True)),
    ("start", lambda s: start(s, ready(s)[0])),
    ("report", lambda s: outbox.report(s, DeliveryReport("telegram", "SM1", "sent"))),
    ("load", lambda s: threads.load(s, 2, turns=6)),
    ("accept", lambda s: accept(s, message("another"))),
    ("sweep", lambda s: privacy.sweep(s)),
    ("page", lambda s: threads.waiting(s, "telegram", "1")),
    ("shown", lambda s: threads.shown(s, "telegram", "1", after=5)),
    ("status", lambda s: reports.load(s, now=NOW)),
    ("forget", lambda s: privacy.forget_old(s, before=0)),
]


#: What housekeeping may read whole, outside of any writing transaction.
ONCE_AN_HOUR = {"forget": "SCAN conversations"}


def plans(store, step):
    """The plans of the statements that a step runs."""
    seen = []

    def see(_connection, _cursor, statement, parameters, _context, _many):
        if statement.split()[0] in ("SELECT", "UPDATE", "DELETE"):
            seen.append((statement, parameters))

    event.listen(store.engine, "before_cursor_execute", see)
    held = step(store)
    event.remove(store.engine, "before_cursor_execute", see)
    word = "EXPLAIN QUERY PLAN" if store.is_sqlite else "EXPLAIN"
    with store.engine.connect() as connection:
        if not store.is_sqlite:
            connection.exec_driver_sql("SET enable_seqscan = off")
        for statement, parameters in seen:
            rows = connection.exec_driver_sql(f"{word} {statement}", parameters).all()
            yield statement, "\n".join(str(row[-1]) for row in rows)
    del held


def test_hot_queries_go_by_an_index(busy):
    wrong = [
        f"{label}: {statement}\n{plan}"
        for label, step in HOT
        for statement, plan in plans(busy, step)
        if WHOLE.search(plan.replace(ONCE_AN_HOUR.get(label, "-"), "-"))
    ]
    assert not wrong, "\n\n".join(wrong)


def test_claiming_and_sending_sort_nothing(store):
    """The index is in the order wanted: the first that may go ends the search."""
    fill(store)
    wrong = [
        f"{label}: {plan}"
        for label, step in HOT
        if label.startswith(("claim", "ready"))
        for _, plan in plans(store, step)
        if "USE TEMP B-TREE FOR ORDER BY" in plan
    ]
    assert not wrong, "\n\n".join(wrong)
