"""What people call a release: one word means one release, whatever happens at once."""

import pytest

from core.errors import ReleaseRefused
from storage import release_names, releases
from tests.storage.given import NOW, at_once, rows
from tests.storage.test_releases import code, given, promote


def call(store, name, label, **more):
    release_names.label(store, name, label, actor="a", now=NOW, **more)


def test_a_release_is_found_by_what_it_is_called(any_store):
    given(any_store, "v1", "v2")
    call(any_store, "v1", "hausa")
    call(any_store, "v1", "hausa")
    assert [releases.find(any_store, word).name for word in ("v1", "hausa", "v2")] == [
        *("v1", "v1", "v2")
    ]
    assert releases.find(any_store, "v1").label == "hausa"
    assert rows(any_store, "SELECT action FROM audit WHERE action = 'release.label'") == [
        ("release.label",)
    ]


# (label, order, code)
REFUSED = [
    ("no such release", lambda s: call(s, "v9", "x"), "unknown"),
    ("it has one", lambda s: call(s, "v1", "other"), "labelled"),
    ("another's label", lambda s: call(s, "v2", "hausa"), "taken"),
    ("another's name", lambda s: call(s, "v2", "v1"), "taken"),
    (
        "a release made with a label's name",
        lambda s: releases.add(s, "hausa", "0" * 64, {}, actor="t", now=NOW),
        "taken",
    ),
]


@pytest.mark.parametrize(("label", "order", "why"), REFUSED, ids=[row[0] for row in REFUSED])
def test_refused_and_nothing_changed(store, label, order, why):
    given(store, "v1", "v2")
    call(store, "v1", "hausa")
    assert code(lambda: order(store)) == why
    assert [(row.name, row.label) for row in releases.listed(store)] == [
        ("v2", None),
        ("v1", "hausa"),
    ]


def test_another_label_by_wish_frees_the_old_one(any_store):
    given(any_store, "v1", "v2")
    call(any_store, "v1", "hausa")
    call(any_store, "v1", "better", again=True)
    call(any_store, "v2", "hausa")
    assert releases.find(any_store, "hausa").name == "v2"


def test_two_give_one_label_at_once(any_store):
    given(any_store, "v1", "v2")

    def give(name):
        try:
            call(any_store, name, "hausa")
        except ReleaseRefused as refused:
            return refused.code
        return None

    assert sorted(at_once(lambda: give("v1"), lambda: give("v2")), key=str) == [None, "taken"]


def test_a_label_changes_nothing_of_the_gate(store):
    given(store, "f", verdict=False)
    call(store, "f", "good")
    assert code(lambda: promote(store, "f")) == "failed"
    assert code(lambda: promote(store, "good")) == "unknown", "rows go by the name alone"
