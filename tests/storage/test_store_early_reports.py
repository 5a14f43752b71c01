"""A word that comes before its message is on record: kept once, given again, forgotten."""

from core.messages import DeliveryReport
from storage import early_reports, outbox
from tests.storage.given import NOW, accept, at_once, claim, one, private, queue, send, times

SENT, READ = (DeliveryReport("whatsapp", "SM1", status) for status in ("sent", "read"))
FAILED = DeliveryReport("whatsapp", "SM2", "failed", "63018", send_again=True)


def told(store, *, provider_id):
    accept(store, private("1"))
    queue(store, claim(store).conversation_id, "amsa")
    send(store, "whatsapp", provider_id=provider_id)


def test_a_word_is_kept_once_and_due_when_its_message_is_known(any_store):
    for number, word in enumerate((SENT, READ, SENT, FAILED)):
        assert early_reports.keep(any_store, word, now=NOW + number)
    assert early_reports.due(any_store) == []
    told(any_store, provider_id="SM1")
    assert early_reports.due(any_store) == [SENT, READ]
    early_reports.drop(any_store, SENT)
    assert early_reports.due(any_store) == [READ]
    assert one(any_store, "SELECT count(*) FROM early_reports") == 2


def test_a_word_on_a_known_message_is_not_kept(any_store):
    told(any_store, provider_id="SM1")
    assert not early_reports.keep(any_store, READ, now=NOW)
    other = DeliveryReport("telegram", "SM1", "read")
    assert early_reports.keep(any_store, other, now=NOW), "another channel's numbers are others"


def test_the_same_word_from_several_calls_at_once(any_store):
    at_once(*times(6, lambda: early_reports.keep(any_store, FAILED, now=NOW)))
    assert one(any_store, "SELECT count(*) FROM early_reports") == 1
    assert one(any_store, "SELECT code FROM early_reports") == "63018"


def test_a_word_and_its_message_at_once_never_miss_each_other(any_store):
    """Neither transaction may see the other: what is kept is due afterwards."""
    accept(any_store, private("1"))
    queue(any_store, claim(any_store).conversation_id, "amsa")

    def hear():
        if outbox.report(any_store, READ) is None:
            return early_reports.keep(any_store, READ, now=NOW) or outbox.report(any_store, READ)
        return True

    at_once(lambda: send(any_store, "whatsapp", provider_id="SM1"), hear)
    known = one(any_store, "SELECT provider_status FROM outbox")
    assert known == "read" or early_reports.due(any_store) == [READ]


def test_words_of_others_are_forgotten(any_store):
    early_reports.keep(any_store, SENT, now=NOW)
    early_reports.keep(any_store, READ, now=NOW + 10)
    assert early_reports.forget(any_store, before=NOW + 10) == 1
    assert early_reports.forget(any_store, before=NOW + 11) == 1
