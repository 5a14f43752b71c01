"""Who follows a run: claimed by one, noted by whoever told, gone with the message."""

from dataclasses import replace

from storage import watches
from tests.storage.given import NOW, OTHER, accept, at_once, message, one, queue, rows, send, times


def followed(store, run="r1"):
    """Somebody ordered a run and was answered; what is followed."""
    accept(store, message())
    order, talk = rows(store, "SELECT id, conversation_id FROM messages")[0]
    said = queue(store, talk, "has begun")
    with store.write() as connection:
        connection.exec_driver_sql(f"UPDATE messages SET reply_to = {order} WHERE id = {said}")
        watches.add(connection, order, talk, run, now=NOW)
    [watch] = watches.following(store)
    return watch


def test_the_message_to_edit_is_known_once_it_was_handed_over(any_store):
    watch = followed(any_store)
    assert (watch.run, watch.status, watch.sent, watch.address) == ("r1", "open", None, "77")
    send(any_store, provider_id="901")
    assert watches.following(any_store)[0].sent == "901"


def test_one_of_many_claims(any_store):
    watch = followed(any_store)
    claim = lambda: watches.claim(any_store, watch, lease=OTHER, now=NOW, seconds=9)  # noqa: E731
    assert sorted(at_once(*times(6, claim))) == [False] * 5 + [True]
    assert not watches.claim(any_store, watch, lease="me", now=NOW + 8, seconds=9)
    assert watches.claim(any_store, watch, lease="me", now=NOW + 10, seconds=9)
    watches.settle(any_store, watch, lease=OTHER, told="late")
    assert watches.following(any_store)[0].told == ""
    watches.settle(any_store, watch, lease="me", told="10 %", told_at=NOW + 11)
    [after] = watches.following(any_store)
    assert (after.told, after.lease_until) == ("10 %", None)
    assert not watches.claim(any_store, watch, lease="me", now=NOW + 99, seconds=9), "an old sight"


def test_the_end_is_noted_by_one(any_store):
    watch = followed(any_store)

    def end():
        with any_store.write() as connection:
            return watches.step(connection, watch, status=watches.ENDED)

    assert sorted(at_once(*times(4, end))) == [False] * 3 + [True]
    watches.close(any_store, watch)  # it is not open any more: another sight
    assert len(watches.following(any_store)) == 1
    watches.close(any_store, replace(watch, status=watches.ENDED))
    assert watches.following(any_store) == []


def test_it_goes_with_the_message_that_ordered_it(any_store):
    watch = followed(any_store)
    with any_store.write() as connection:
        connection.exec_driver_sql(f"DELETE FROM messages WHERE id = {watch.message_id}")
    assert one(any_store, "SELECT count(*) FROM watches") == 0
