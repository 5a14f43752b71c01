"""A release that has failed its gate, or was never judged, is made live by nothing that we have.

Every way is tried here, on both databases: the chat and its buttons, pressed late and forged, the
command line, the registry, the store's functions, the way back, races, the engines, and the tables
themselves. Whoever adds a way to make a release live adds it here.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from bot.access import Visitor
from bot.fakes import tiny_mind
from cli.main import cli
from core.errors import LafiyaError, ReleaseRefused
from inference.engine import FakeEngine
from storage import instances, releases
from storage.release_models import LiveChange
from storage.store import Conflict
from tests.bot.clinic import Clinic, open_clinic
from tests.cli.test_command_line import _quiet  # noqa: F401  (puts the logs back)
from tests.training.given_releases import BAD, GOOD, NOW, added

ADMIN = "telegram:1"
#: What has failed, and what nobody has examined.
UNFIT = {"bad": BAD, "new": None}


@pytest.fixture
def clinic(any_url, tmp_path):
    """A service whose live release is v1."""
    engine = FakeEngine()
    clinic = open_clinic(tiny_mind(engine), any_url, tmp_path / "shelf")
    clinic.url, clinic.folder, clinic.engine = any_url, tmp_path, engine
    added(clinic.registry, tmp_path, "v1")
    clinic.registry.promote("v1", actor="test", now=NOW)
    settle(clinic)
    clinic.english()
    yield clinic
    clinic.app.stop()


def lafiya(clinic: Clinic, *words: str) -> int:
    """`lafiya releases ...` on the clinic's database; its exit code."""
    environ = {
        "DATABASE_URL": clinic.url,
        "RELEASES": str(clinic.folder / "shelf"),
        "ADMINS": ADMIN,
        "LOG_LEVEL": "ERROR",
    }
    return CliRunner().invoke(cli, ["--env", "none.env", "releases", *words], env=environ).exit_code


def here(clinic: Clinic) -> int:
    return clinic.registry.pointer().counter


def on_console(clinic: Clinic, text: str, choice: str = "") -> None:
    """What a visitor of the console orders (its routes: tests/web/test_console.py)."""
    assert clinic.app.console.order(Visitor("telegram:x", "key"), "en", text, choice)


def write(clinic: Clinic, statement: str, **values: Any) -> None:
    """A statement that somebody types into the database."""
    with suppress(Conflict), clinic.app.store.write() as connection:
        connection.execute(text(statement), values)


def go_live(clinic: Clinic, name: str, kind: str) -> None:
    """The one function that moves the pointer, called past all that stand before it."""
    store = clinic.app.store
    with suppress(ReleaseRefused), store.write() as connection:
        step = LiveChange(release=name, back=None, kind=kind, actor="x", at=NOW)
        releases.go_live(connection, releases.pointer(store), step)


def back_to_it(clinic: Clinic, name: str) -> None:
    """It had passed and been live; it was judged anew after the next one came, and then back."""
    clinic.registry.judge(name, GOOD, actor="t", now=NOW)
    clinic.registry.promote(name, actor="t", now=NOW)
    clinic.registry.promote("v1", actor="t", now=NOW)
    clinic.registry.judge(name, BAD, actor="t", now=NOW)
    lafiya(clinic, "rollback", "--wait", "0")
    clinic.order("", press=f"rollback:{here(clinic)}:yes")
    with suppress(ReleaseRefused):
        clinic.registry.rollback(actor="t", now=NOW)


def asked_before_it_failed(clinic: Clinic, name: str) -> None:
    """The question was asked while it had passed; the button is pressed after it failed."""
    clinic.registry.judge(name, GOOD, actor="t", now=NOW)
    clinic.order(f"/swap {name}")
    button = clinic.buttons[0]
    clinic.registry.judge(name, BAD, actor="t", now=NOW)
    clinic.order("", press=button)


def agreed_before_it_failed(clinic: Clinic, name: str) -> None:
    """One of two people had agreed when it had passed; the second does when it has failed."""
    clinic.registry.judge(name, GOOD, actor="t", now=NOW)
    releases.promote(clinic.app.store, name, actor="a", now=NOW, needed=2)
    clinic.registry.judge(name, BAD, actor="t", now=NOW)
    with suppress(ReleaseRefused):
        releases.promote(clinic.app.store, name, actor="b", now=NOW, needed=2)


def retired_and_taken_out_again(clinic: Clinic, name: str) -> None:
    lafiya(clinic, "retire", name)
    lafiya(clinic, "promote", name, "--wait", "0")
    clinic.order("", press=f"swap:{name}:{here(clinic)}:yes")


def added_again(clinic: Clinic, name: str) -> None:
    """The same files once more do not wipe the verdict off."""
    lafiya(clinic, "add", str(clinic.folder / "made" / name))
    lafiya(clinic, "promote", name, "--wait", "0")


def restarted_while_wanted(clinic: Clinic, name: str) -> None:
    """An admin loads it to compare; a process that starts anew takes up what is live, not that."""
    clinic.order(f"/load {name}")
    instances.tune(clinic.app.store, "candidate", name, actor="t", now=NOW)
    engine = FakeEngine()
    other = open_clinic(tiny_mind(engine), clinic.url, clinic.folder / "shelf")
    other.app.keeper.tick(other.now)
    other.app.keeper.join(10)
    other.app.stop()
    assert engine.live == "v1"


