"""The pointer to the live release: the gate in code and in the tables, races, steps back."""

import itertools

import pytest
from sqlalchemy import text

from core.errors import ReleaseRefused
from storage import instances, releases
from storage.instances import Serving
from storage.releases import Pointer
from storage.store import Conflict
from tests.storage.given import NOW, at_once, rows

PASSED, FAILED = True, False
clock = itertools.count(1)


def given(store, *names, verdict=PASSED):
    for name in names:
        releases.add(store, name, "0" * 64, {"name": name}, actor="t", now=NOW + next(clock))
        if verdict is not None:
            releases.judge(store, name, verdict, {}, actor="t", now=NOW)


def promote(store, name, actor="a", **more):
    return releases.promote(store, name, actor=actor, now=NOW, **more)


def rollback(store, actor="a", **more):
    return releases.rollback(store, actor=actor, now=NOW, **more)


def states(store):
    return {row.name: row.state for row in releases.listed(store)}


def code(step):
    """Why a step is refused; None when it is not."""
    try:
        step()
    except ReleaseRefused as refused:
        return refused.code
    return None


def test_the_way_of_a_release(any_store):
    store = any_store
    given(store, "v1", verdict=None)
    assert states(store) == {"v1": "candidate"}
    releases.judge(store, "v1", PASSED, {"metrics": {"chrf": 30.0}}, actor="t", now=NOW)
    assert states(store) == {"v1": "passed"}
    assert promote(store, "v1").pointer == Pointer(1, "v1") == releases.pointer(store)
    given(store, "v2")
    promote(store, "v2")
    assert states(store) == {"v1": "retired", "v2": "live"}
    assert rollback(store) == Pointer(3, "v1")
    assert states(store) == {"v1": "live", "v2": "retired"}
    assert rollback(store) == Pointer(4, None), "the base model was before v1"
    assert set(states(store).values()) == {"retired"}
    assert code(lambda: rollback(store)) == "no_previous"


def test_steps_back_lead_past_what_was_left(any_store):
    """From C back to B, on to D, and back: to B, not to C that was left for its faults."""
    store = any_store
    given(store, "a", "b", "c", "d")
    for name in "abc":
        promote(store, name)
    assert rollback(store).release == "b"
    promote(store, "d")
    assert [rollback(store).release for _ in range(3)] == ["b", "a", None]


# (label, what was done, order, code)
REFUSALS = [
    ("no such release", lambda s: None, lambda s: promote(s, "v9"), "unknown"),
    ("not judged", lambda s: given(s, "n", verdict=None), lambda s: promote(s, "n"), "not_passed"),
    ("failed", lambda s: given(s, "f", verdict=FAILED), lambda s: promote(s, "f"), "failed"),
    ("live already", lambda s: promote(s, "v1"), lambda s: promote(s, "v1"), "already_live"),
    ("an old sight", lambda s: promote(s, "v1"), lambda s: promote(s, "v2", expected=0), "changed"),
    (
        "another's rollback",
        lambda s: (promote(s, "v1"), rollback(s, "b", expected=1)),
        lambda s: rollback(s, "a", expected=1),
        "changed",
    ),
    ("nothing before", lambda s: None, rollback, "no_previous"),
    (
        "judging what is live",
        lambda s: promote(s, "v1"),
        lambda s: releases.judge(s, "v1", FAILED, {}, actor="t", now=NOW),
        "live",
    ),
    (
        "retiring what is live",
        lambda s: promote(s, "v1"),
        lambda s: releases.retire(s, "v1", actor="t", now=NOW),
        "live",
    ),
    (
        "a name that is taken",
        lambda s: None,
        lambda s: releases.add(s, "v1", "1" * 64, {}, actor="t", now=NOW),
        "taken",
    ),
    (
        "back to what failed since",
        lambda s: (
            promote(s, "v1"),
            promote(s, "v2"),
            releases.judge(s, "v1", FAILED, {}, actor="t", now=NOW),
        ),
        rollback,
        "not_passed",
    ),
]


