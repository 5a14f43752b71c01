"""What may be learnt from, on both databases: by the newest word, corrected where it was."""

import pytest

from storage import consented, corrections, privacy, threads
from tests.storage.given import NOW, accept, claim, everything, finish, message, one, queue, rows

SOURCES = ("library", corrections.SOURCE)


def talk(store, sender, question, *words):
    """A question, a library answer and yes or no to training, in turn; the question's id."""
    accept(store, message(f"q-{sender}", sender=sender, text=question))
    asked = one(store, "SELECT max(id) FROM messages")
    line = one(store, f"SELECT conversation_id FROM messages WHERE id = {asked}")
    said = queue(store, line, "amsa")
    with store.write() as connection:
        connection.exec_driver_sql(f"UPDATE messages SET reply_to = {asked} WHERE id = {said}")
        person = one_person(store, connection, line)
        for word in words:
            threads.record_consent(connection, person, "training", word, "v1", NOW)
    return asked


def one_person(store, connection, line):
    query = f"SELECT person_id FROM conversations WHERE id = {line}"
    return connection.exec_driver_sql(query).scalar()


def taught(store):
    return [(e.message_id, e.answer) for e in consented.exchanges(store, SOURCES)]


def put(store, asked, text="gyara"):
    return corrections.put(store, asked, text, actor="a", now=NOW + 9)


def test_only_who_said_yes_last_is_taught(any_store):
    yes = talk(any_store, "a", "Tambaya A?", False, True)
    talk(any_store, "b", "Tambaya B?", True, False)
    talk(any_store, "c", "Tambaya C?")
    assert taught(any_store) == [(yes, "amsa")]
    assert [e.question for e in consented.exchanges(any_store, SOURCES)] == ["Tambaya A?"]


def test_a_correction_takes_the_place_of_the_answer_and_of_the_last_one(any_store):
    asked = talk(any_store, "a", "Tambaya?", True)
    assert [e.message_id for e in corrections.recent(any_store, ["library"], most=3)] == [asked]
    assert put(any_store, asked, "na farko")
    assert put(any_store, asked, "na biyu")
    assert taught(any_store) == [(asked, "na biyu")]
    assert corrections.recent(any_store, ["library"], most=3) == []
    assert corrections.find(any_store, asked).answer == "amsa"
    assert "na farko" not in everything(any_store)


@pytest.mark.parametrize("words", [(), (False,), (True, False)])
def test_without_a_yes_nothing_is_corrected(any_store, words):
    asked = talk(any_store, "a", "Tambaya?", *words)
    assert not put(any_store, asked)
    assert not put(any_store, asked + 100)
    assert corrections.find(any_store, asked) is None


def test_a_correction_is_sealed_and_goes_with_its_person(any_url, open_again):
    store = open_again(any_url, "a long secret of the operator")
    asked = talk(store, "a", "Tambaya?", True)
    assert put(store, asked, "gyararriyar amsa")
    assert "gyararriyar" not in everything(store)
    assert taught(store) == [(asked, "gyararriyar amsa")]
    finish(store, claim(store))
    last = one(store, "SELECT max(id) FROM messages")
    [(person, line)] = rows(store, "SELECT person_id, id FROM conversations")
    with store.write() as connection:
        exported = privacy.export(connection, store, person)
        privacy.erase(connection, store, person, line, upto=last, now=NOW + 10)
    assert "gyararriyar amsa" in exported
    assert one(store, "SELECT count(*) FROM messages") == 0
    assert taught(store) == []