def racing(clinic: Clinic, name: str) -> None:
    """Two promote it, again and again, while a third judges it: good, bad, good, bad."""
    gate = threading.Barrier(3)

    def promote(who: str) -> None:
        gate.wait()
        for _ in range(8):
            with suppress(LafiyaError):
                clinic.registry.promote(name, actor=who, now=NOW)

    def judge() -> None:
        gate.wait()
        for report in (GOOD, BAD) * 4:
            with suppress(LafiyaError):
                clinic.registry.judge(name, report, actor="t", now=NOW)

    steps = (lambda: promote("a"), lambda: promote("b"), judge)
    threads = [threading.Thread(target=step) for step in steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)


#: (label, the way)
WAYS: list[tuple[str, Callable[[Clinic, str], Any]]] = [
    ("/swap", lambda c, n: c.order(f"/swap {n}")),
    (
        "/musanya on WhatsApp",
        lambda c, n: c.order(f"/musanya {n}", "2348000000009", channel="whatsapp"),
    ),
    ("a forged button", lambda c, n: c.order("", press=f"swap:{n}:{here(c)}:yes")),
    ("a stale button", asked_before_it_failed),
    ("the console", lambda c, n: on_console(c, f"/swap {n}")),
    ("a button of the console", lambda c, n: on_console(c, "", f"swap:{n}:{here(c)}:yes")),
    ("/load", lambda c, n: c.order(f"/load {n}")),
    ("/compare", lambda c, n: (c.order(f"/load {n}"), c.order("/compare ina da ciwon kunne"))),
    ("/set", lambda c, n: c.order(f"/set release {n}")),
    ("loaded, then a restart", restarted_while_wanted),
    ("promote", lambda c, n: lafiya(c, "promote", n, "--wait", "0")),
    ("promote by an admin", lambda c, n: lafiya(c, "promote", n, "--by", ADMIN, "--wait", "0")),
    ("force without a reason", lambda c, n: lafiya(c, "promote", n, "--force", "--by", ADMIN)),
    ("force by nobody", lambda c, n: lafiya(c, "promote", n, "--force", "--reason", "why")),
    (
        "force by a stranger",
        lambda c, n: lafiya(c, "promote", n, "--force", "--reason", "why", "--by", "telegram:9"),
    ),
    ("rolled back to", back_to_it),
    ("agreed to too early", agreed_before_it_failed),
    ("retired, then promoted", retired_and_taken_out_again),
    ("added again", added_again),
    ("the registry", lambda c, n: c.registry.promote(n, actor="a", now=NOW)),
    (
        "the registry, forced with blanks",
        lambda c, n: c.registry.promote(n, actor="a", now=NOW, force_reason=" \n"),
    ),
    (
        "the store",
        lambda c, n: releases.promote(c.app.store, n, actor="a", now=NOW, expected=here(c)),
    ),
    ("the pointer, as a promotion", lambda c, n: go_live(c, n, "promote")),
    ("the pointer, as an override without a reason", lambda c, n: go_live(c, n, "force")),
    ("the pointer, as a rollback", lambda c, n: go_live(c, n, "rollback")),
    (
        "a row set live",
        lambda c, n: write(c, "UPDATE releases SET state = 'live' WHERE name = :n", n=n),
    ),
    (
        "the live row exchanged",
        lambda c, n: (
            write(c, "UPDATE releases SET state = 'retired' WHERE name = 'v1'"),
            write(c, "UPDATE releases SET state = 'live' WHERE name = :n", n=n),
        ),
    ),
    ("the pointer set", lambda c, n: write(c, "UPDATE live SET release = :n", n=n)),
    (
        "the pointer set to another state",
        lambda c, n: write(c, "UPDATE live SET release = :n, state = 'failed'", n=n),
    ),
    (
        "another pointer",
        lambda c, n: write(
            c, "INSERT INTO live (id, counter, release, state) VALUES (2, 9, :n, 'live')", n=n
        ),
    ),
]


def settle(clinic: Clinic) -> None:
    """What the service does by itself every few seconds."""
    clinic.app.keeper.tick(clinic.now)
    clinic.app.keeper.join(10)


def test_nothing_makes_it_live(clinic):
    broken = []
    for number, (label, way) in enumerate(WAYS):
        for kind, report in UNFIT.items():
            name = f"{kind}{number}"
            added(clinic.registry, clinic.folder, name, report=report)
            with suppress(ReleaseRefused):
                way(clinic, name)
            settle(clinic)
            live, row = clinic.registry.pointer().release, clinic.registry.find(name)
            if (live, clinic.engine.live, row.state == "live") != ("v1", "v1", False):
                broken.append((label, name, live, clinic.engine.live, row.state))
    assert broken == []


def test_what_has_passed_goes_live_by_the_same_ways(clinic):
    """Or else the test above would pass where nothing works at all."""
    named = dict(WAYS)
    ways = ("a forged button", "a button of the console", "promote", "the registry", "the store")
    for number, label in enumerate(ways):
        name = f"good{number}"
        added(clinic.registry, clinic.folder, name)
        named[label](clinic, name)
        assert clinic.registry.pointer().release == name, label


def test_a_race_ends_with_a_good_verdict_or_without_it(clinic):
    """Two promote while a third turns the verdict to and fro; what is live cannot be judged."""
    for number in range(3):
        name = f"race{number}"
        added(clinic.registry, clinic.folder, name, report=None)
        racing(clinic, name)
        row, live = clinic.registry.find(name), clinic.registry.pointer().release
        assert (row.state == "live") == (live == name)
        assert live != name or row.verdict is True