@pytest.mark.parametrize(("label", "done", "order", "why"), REFUSALS, ids=[r[0] for r in REFUSALS])
def test_refused_and_nothing_changed(store, label, done, order, why):
    given(store, "v1", "v2")
    done(store)
    before = (states(store), releases.pointer(store), rows(store, "SELECT * FROM audit"))
    assert code(lambda: order(store)) == why
    assert (states(store), releases.pointer(store), rows(store, "SELECT * FROM audit")) == before


def test_the_same_add_again_is_no_change(store):
    given(store, "v1")
    releases.add(store, "v1", "0" * 64, {}, actor="t", now=NOW)
    assert states(store) == {"v1": "passed"}


def test_an_override_names_its_reason_and_its_author(any_store):
    given(any_store, "f", verdict=FAILED)
    promote(any_store, "f", actor="telegram:x", forced="the clinic asked for it")
    assert states(any_store) == {"f": "live"}
    [(actor, action, detail)] = rows(
        any_store, "SELECT actor, action, detail FROM audit ORDER BY id DESC LIMIT 1"
    )
    assert (actor, action) == ("telegram:x", "release.force")
    assert "the clinic asked for it" in str(detail)


def test_an_override_does_not_last(store):
    """It counts for the way back to it, not for another promotion."""
    given(store, "f", verdict=FAILED)
    given(store, "v1", "v2")
    promote(store, "f", forced="why")
    promote(store, "v1")
    assert rollback(store).release == "f"
    promote(store, "v2")
    assert code(lambda: promote(store, "f")) == "failed"


def test_every_change_is_audited(store):
    given(store, "v1")
    promote(store, "v1", actor="telegram:x")
    rollback(store, actor="cli:y")
    releases.retire(store, "v1", actor="cli:y", now=NOW)
    assert rows(store, "SELECT actor, action FROM audit ORDER BY id") == [
        ("t", "release.add"),
        ("t", "release.passed"),
        ("telegram:x", "release.approve"),
        ("telegram:x", "release.promote"),
        ("cli:y", "release.rollback"),
        ("cli:y", "release.retire"),
    ]


def test_two_people(any_store):
    store = any_store
    given(store, "v1")
    first = promote(store, "v1", "a", needed=2)
    assert (first.live, first.approvals, releases.pointer(store).release) == (False, 1, None)
    assert not promote(store, "v1", "a", needed=2).live, "one person is one person"
    releases.judge(store, "v1", PASSED, {}, actor="t", now=NOW)
    assert promote(store, "v1", "b", needed=2).approvals == 1, "a had agreed to another verdict"
    assert promote(store, "v1", "a", needed=2).live
    rollback(store)
    assert not promote(store, "v1", "b", needed=2).live, "agreed once is not agreed for ever"


def test_an_order_whose_answer_was_lost_is_not_carried_out_twice(store):
    given(store, "v1", "v2")
    promote(store, "v1")
    for _ in range(2):
        assert promote(store, "v2", expected=1).pointer == Pointer(2, "v2")
    for _ in range(2):
        assert rollback(store, expected=2) == Pointer(3, "v1")
    assert code(lambda: rollback(store, actor="b", expected=2)) == "changed"


# What the tables refuse, whatever the code does.
BREACHES = [
    ("live without a verdict", "UPDATE releases SET state = 'live' WHERE name = 'n'"),
    ("live though it failed", "UPDATE releases SET state = 'live' WHERE name = 'f'"),
    ("a verdict lost while live", "UPDATE releases SET verdict = NULL WHERE name = 'v1'"),
    ("a verdict turned while live", "UPDATE releases SET verdict = false WHERE name = 'v1'"),
    ("a second live one", "UPDATE releases SET state = 'live' WHERE name = 'v2'"),
    ("a pointer to what is not live", "UPDATE live SET release = 'v2'"),
    ("a pointer to a failed one", "UPDATE live SET release = 'f', state = 'failed'"),
    ("a pointer to nothing", "UPDATE live SET release = 'v9'"),
    ("a second pointer", "INSERT INTO live (id, counter, state) VALUES (2, 1, 'live')"),
    ("retired while pointed at", "UPDATE releases SET state = 'retired' WHERE name = 'v1'"),
    ("deleted while pointed at", "DELETE FROM releases WHERE name = 'v1'"),
    ("a state that is none", "UPDATE releases SET state = 'best' WHERE name = 'v2'"),
]


