"""What a person may ask of the store, and what must never be found in it again."""

import json
from pathlib import Path

import pytest
from sqlalchemy import make_url

from core.errors import WrongDataKey
from core.messages import Choice, Document, Reply
from storage import inbox, jobs, outbox, people, privacy, threads
from storage.inbox import Finding
from storage.store import migrate, open_store
from tests.storage.given import (
    DAY,
    LEASE,
    NAME,
    NOW,
    NUMBER,
    SECRETS,
    WORDS,
    accept,
    at_once,
    claim,
    everything,
    finish,
    message,
    one,
    private,
    queue,
    ready,
    rows,
    send,
    start,
)

KEY = "a long secret of the operator"
ANSWER = "Sadauki yana bukatar ruwa"


@pytest.fixture(
    params=[
        ("sqlite_url", ""),
        ("sqlite_url", KEY),
        pytest.param(("pg_url", KEY), marks=pytest.mark.postgres),
    ],
    ids=["sqlite", "sqlite sealed", "postgres sealed"],
)
def kept(request, open_again):
    """A store of each kind, with a DATA_KEY and without."""
    url, key = request.param
    return open_again(request.getfixturevalue(url), key)


def told(store):
    """A person who said something, was answered, and agreed; (person, conversation)."""
    accept(store, private("1"))
    job = claim(store)
    assert job.message_id == one(store, "SELECT max(id) FROM messages"), "nothing else is queued"
    finish(store, job)
    document = Document("lafiya.json", json.dumps({"name": NAME}).encode())
    queue(store, job.conversation_id, ANSWER, Reply(WORDS, (Choice("1", "I"),), document))
    send(store, "whatsapp")
    person = one(store, "SELECT id FROM people")
    with store.write() as connection:
        threads.record_consent(connection, person, "service", True, "v1", NOW)
        threads.change_conversation(connection, job.conversation_id, topic="malaria")
        threads.change_person(connection, person, language="en")
    return person, job.conversation_id


def erase(store, *, now=NOW):
    """The person says yes to the erasure; the goodbye is queued."""
    accept(store, private(f"yes-{now}", text="e"), now=now)
    job = claim(store, now=now)
    assert job.message_id == one(store, "SELECT max(id) FROM messages"), "nothing else is queued"
    person = one(store, "SELECT id FROM people WHERE channel = 'whatsapp'")
    with store.write() as connection:
        assert jobs.finish(connection, job, now=now)
        privacy.erase(connection, store, person, job.conversation_id, upto=job.message_id, now=now)
    queue(store, job.conversation_id, "Mun goge komai", now=now)


def leaked(text):
    return [secret for secret in SECRETS if secret in text]


def bytes_of(store):
    """The database file and SQLite's logs beside it, as text."""
    path = Path(make_url(store.engine.url).database)
    files = sorted(path.parent.glob(f"{path.name}*"))
    return "\n".join(file.read_bytes().decode("latin-1") for file in files)


# what a DATA_KEY hides


@pytest.mark.parametrize("key", ["", KEY])
def test_words_names_and_numbers_at_rest(any_url, open_again, key):
    store = open_again(any_url, key)
    told(store)
    assert bool(leaked(everything(store))) == (not key)
    if store.is_sqlite:
        assert bool(leaked(bytes_of(store))) == (not key), "the file and its log"
        privacy.checkpoint(store)
        assert bool(leaked(bytes_of(store))) == (not key), "the file alone"


def test_each_person_has_a_key(any_url, open_again):
    store = open_again(any_url, KEY)
    for sender in "ab":
        accept(store, message(sender, sender=sender, text="iri daya"))
    assert len(set(rows(store, "SELECT data_key FROM people"))) == 2
    assert len(set(rows(store, "SELECT body FROM messages"))) == 2
    assert all(len(row[0]) == 64 for row in rows(store, "SELECT identity FROM people"))


def test_sealed_text_comes_back(any_url, open_again):
    store = open_again(any_url, KEY)
    told(store)
    [first, _] = [row[0] for row in rows(store, "SELECT id FROM messages ORDER BY id")]
    thread = threads.load(open_again(any_url, KEY), first, turns=6)
    assert (thread.turn.text, thread.address) == (WORDS, NUMBER)
    [parcel] = ready(store, "whatsapp")
    assert (parcel.address, parcel.reply.text) == (NUMBER, WORDS)
    assert NAME.encode() in parcel.reply.document.content
    shown = threads.shown(store, "whatsapp", NUMBER, after=0)
    assert [s.text for s in shown] == [WORDS, f"{ANSWER} {WORDS}"]


