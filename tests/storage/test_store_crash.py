"""SIGKILL: what a process said that it had accepted is there, whole, when the next one opens."""

import os
import subprocess
import sys
import time

from storage import jobs, outbox, threads
from tests.storage.given import NOW, claim, one, rows

KEY = "a long secret"
ACCEPTING = """
import sys
from core.messages import Inbound
from storage import inbox
from storage.store import open_store
store = open_store(sys.argv[1], sys.argv[2])
for n in range(100000):
    inbound = Inbound("telegram", f"u{n}", str(n % 7), str(n % 7), text=f"sakon {n}")
    inbox.accept(store, inbound, inbox.Finding(), now=float(n))
    print(n, flush=True)
"""
ANSWERING = """
import sys
from core.messages import Reply
from storage import jobs, outbox, threads
from storage.store import open_store
store = open_store(sys.argv[1], sys.argv[2])
while True:
    job = jobs.claim(store, lease="dead", now=1e9, lease_seconds=10)
    with store.write() as connection:
        line = jobs.finish(connection, job, now=1e9)
        made = threads.add_reply(connection, store, line, "amsa", now=1e9, reply_to=job.message_id)
        for part in "ab":
            outbox.enqueue(connection, store, line, made, [Reply(part)], urgent=False,
                           now=1e9, expires_at=2e9)
    print(job.id, flush=True)
"""


def killed(script, url, *, after):
    """Run a script until it has printed so many lines, kill it; all that it printed."""
    process = subprocess.Popen(
        [sys.executable, "-c", script, url, KEY],
        stdout=subprocess.PIPE,
        text=True,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    said = [process.stdout.readline().strip() for _ in range(after)]
    time.sleep(0.05)
    process.kill()
    # Not communicate(): it reads past the lines that readline() has already buffered.
    rest = process.stdout.read()
    process.stdout.close()
    process.wait(30)
    return [int(line) for line in said + rest.split()]


def test_accepted_survives_and_is_answered_once(any_url, open_again):
    open_again(any_url, KEY).close()
    accepted = killed(ACCEPTING, any_url, after=60)
    assert accepted == list(range(len(accepted)))

    store = open_again(any_url, KEY)
    there = one(store, "SELECT count(*) FROM messages")
    assert there - len(accepted) in (0, 1), "one at most was committed and not yet said"
    for table in ("jobs", "receipts"):
        assert one(store, f"SELECT count(*) FROM {table}") == there
    for message_id, job_id in rows(store, "SELECT message_id, id FROM jobs"):
        assert threads.load(store, message_id, turns=0).turn.text == f"sakon {job_id - 1}"
    store.close()

    answered = killed(ANSWERING, any_url, after=20)
    store = open_again(any_url, KEY)
    done = [row[0] for row in rows(store, "SELECT id FROM jobs WHERE status = 'done' ORDER BY id")]
    assert set(answered) <= set(done)
    assert one(store, "SELECT count(*) FROM messages WHERE direction = 'out'") == len(done)
    assert one(store, "SELECT count(*) FROM outbox") == 2 * len(done), "all parts or none"
    running = one(store, "SELECT count(*) FROM jobs WHERE status = 'running'")
    assert jobs.revive(store, now=NOW) == running <= 1
    while claim(store) is not None:
        done.append(0)
        with store.write() as connection:
            connection.exec_driver_sql("UPDATE jobs SET status = 'done' WHERE status = 'running'")
    assert len(done) == there
    assert outbox.revive(store, now=NOW) == (0, 0)
