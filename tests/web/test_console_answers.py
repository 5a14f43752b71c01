"""Answers are put right on the console: who may look, what is shown, the refusals of the chat."""

import pytest

from bot.fakes import FakeGuard, tiny_mind
from cli.trainer import VETTED
from core.errors import EngineAbsent
from inference.engine import FakeEngine
from storage import consented
from tests.bot.clinic import open_clinic
from tests.web.console_room import Visit, client_of, open_room, set_clock
from tests.web.test_console import FOREIGN

QUESTION, RIGHT = "ina da ciwon kunne", "A je asibiti yau, kada a sa komai a kunne."
OURS = "Amsar samfuri.\n\nA huta."
#: What no answer may hold before somebody may see it.
SECRETS = (QUESTION, "Amsar samfuri")


def asked(clinic, who: str, training: str, number: int = 1) -> None:
    """Somebody agrees, decides about training, and asks."""
    clinic.agree(who)
    clinic.press(f"training:{training}", who)
    for nth in range(number):
        clinic.say(f"{QUESTION} {who}{nth}", who)


@pytest.fixture
def room(sqlite_url, tmp_path):
    """2 agreed to training and was answered by the model, 4 to the service only."""
    engine = FakeEngine()
    engine.answers += [OURS] * 2
    room = open_room(engine, sqlite_url, tmp_path)
    set_clock(room.clinic, lambda: room.clinic.now)
    asked(room.clinic, "2", "yes")
    asked(room.clinic, "4", "no")
    yield room
    room.clinic.app.stop()


@pytest.fixture
def visit(room):
    return room.come_in()


def listed(visit: Visit) -> list[dict]:
    answer = visit.post("answers", {})
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    return answer.json["answers"]


def taught(visit: Visit) -> list[tuple[str, str]]:
    return [(e.question, e.answer) for e in consented.exchanges(visit.clinic.app.store, VETTED)]


def actions(visit: Visit) -> list[str]:
    return [action for action, _ in visit.clinic.audit()]


def test_only_who_agreed_is_shown_whole_and_with_who_wrote_it(visit):
    [one] = listed(visit)
    assert (one["question"], one["answer"], one["draft"]) == (f"{QUESTION} 20", OURS, OURS)
    assert one["by"] == "written by fake-1"
    ha = visit.client.post(
        "/console/answers?lang=ha", json={}, headers={"X-Console-Key": visit.key}
    )
    assert ha.json["answers"][0]["by"] == "fake-1 ne ya rubuta"


def test_the_release_that_wrote_it_is_named_and_the_newest_is_first(visit):
    visit.clinic.confirm("/swap v1")
    engine = visit.clinic.app.desk.keeper._engine
    engine.answers += [OURS, EngineAbsent("no model")]
    visit.clinic.say(f"{QUESTION} sabuwa", "2")
    visit.clinic.say(f"{QUESTION} ta uku", "2")
    found = listed(visit)
    by = ["we did not know", "written by v1", "written by fake-1"]
    assert [one["by"] for one in found] == by
    assert [one["draft"] for one in found] == ["", OURS, OURS], "ours is no beginning there"


def test_ten_are_shown_at_most(visit):
    visit.clinic.app.desk.keeper._engine.answers += [OURS] * 12
    for nth in range(12):
        visit.clinic.say(f"{QUESTION} {nth}", "2")
        visit.clinic.now += 60
    assert len(listed(visit)) == 10


def test_nothing_is_shown_to_who_has_no_session(room):
    for key in ("", "k"):
        room.key = key
        answer = room.post("answers", {})
        assert answer.status_code == 403
        assert not any(secret in answer.text for secret in SECRETS)
    assert "admin.answers" not in actions(room)


def test_nobody_but_an_admin_comes_in(room):
    told = room.clinic.order("/console", "2")
    assert "/console?" not in told
    assert room.post("answers", {}).status_code == 403


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [(body, headers, status) for _, body, headers, status in FOREIGN if status in (403, 415)],
    ids=[row[0] for row in FOREIGN if row[3] in (403, 415)],
)
def test_only_our_own_page_can_look(visit, body, headers, status):
    sent = {"X-Console-Key": visit.key, **headers}
    answer = visit.client.post("/console/answers", **body, headers=sent)
    assert answer.status_code == status
    assert not any(secret in answer.text for secret in SECRETS)
    assert "admin.answers" not in actions(visit)