@pytest.fixture
def settled(any_store):
    given(any_store, "v1", "v2")
    given(any_store, "n", verdict=None)
    given(any_store, "f", verdict=FAILED)
    promote(any_store, "v1")
    return any_store


def test_the_tables_refuse_every_breach(settled):
    allowed = []
    for label, breach in BREACHES:
        try:
            with settled.write() as connection:
                connection.execute(text(breach))
            allowed.append(label)
        except Conflict:
            pass
    assert allowed == []
    assert releases.pointer(settled) == Pointer(1, "v1")


# Races.


def test_eight_at_once_promote_what_has_not_passed(any_store):
    given(any_store, "n", verdict=None)
    steps = [lambda i=i: code(lambda: promote(any_store, "n", f"a{i}")) for i in range(8)]
    assert at_once(*steps) == ["not_passed"] * 8
    assert (releases.pointer(any_store), states(any_store)) == (Pointer(), {"n": "candidate"})


def test_promoting_while_the_verdict_turns(any_store):
    """Whoever is first: never live and failed."""
    for number in range(6):
        name = f"v{number}"
        given(any_store, name)
        at_once(
            lambda n=name: code(lambda: promote(any_store, n)),
            lambda n=name: code(
                lambda: releases.judge(any_store, n, FAILED, {}, actor="t", now=NOW)
            ),
        )
        row = releases.find(any_store, name)
        assert (row.state == "live") == (row.verdict is True)
        assert (releases.pointer(any_store).release == name) == (row.state == "live")


def test_two_promote_at_once_from_one_sight(any_store):
    given(any_store, "v1", "v2")
    done = at_once(
        lambda: code(lambda: promote(any_store, "v1", "a", expected=0)),
        lambda: code(lambda: promote(any_store, "v2", "b", expected=0)),
    )
    assert sorted(done, key=str) == [None, "changed"]
    assert sorted(states(any_store).values()) == ["live", "passed"]


def test_two_roll_back_at_once(any_store):
    """Both saw v2: one step back, not two."""
    given(any_store, "v1", "v2")
    promote(any_store, "v1")
    promote(any_store, "v2")
    done = at_once(
        *(lambda w=w: code(lambda: rollback(any_store, w, expected=2)) for w in ("a", "b"))
    )
    assert sorted(done, key=str) == [None, "changed"]
    assert releases.pointer(any_store) == Pointer(3, "v1")


def test_promoting_and_retiring_at_once(any_store):
    for number in range(4):
        name = f"v{number}"
        given(any_store, name)
        at_once(
            lambda n=name: promote(any_store, n),
            lambda n=name: code(lambda: releases.retire(any_store, n, actor="t", now=NOW)),
        )
        assert releases.pointer(any_store).release == name
        assert states(any_store)[name] == "live"


# Instances and what admins set.


def test_instances_come_and_go(any_store):
    mine = Serving("host-1", "fake", "v1", None, True, "", NOW)
    instances.report(any_store, mine)
    instances.report(any_store, Serving("host-2", "fake", None, "v2", False, "no room", NOW - 99))
    assert instances.seen(any_store, since=NOW - 30) == [mine]
    instances.report(any_store, Serving("host-1", "fake", "v2", None, True, "", NOW + 2))
    assert [s.release for s in instances.seen(any_store, since=NOW)] == ["v2"]
    instances.leave(any_store, "host-1", before=NOW - 60)
    assert instances.seen(any_store, since=0) == []


def test_what_admins_set_is_seen_by_all(any_store, any_url, open_again):
    other = open_again(any_url)
    assert instances.wanted(other).tuning == {}
    for value in ("0.7", "0.2"):
        instances.tune(any_store, "temperature", value, actor="telegram:x", now=NOW)
    assert instances.wanted(other).tuning == {"temperature": "0.2"}
    assert len(rows(other, "SELECT * FROM audit WHERE action = 'set.temperature'")) == 2