@pytest.mark.parametrize(
    ("label", "written", "opened", "says"),
    [
        ("another key", KEY, "another", "another DATA_KEY"),
        ("the key is missing", KEY, "", "Set that one again"),
        ("begun without one", "", KEY, "lafiya encrypt"),
    ],
)
def test_a_wrong_key_is_refused(any_url, open_again, label, written, opened, says):
    accept(open_again(any_url, written), private())
    store = open_store(any_url, opened)
    with pytest.raises(WrongDataKey, match=says) as refused:
        migrate(store)
    store.close()
    assert not leaked(f"{refused.value} {refused.value.__cause__}")
    assert KEY not in str(refused.value)


def test_a_database_begun_without_a_key_is_sealed(any_url, open_again):
    plain = open_again(any_url)
    person, _ = told(plain)
    accept(plain, message("9", sender="nobody", text=""))
    with plain.read() as connection:
        before = privacy.export(connection, plain, person)
    plain.close()
    store = open_store(any_url, KEY)
    assert privacy.encrypt_all(store) == 2
    assert privacy.encrypt_all(store) == 0, "a second time there is nothing to do"
    assert not leaked(everything(store))
    if store.is_sqlite:
        assert not leaked(bytes_of(store))
    store.close()
    store = open_again(any_url, KEY)
    with store.read() as connection:
        assert privacy.export(connection, store, person) == before
    assert accept(store, private("1")) is None
    accept(store, private("2"))
    assert one(store, "SELECT count(*) FROM people") == 2, "the same person as before"
    assert ready(store, "whatsapp")[0].reply.document is not None


def test_sealing_again_with_another_key_is_refused(any_url, open_again):
    told(open_again(any_url, KEY))
    store = open_store(any_url, "another")
    with pytest.raises(WrongDataKey):
        privacy.encrypt_all(store)
    store.close()
    assert ready(open_again(any_url, KEY), "whatsapp")[0].reply.text == WORDS


# what a person may see


def test_export_is_complete(kept):
    found = Finding("convulsions", "emergency", urgent=True)
    inbox.accept(kept, private("1", choice="x:1"), found, now=NOW, country="NG")
    conversation = one(kept, "SELECT id FROM conversations")
    with kept.write() as connection:
        line = people.line(connection, conversation)
        stamps = {"source": "model", "release": "r7", "topic": "malaria"}
        threads.add_reply(connection, kept, line, ANSWER, now=NOW, **stamps)
        threads.record_consent(connection, 1, "service", True, "v1", NOW)
        threads.record_consent(connection, 1, "training", False, "v1", NOW + 1)
    with kept.read() as connection:
        data = json.loads(privacy.export(connection, kept, 1))
    assert data == {
        "channel": "whatsapp",
        "address": NUMBER,
        "name": NAME,
        "language": "ha",
        "country": "NG",
        "stopped": False,
        "since": "2027-01-15T08:00:00+00:00",
        "topic": None,
        "consents": [
            {
                "about": "service",
                "granted": True,
                "version": "v1",
                "at": "2027-01-15T08:00:00+00:00",
            },
            {
                "about": "training",
                "granted": False,
                "version": "v1",
                "at": "2027-01-15T08:00:01+00:00",
            },
        ],
        "messages": [
            {
                "at": "2027-01-15T08:00:00+00:00",
                "from": "you",
                "kind": "text",
                "text": WORDS,
                "choice": "x:1",
                "danger_sign": "convulsions",
                "urgency": "emergency",
            },
            {
                "at": "2027-01-15T08:00:00+00:00",
                "from": "assistant",
                "kind": "text",
                "text": ANSWER,
                "answered_by": "r7",
                "topic": "malaria",
            },
        ],
    }


def test_export_holds_nobody_elses_words(kept):
    accept(kept, message("1", sender="a", text="na wani"))
    accept(kept, private("2"))
    person = one(kept, "SELECT id FROM people WHERE channel = 'whatsapp'")
    with kept.read() as connection:
        assert "na wani" not in privacy.export(connection, kept, person)


# what is erased


def test_erased_is_gone(kept):
    told(kept)
    old_key = one(kept, "SELECT data_key FROM people")
    erase(kept)
    assert send(kept, "whatsapp") == "Mun goge komai", "the goodbye still finds its way"
    left = everything(kept).replace(NUMBER, "(address)").replace(NUMBER[1:], "(identity)")
    assert not leaked(left)
    assert rows(kept, "SELECT * FROM consents") == []
    assert one(kept, "SELECT language FROM people") == "ha"
    if old_key:
        assert one(kept, "SELECT data_key FROM people") != old_key
    assert privacy.sweep(kept) == 1
    assert not leaked(everything(kept))
    for table in ("people", "conversations", "messages", "jobs", "outbox", "consents"):
        assert one(kept, f"SELECT count(*) FROM {table}") == 0, table
    if kept.is_sqlite:
        privacy.checkpoint(kept)
        assert not leaked(bytes_of(kept))
    assert rows(kept, "SELECT action, actor, detail FROM audit")[0][:2] == ("erase", "person")


