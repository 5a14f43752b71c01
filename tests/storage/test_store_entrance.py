"""A link opens once, whoever knocks and however many at once, and who came in is in the audit."""

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import select

from storage import entrance, inbox
from storage.models import Audit

NOW = 1_800_000_000.0


def entered(store) -> list[str]:
    with store.read() as connection:
        query = select(Audit.actor).where(Audit.action == "console.enter").order_by(Audit.id)
        return list(connection.scalars(query))


def test_a_number_is_used_up_once(any_store):
    assert entrance.enter(any_store, "n1", actor="telegram:a", now=NOW)
    assert not entrance.enter(any_store, "n1", actor="telegram:a", now=NOW + 1)
    assert not entrance.enter(any_store, "n1", actor="telegram:b", now=NOW + 1)
    assert entrance.enter(any_store, "n2", actor="telegram:b", now=NOW)
    assert entered(any_store) == ["telegram:a", "telegram:b"]


def test_of_many_at_once_one_comes_in(any_store):
    def knock(nth: int) -> bool:
        return entrance.enter(any_store, "n1", actor=f"telegram:{nth}", now=NOW)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(knock, range(8))) == 1
    assert len(entered(any_store)) == 1


def test_what_was_used_is_forgotten_long_after_the_link_has_died(any_store):
    entrance.enter(any_store, "n1", actor="telegram:a", now=NOW)
    inbox.forget_receipts(any_store, before=NOW)
    assert not entrance.enter(any_store, "n1", actor="telegram:a", now=NOW)
    inbox.forget_receipts(any_store, before=NOW + 1)
    assert entrance.enter(any_store, "n1", actor="telegram:a", now=NOW)


def test_an_order_is_noted_with_where_it_was_given(any_store):
    entrance.note(any_store, "admin.swap", actor="telegram:a", now=NOW, by="console")
    with any_store.read() as connection:
        row = connection.execute(select(Audit.action, Audit.actor, Audit.detail)).one()
    assert tuple(row) == ("admin.swap", "telegram:a", {"by": "console"})