def test_an_address_shows_nothing(visit):
    assert visit.get("answers").status_code == 405
    assert "admin.answers" not in actions(visit)


def test_who_looks_and_who_corrects_is_audited(visit):
    [one] = listed(visit)
    visit.order(f"/correct {one['number']} {RIGHT}")
    actor = visit.clinic.rows("SELECT actor FROM audit WHERE action = 'console.enter'")
    used = visit.clinic.rows("SELECT action, actor, detail FROM audit ORDER BY id")[-3:]
    assert [action for action, *_ in used] == ["admin.answers", "correct", "admin.correct"]
    assert {(who,) for _, who, _ in used} == set(actor)
    assert all("console" in detail for action, _, detail in used if action.startswith("admin"))


def test_what_was_shown_is_kept_nowhere(visit, caplog):
    before = visit.clinic.rows("SELECT count(*) FROM messages")
    listed(visit)
    assert visit.clinic.rows("SELECT count(*) FROM messages") == before
    assert not any(secret in caplog.text for secret in SECRETS)


def test_an_answer_is_put_right_and_taught(visit, caplog):
    [one] = listed(visit)
    said = visit.order(f"/correct {one['number']} {RIGHT}\nA huta.")
    assert f"The right answer to #{one['number']} is noted" in said["text"]
    assert taught(visit) == [(f"{QUESTION} 20", f"{RIGHT}\nA huta.")]
    assert listed(visit) == []
    assert RIGHT not in caplog.text
    visit.clinic.send()
    assert not any(RIGHT in sent.reply.text for sent in visit.clinic.telegram.sent)


def test_what_is_no_correction_is_explained_and_nothing_changes(visit):
    [one] = listed(visit)
    number = one["number"]
    for rest in ("", number, f"{number} ", f"x {RIGHT}", f"{number} {'a' * 1501}"):
        assert visit.order(f"/correct {rest}")["text"].startswith("Write the number"), rest
    long = visit.post("orders", {"text": f"/correct {number} {'a' * 5000}", "choice": ""})
    assert long.status_code == 400
    for other in ("0", "99999", "9" * 30):
        assert f"No question #{other} may" in visit.order(f"/correct {other} {RIGHT}")["text"]
    assert taught(visit) == []
    assert "is noted" in visit.order(f"/correct {number} {'a' * 1500}")["text"]


def test_without_their_yes_it_can_be_neither_seen_nor_corrected(visit):
    query = "SELECT id FROM messages WHERE body = :body"
    [[theirs]] = visit.clinic.rows(query, body=f"{QUESTION} 40")
    assert theirs not in [one["number"] for one in listed(visit)]
    assert "No question" in visit.order(f"/correct {theirs} {RIGHT}")["text"]
    assert taught(visit) == []


@pytest.mark.parametrize("how", ["withdrawn", "erased"])
def test_who_goes_while_somebody_looks_is_gone(visit, how):
    [one] = listed(visit)
    if how == "withdrawn":
        visit.clinic.press("training:no", "2")
    else:
        visit.clinic.say("goge", "2")
        visit.clinic.press("erase:yes", "2")
    assert listed(visit) == []
    assert "No question" in visit.order(f"/correct {one['number']} {RIGHT}")["text"]
    assert taught(visit) == []
    assert "correct" not in actions(visit)


def test_what_the_guard_would_hold_back_is_not_taught(sqlite_url, tmp_path):
    engine = FakeEngine()
    engine.answers += [OURS]
    mind = tiny_mind(engine, guard=FakeGuard(reason="dose", bad="500 mg"))
    clinic = open_clinic(mind, sqlite_url, tmp_path / "shelf", data_key="a secret of the operator")
    clinic.english()
    asked(clinic, "2", "yes")
    visit = Visit(clinic, client_of(clinic.app)).come_in()
    [one] = listed(visit)
    assert one["question"] == f"{QUESTION} 20", "also where everything is encrypted"
    said = visit.order(f"/correct {one['number']} A sha 500 mg.")
    assert "(rule: dose)" in said["text"]
    assert taught(visit) == []
    clinic.app.stop()