def test_the_person_stays_until_the_goodbye_went(kept):
    told(kept)
    erase(kept)
    assert privacy.sweep(kept) == 0, "queued"
    [parcel] = ready(kept, "whatsapp")
    outbox.start(kept, parcel, lease="x", now=NOW, lease_seconds=10)
    assert privacy.sweep(kept) == 0, "being sent"
    outbox.settle(kept, parcel.id, lease="x", status="refused", now=NOW)
    assert privacy.sweep(kept) == 1


def test_nobody_else_is_swept(kept):
    told(kept)
    accept(kept, message("1", sender="a"))
    other = claim(kept)
    erase(kept)
    send(kept, "whatsapp")
    assert privacy.sweep(kept) == 1
    assert rows(kept, "SELECT channel FROM people") == [("telegram",)]
    assert finish(kept, other)


def test_newer_messages_survive(kept):
    """The person wrote again, and was even answered, before the erasure was committed."""
    told(kept)
    accept(kept, private("yes", text="e"))
    job = claim(kept)
    accept(kept, private("later", text="sabuwar tambaya"))
    accept(kept, private("alarm", text="bai numfashi"), urgent=True)
    alarm = claim(kept, urgent_only=True)
    finish(kept, alarm)
    queue(kept, job.conversation_id, "Ku garzaya asibiti", urgent=True)
    with kept.write() as connection:
        jobs.finish(connection, job, now=NOW)
        person = one(kept, "SELECT id FROM people")
        privacy.erase(connection, kept, person, job.conversation_id, upto=job.message_id, now=NOW)
    assert privacy.sweep(kept) == 0
    assert "Ku garzaya asibiti" in [p.reply.text for p in ready(kept, "whatsapp")]
    newest = claim(kept)
    assert threads.load(kept, newest.message_id, turns=6).turn.text == "sabuwar tambaya"
    assert not leaked(everything(kept).replace(NUMBER, "").replace(NUMBER[1:], ""))


def test_an_unanswered_alarm_survives_until_its_answer_is_delivered(kept):
    """It was written before the yes and is still being answered in its own lane."""
    accept(kept, private("alarm", text="bai numfashi"), urgent=True)
    alarm = claim(kept, urgent_only=True)
    erase(kept)
    assert threads.load(kept, alarm.message_id, turns=0).turn.text == "bai numfashi"
    send(kept, "whatsapp")
    assert privacy.sweep(kept) == 0, "being answered"
    assert finish(kept, alarm)
    queue(kept, alarm.conversation_id, "Ku garzaya asibiti", urgent=True)
    assert privacy.sweep(kept) == 0, "being delivered"
    assert send(kept, "whatsapp") == "Ku garzaya asibiti"
    assert privacy.sweep(kept) == 1
    assert one(kept, "SELECT count(*) FROM messages") == 0


@pytest.mark.parametrize("sending", [False, True])
def test_an_alarms_answer_is_still_delivered(kept, sending):
    """It was on its way to a provider that was slow when the person said yes."""
    accept(kept, private("alarm", text="bai numfashi"), urgent=True)
    alarm = claim(kept, urgent_only=True)
    finish(kept, alarm)
    queue(kept, alarm.conversation_id, "Ku garzaya asibiti", urgent=True)
    queue(kept, alarm.conversation_id, "wata amsa")
    if sending:
        assert start(kept, ready(kept, "whatsapp")[0])
    erase(kept)
    left = [row[0] for row in rows(kept, "SELECT urgent FROM outbox ORDER BY id")]
    assert [bool(urgent) for urgent in left] == [True, False], "the alarm's, and the goodbye"
    if sending:
        [(part,)] = rows(kept, "SELECT id FROM outbox WHERE urgent")
        outbox.settle(kept, part, lease=LEASE, status="sent", now=NOW)
    else:
        assert send(kept, "whatsapp") == "Ku garzaya asibiti"
    assert send(kept, "whatsapp") == "Mun goge komai"
    assert privacy.sweep(kept) == 1
    assert not leaked(everything(kept))


def test_a_newcomer_after_an_erasure(kept):
    told(kept)
    erase(kept)
    accept(kept, private("again", text="sannu"))
    send(kept, "whatsapp")
    finish(kept, claim(kept))
    assert privacy.sweep(kept) == 0, "they wrote again"
    assert one(kept, "SELECT erased_at FROM people") is None
    assert one(kept, "SELECT count(*) FROM consents") == 0


def test_an_erased_question_waits_no_more(kept):
    _, conversation = told(kept)
    with kept.write() as connection:
        threads.change_conversation(
            connection, conversation, waiting=[1], menu=[["a", "b"]], noticed_at=NOW
        )
    erase(kept)
    accept(kept, private("again", text="sannu"))
    newest = one(kept, "SELECT max(id) FROM messages")
    turn = threads.load(kept, newest, turns=6).turn
    assert (turn.waiting_text, turn.menu, turn.topic, turn.noticed) == (None, (), None, False)
    assert [p.text for p in turn.past] == ["Mun goge komai"]


def test_old_messages_are_forgotten_and_unanswered_ones_kept(kept):
    for n in range(3):
        accept(kept, message(str(n), sender=str(n)), now=NOW + n * DAY)
    done = claim(kept, now=NOW + DAY)
    finish(kept, done)
    undelivered = queue(kept, done.conversation_id, "amsa", now=NOW)
    assert privacy.forget_old(kept, before=NOW + 2 * DAY) == 1
    left = [row[0] for row in rows(kept, "SELECT id FROM messages ORDER BY id")]
    assert (done.message_id in left, undelivered in left, len(left)) == (False, True, 3)
    assert one(kept, "SELECT count(*) FROM jobs") == 2
    send(kept, now=NOW + DAY)
    assert privacy.forget_old(kept, before=NOW + 2 * DAY) == 1
    assert one(kept, "SELECT count(*) FROM outbox") == 0


def test_people_who_are_long_silent_are_forgotten(kept):
    told(kept)
    accept(kept, message("young", sender="young"), now=NOW + 2 * DAY)
    accept(kept, message("asks", sender="asks"), now=NOW)
    with kept.write() as connection:
        stranger = message(sender="alerted", address="alerted")
        inbox.ensure_person(kept, connection, stranger, now=NOW + 2 * DAY)
    send(kept, "whatsapp")
    assert privacy.forget_old(kept, before=NOW + DAY) == 2
    assert not leaked(everything(kept))
    assert rows(kept, "SELECT * FROM consents") == []
    assert one(kept, "SELECT count(*) FROM people") == 3, "young, unanswered, just alerted"
    assert privacy.forget_old(kept, before=NOW + DAY) == 0


def test_more_than_a_batch_is_forgotten(store):
    accept(store, message())
    with store.write() as connection:
        connection.exec_driver_sql(
            "INSERT INTO messages (conversation_id, direction, channel, kind, body, created_at)"
            " WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200)"
            " SELECT 1, 'out', 'telegram', 'text', 'x', 0 FROM n"
        )
    assert privacy.forget_old(store, before=NOW) == 1200


def test_the_link_secret_is_made_once(any_store):
    first = privacy.link_secret(any_store)
    with any_store.write():
        assert privacy.link_secret(any_store) == first, "inside a transaction too"
    assert len(first) > 30


@pytest.mark.postgres
@pytest.mark.parametrize("key", ["", KEY])
def test_nothing_is_lost_between_writing_and_erasing(pg_url, open_again, key):
    """One person writes from several deliveries at once while erasing and being swept away.

    What came after the last erasure that saw it must be there, and readable with the key of now.
    """
    store = open_again(pg_url, key)
    accepted, erased, stop = [], [], []

    def write(part):
        for n in range(25):
            accepted.append(accept(store, private(f"{part}-{n}", text=f"{part}-{n}")))

    def erase_again():
        while len(stop) < 3:
            job = claim(store)
            if job is None:
                continue
            with store.write() as connection:
                if not jobs.finish(connection, job, now=NOW):
                    continue
                if job.id % 3 == 0:
                    person = connection.exec_driver_sql("SELECT id FROM people").scalar_one()
                    privacy.erase(
                        connection,
                        store,
                        person,
                        job.conversation_id,
                        upto=job.message_id,
                        now=NOW,
                    )
                    erased.append(job.id)

    def sweep_again():
        while len(stop) < 3:
            privacy.sweep(store)

    def writer(part):
        write(part)
        stop.append(part)

    at_once(*(lambda p=part: writer(p) for part in "abc"), erase_again, sweep_again)
    last = max(erased, default=0)
    there = {row[0] for row in rows(store, "SELECT id FROM jobs")}
    assert {job for job in accepted if job > last} <= there
    assert len(accepted) == 75
    for (found,) in rows(store, "SELECT id FROM messages"):
        assert threads.load(store, found, turns=6) is not None
