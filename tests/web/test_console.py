"""What the console takes and shows, over HTTP: the orders of the chat, with the same refusals."""

import contextlib
import itertools
import os
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from bot.fakes import tiny_mind
from core.errors import ReleaseRefused, StoreError
from inference.engine import FakeEngine, LibraryEngine
from storage import releases
from tests.bot.clinic import open_clinic
from tests.training.given_releases import BAD, GOOD, NOW
from tests.training.test_jobs import COUNTER
from tests.waiting import until
from tests.web.console_room import Visit, client_of, open_room, set_clock
from training.registry import Report
from training.report_files import PAGE, PICTURE
from web.console import COOKIE

QUESTION = "ina da ciwon kunne"


@pytest.fixture
def room(sqlite_url, tmp_path, monkeypatch):
    """A browser that is not in yet; runs count to a hundred."""
    (tmp_path / "counter.py").write_text(COUNTER, "utf-8")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{Path.cwd()}")
    room = open_room(FakeEngine(), sqlite_url, tmp_path)
    yield room
    room.clinic.app.stop()


@pytest.fixture
def visit(room):
    return room.come_in()


def unchanged(visit) -> bool:
    actions = {action for action, actor in visit.clinic.audit() if actor != "test"}
    return visit.clinic.live is None and actions <= {"admin.console", "console.enter"}


# Who may call what.


def rules(visit):
    """Every address below /console, with a name in it, and its methods."""
    found = visit.client.application.url_map.iter_rules()
    return [
        (rule.rule.replace("<name>", "v1").replace("<number>", "x"), rule.methods)
        for rule in found
        if rule.rule.startswith("/console")
    ]


def test_nothing_is_shown_or_taken_without_a_session(room):
    room.key = "k"
    seen = set()
    for path, methods in rules(room):
        for method in methods - {"OPTIONS", "HEAD"}:
            answer = room.client.open(path, method=method, json={}, headers={"X-Console-Key": "k"})
            assert answer.status_code == 403, (method, path)
            assert not any(name in answer.text for name in ("v1", "v2", "bad", "data-key"))
            seen.add(path)
    assert len(seen) == 10
    assert "/console/orders" in seen


def test_what_changes_something_cannot_be_got(visit):
    for path, methods in rules(visit):
        if "POST" in methods:
            assert "GET" not in methods, path
            assert visit.client.get(path, query_string={"text": "/swap v1"}).status_code == 405
    assert visit.cookie
    assert unchanged(visit)


FOREIGN = [
    ("no key", {"json": {"text": "/swap v1"}}, {"X-Console-Key": ""}, 403),
    ("another key", {"json": {"text": "/swap v1"}}, {"X-Console-Key": "x" * 16}, 403),
    ("a key that is no ASCII", {"json": {"text": "/swap v1"}}, {"X-Console-Key": "é"}, 403),
    ("a form", {"data": {"text": "/swap v1"}}, {}, 415),
    ("text", {"data": '{"text": "/swap v1"}', "content_type": "text/plain"}, {}, 415),
    ("another site", {"json": {"text": "/swap v1"}}, {"Sec-Fetch-Site": "cross-site"}, 403),
    ("a neighbour", {"json": {"text": "/swap v1"}}, {"Sec-Fetch-Site": "same-site"}, 403),
    ("no object", {"json": ["/swap v1"]}, {}, 400),
    ("no text", {"json": {"text": 7}}, {}, 400),
    ("broken", {"data": "{", "content_type": "application/json"}, {}, 400),
    ("long", {"json": {"text": "/compare " + "a" * 5000}}, {}, 400),
    ("huge", {"json": {"text": "a" * 20_000}}, {}, 413),
]


def test_only_our_own_page_can_order(visit):
    for label, body, headers, status in FOREIGN:
        sent = {"X-Console-Key": visit.key, **headers}
        answer = visit.client.post("/console/orders", **body, headers=sent)
        assert answer.status_code == status, label
        assert answer.json["sentence"], label
        if status in (403, 415):
            assert visit.client.post("/console/leave", **body, headers=sent).status_code == status
    assert visit.get("state").status_code == 200
    assert unchanged(visit)


def test_words_that_are_no_order_are_none(visit):
    for text, choice in (
        *(("sannu", ""), ("", ""), ("goge", ""), ("/status", "")),
        *(("", "erase:yes"), ("", "swap:x"), ("", "console:yes"), ("/console", "")),
    ):
        said = visit.order(text, choice)
        assert said["sentence"] == visit.clinic.app.texts("console-unknown", "en")
    assert unchanged(visit)


def test_a_stranger_to_an_order_does_not_learn_its_end(visit):
    number = visit.post("orders", {"text": "/swap v1"}).json["order"]
    other = Visit(visit.clinic, client_of(visit.clinic.app)).come_in("3")
    assert other.get(f"orders/{number}").status_code == 404
    flask = visit.client.application.test_client()
    beside = Visit(visit.clinic, flask).come_in("3")
    assert beside.get(f"orders/{number}").status_code == 404
    assert visit.get("orders/nonsuch").status_code == 404


# The gate.


def test_what_has_not_passed_is_refused_in_words(visit):
    for text, choice, words in (
        ("/swap bad", "", "bad failed the gate"),
        ("/swap new", "", "new has not passed the gate"),
        ("", "swap:bad:0:yes", "bad failed the gate"),
        ("", "swap:new:0:yes", "new has not passed the gate"),
        ("/swap v9", "", "no release called v9"),
        ("", "swap:v9:0:yes", "no release called v9"),
    ):
        said = visit.order(text, choice)
        assert words in said["text"]
        assert said["choices"] == []
    assert visit.clinic.live is None


def test_there_is_no_force_on_the_page(visit):
    for text in (
        "/swap bad force",
        "/swap bad --force because",
        "/swap bad reason=x",
        "/force bad",
    ):
        said = visit.order(text)
        assert "gate" in said.get("text", "") or "sentence" in said
    assert visit.clinic.live is None


def test_a_verdict_that_turns_before_the_yes(visit):
    asked = visit.order("/swap v1")
    visit.clinic.registry.judge("v1", BAD, actor="t", now=NOW)
    assert "v1 failed the gate" in visit.order("", asked["choices"][0][0])["text"]
    assert visit.clinic.live is None


def test_a_yes_to_what_somebody_has_changed_meanwhile(visit):
    asked = visit.order("/swap v1")
    visit.clinic.confirm("/swap v2", "3")
    assert "Somebody else has changed" in visit.order("", asked["choices"][0][0])["text"]
    assert visit.clinic.live == "v2"


def test_no_rollback_to_what_failed_since(visit):
    visit.clinic.confirm("/swap v1")
    visit.clinic.confirm("/swap v2")
    visit.clinic.registry.judge("v1", BAD, actor="t", now=NOW)
    asked = visit.order("/rollback")
    said = visit.order("", asked["choices"][0][0]) if asked["choices"] else asked
    assert "gate" in said["text"]
    assert visit.clinic.live == "v2"


def test_two_people_are_two_people(sqlite_url, tmp_path):
    room = open_room(FakeEngine(), sqlite_url, tmp_path, approvals=2)
    set_clock(room.clinic, lambda: room.clinic.now)
    room.come_in("1")
    for _ in range(2):
        asked = room.order("/swap v1")
        assert "1 of 2" in room.order("", asked["choices"][0][0])["text"]
    assert room.clinic.live is None
    room.clinic.send()
    asked = [s for s in room.clinic.telegram.sent if "swap:v1:ask" in str(s.reply.choices)]
    assert [s.address for s in asked] == ["3"], "asked in the chat, once, and not who agreed"
    other = Visit(room.clinic, client_of(room.clinic.app)).come_in("3")
    assert "is live" in other.order("", other.order("/swap v1")["choices"][0][0])["text"]
    room.clinic.app.stop()


def test_a_race_of_verdicts_and_yeses_ends_behind_the_gate(visit):
    """While a verdict goes up and down, no yes may leave a failed release live."""
    registry, stop = visit.clinic.registry, threading.Event()

    def judge() -> None:
        verdicts = itertools.cycle((BAD, GOOD))
        with contextlib.suppress(ReleaseRefused):  # it is live: judged no more
            while not stop.is_set():
                registry.judge("v1", next(verdicts), actor="t", now=NOW)

    judging = threading.Thread(target=judge)
    judging.start()
    said = []
    while visit.clinic.live is None and len(said) < 40:
        said.append(visit.order("", "swap:v1:0:yes")["text"])
    stop.set()
    judging.join()
    assert registry.find("v1").verdict is True or visit.clinic.live is None
    assert all("gate" in text or "is live" in text for text in said)


# What an order does.


def test_swap_asks_then_does_and_is_taken_back(visit):
    asked = visit.order("/swap v1")
    assert "Put v1 live in place of base?" in asked["text"]
    assert [label for _, label in asked["choices"]] == ["Yes", "No"]
    assert visit.clinic.live is None
    assert "v1 is live" in visit.order("", asked["choices"][0][0])["text"]
    assert visit.clinic.live == "v1"
    assert visit.get("state").json["live"] == "v1"
    back = visit.order("/rollback")
    assert "nothing was changed" in visit.order("", back["choices"][1][0])["text"]
    assert visit.clinic.live == "v1"
    assert "base is live" in visit.order("", back["choices"][0][0])["text"]
    actions = [action for action, _ in visit.clinic.audit()]
    assert [a for a in actions if a in ("release.promote", "release.rollback")] == [
        "release.promote",
        "release.rollback",
    ]
    assert actions.count("admin.swap") == 2
    assert len({actor for _, actor in visit.clinic.audit() if actor != "test"}) == 1
    detail = visit.clinic.rows("SELECT detail FROM audit WHERE action = 'admin.swap'")
    assert all("console" in str(row) for row in detail)


def test_settings_of_drawing(visit):
    assert "temperature is 0.7" in visit.order("/set temperature 0.7")["text"]
    assert visit.get("state").json["temperature"] == 0.7
    for text in ("/set temperature 3", "/set max_tokens 10", "/set max_tokens x"):
        assert "/set" in visit.order(text)["text"], "says what there is"
    assert visit.get("state").json["max_tokens"] == 400


def test_one_question_to_all_side_by_side(visit):
    visit.clinic.confirm("/swap v1")
    visit.order("/load v2")
    visit.clinic.app.desk.keeper._engine.answers += ["Amsa ɗaya.", "Amsa biyu.", "Amsa uku."]
    said = visit.order(f"/compare {QUESTION}")
    roles = [(one["role"], one["release"]) for one in said["contenders"]]
    assert roles == [("Base", "base"), ("Live", "v1"), ("Candidate", "v2")]
    assert {one["text"] for one in said["contenders"]} == {"Amsa ɗaya.", "Amsa biyu.", "Amsa uku."}
    assert "admin.compare" in [action for action, _ in visit.clinic.audit()]
    assert "Write the question" in visit.order("/compare")["text"]


def test_a_run_from_the_form_to_its_end(room):
    set_clock(room.clinic, lambda: room.clinic.now)
    visit = room.come_in()
    assert visit.get("state").json["runs"] == []
    begun = visit.order("/train epochs=2 batch=2 lr=0.0001 data=starter evaluate=no")
    assert "has begun" in begun["text"]
    name = visit.get("state").json["runs"][0]["name"]
    visit.clinic.send()
    assert visit.clinic.telegram.sent[-1].reply.text == begun["text"], "their chat knows it too"
    assert "Another training" in visit.order("/train")["text"]
    until(lambda: visit.get(f"runs/{name}").json["step"] > 2)
    run = visit.get(f"runs/{name}").json
    assert (run["phase"], run["said"], run["active"]) == ("training", "learning", True)
    assert run["config"]["lr"] == "0.0001"
    asked = visit.order("/cancel")
    assert visit.get(f"runs/{name}").json["active"], "not without a yes"
    assert "being stopped" in visit.order("", asked["choices"][0][0])["text"]
    until(lambda: visit.get(f"runs/{name}").json["phase"] == "cancelled")
    assert visit.get(f"runs/{name}").json["resumes"]
    assert "goes on" in visit.order("/resume")["text"]
    until(lambda: visit.get(f"runs/{name}").json["phase"] == "done")
    assert visit.get(f"runs/{name}").json["share"] == 1.0
    visit.clinic.send()
    visit.clinic.now += 5
    visit.clinic.app.progress.tick(visit.clinic.now)
    visit.clinic.send()
    assert f"Training of {name} is done" in visit.clinic.telegram.sent[-1].reply.text


def test_a_run_that_takes_the_machine_is_asked_about_and_begun_by_a_button(visit):
    desk = visit.clinic.app.desk
    desk.training = replace(desk.training, disturbs=lambda: True)
    whole = "epochs=0.5 batch=2 accumulation=4 lr=0.0002 rank=32 data=starter,store evaluate=yes"
    asked = visit.order(f"/train {whole}")
    assert "Begin training now?" in asked["text"]
    assert visit.get("state").json["runs"] == [], "not without a yes"
    assert "has begun" in visit.order("", asked["choices"][0][0])["text"]
    assert visit.get("state").json["runs"][0]["active"]


def test_a_wrong_number_begins_nothing_and_is_named(visit):
    for wrong in ("rank=4", "lr=1", "epochs=0", "batch=65", "data=", "fast=1"):
        assert "did not understand" in visit.order(f"/train {wrong}")["text"], wrong
    assert visit.get("state").json["runs"] == []


def test_what_may_not_leave_is_refused_in_words(visit):
    assert "<option>adapter</option>" in visit.client.get("/console?lang=en").text
    assert "no release called v9" in visit.order("/export v9 adapter")["text"].lower()
    assert "has not passed the gate" in visit.order("/export bad merged")["text"]


def test_long_work_blocks_no_request(sqlite_url, tmp_path):
    asked, answer = threading.Event(), threading.Event()

    class Slow(FakeEngine):
        def generate(self, request, on_text=None):
            asked.set()
            assert answer.wait(20)
            return super().generate(request, on_text)

    engine = Slow("Amsa.", "Amsa.")
    room = open_room(engine, sqlite_url, tmp_path).come_in()
    begun = [room.post("orders", {"text": f"/compare {QUESTION}"}) for _ in range(5)]
    assert [one.status_code for one in begun] == [202] * 4 + [429]
    assert int(begun[-1].headers["Retry-After"]) >= 1
    assert asked.wait(20)
    assert room.get("state").status_code == 200
    assert room.get(f"orders/{begun[0].json['order']}").json == {"done": False}
    engine.answers += ["Amsa."] * 20
    answer.set()
    until(lambda: room.get(f"orders/{begun[0].json['order']}").json["done"])
    room.clinic.app.stop()


def test_a_store_that_is_down_is_said(visit, monkeypatch):
    def down(*_all, **_more):
        raise StoreError("down")

    monkeypatch.setattr(type(visit.clinic.registry), "find", down)
    monkeypatch.setattr(type(visit.clinic.registry), "listed", down)
    answer = visit.get("state")
    assert (answer.status_code, answer.json["error"]) == (503, "page-busy")
    assert visit.order("/swap v1")["error"] == "page-busy"


def test_what_is_unforeseen_is_no_trace(visit, monkeypatch, caplog):
    def broken(*_all, **_more):
        raise RuntimeError("secret words")

    monkeypatch.setattr(type(visit.clinic.registry), "find", broken)
    said = visit.order("/swap v1")
    assert said["sentence"] == visit.clinic.app.texts("error-page", "en")
    assert "secret" not in caplog.text


# What is shown.


def test_the_state_says_what_status_says(visit):
    visit.clinic.agree("2")
    visit.clinic.say("yana suma", "2")
    visit.clinic.work()
    state = visit.get("state").json
    assert state["load"]["danger"] == 1
    assert state["load"]["received"] >= 1
    assert state["channels"] == "telegram, whatsapp"
    assert {one["name"]: one["said"] for one in state["releases"]} == {
        "new": "not judged yet",
        "bad": "failed the gate",
        "v2": "passed the gate",
        "v1": "passed the gate",
    }
    assert state["able"] is True


def test_both_languages(visit):
    ha = visit.client.get("/console/state?lang=ha").json
    assert {one["name"]: one["said"] for one in ha["releases"]}[
        "new"
    ] == "ba a yi masa jarabawa ba tukuna"
    page = visit.client.get("/console?lang=ha").text
    assert '<html lang="ha">' in page
    assert "Fara sabon horo" in page
    begun = visit.client.post(
        "/console/orders?lang=ha",
        json={"text": "/swap bad"},
        headers={"X-Console-Key": visit.key},
    )
    until(lambda: visit.get(f"orders/{begun.json['order']}").json["done"])
    assert "ya faɗi jarabawa" in visit.get(f"orders/{begun.json['order']}").json["text"]


def test_nothing_runs_in_the_page_but_our_files(visit):
    page = visit.client.get("/console")
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    assert page.text.count("<script") == page.text.count('<script type="module" src="/static/')
    assert " style=" not in page.text
    assert " on" not in page.text.replace(" on ", "").split("<body", 1)[0]


def shown(visit, name="bad"):
    """The page about a release."""
    return visit.client.get(f"/console/releases/{name}?lang=en").text


MET = Report(False, {"chrf": 3.0}, ("chrf under 20",), {PAGE: b"# bad: failed\n\n> <b>mugu</b>\n"})
DRAWN = replace(MET, files={**MET.files, PICTURE: b"\x89PNG"})


def test_the_report_of_an_examination_made_elsewhere(visit):
    """It lies with the release: nothing was examined on this machine."""
    visit.clinic.registry.judge("bad", DRAWN, actor="t", now=NOW)
    report = shown(visit)
    assert "chrf under 20" in report
    assert "Closeness to vetted answers" in report
    assert "&lt;b&gt;mugu" in report
    assert "/console/releases/bad/picture.png" in report
    picture = visit.client.get("/console/releases/bad/picture.png")
    assert (picture.data, picture.content_type) == (b"\x89PNG", "image/png")
    assert "not been examined" in shown(visit, "new")


def test_a_report_without_a_picture(visit):
    visit.clinic.registry.judge("bad", MET, actor="t", now=NOW)
    assert "&lt;b&gt;mugu" in shown(visit)
    assert "picture.png" not in shown(visit)
    assert visit.client.get("/console/releases/bad/picture.png").status_code == 404


def test_a_report_that_cannot_be_had(visit, tmp_path):
    """The figures are in the store: they are shown all the same."""
    visit.clinic.registry.judge("bad", DRAWN, actor="t", now=NOW)
    shutil.rmtree(tmp_path / "shelf" / "_reports")
    report = shown(visit)
    assert "cannot be had now" in report
    assert "Closeness to vetted answers" in report
    assert "picture.png" not in report
    assert visit.client.get("/console/releases/bad/picture.png").status_code == 404


def test_a_report_from_before_they_were_kept_with_the_release(visit):
    figures = {"metrics": {"chrf": 3.0}}
    releases.judge(visit.clinic.app.store, "bad", False, figures, actor="t", now=NOW)
    assert "lies on the machine" in shown(visit)
    folder = visit.clinic.app.desk.training.jobs.root / "bad" / "evaluation"
    folder.mkdir(parents=True)
    (folder / "report.md").write_text("# bad: failed\n\n> <b>mugu</b>\n")
    assert "&lt;b&gt;mugu" in shown(visit)
    assert "picture.png" not in shown(visit)
    (folder / "report.png").write_bytes(b"\x89PNG")
    assert "/console/releases/bad/picture.png" in shown(visit)
    assert visit.client.get("/console/releases/bad/picture.png").data == b"\x89PNG"


def test_what_does_not_exist_is_not_there(visit):
    for name in ("nonsuch", "..", "%2e%2e", "a%00b", "..%2f..%2fetc", "é"):
        for path in (f"runs/{name}", f"releases/{name}", f"releases/{name}/picture.png"):
            answer = visit.client.get(f"/console/{path}")
            assert answer.status_code in (400, 404), path


# Two processes.


def test_a_process_without_a_model_shows_what_workers_report(sqlite_url, tmp_path):
    worker = open_room(FakeEngine(), sqlite_url, tmp_path)
    web = open_clinic(tiny_mind(LibraryEngine("elsewhere")), sqlite_url, tmp_path / "shelf")
    worker.clinic.app.keeper.tick(time.time())
    visit = Visit(web, client_of(web.app)).come_in()
    state = visit.get("state").json
    assert state["able"] is False
    assert "(fake): base" in state["served"]
    assert "No model is running here" in visit.order(f"/compare {QUESTION}")["text"]
    said = visit.order("", visit.order("/swap v1")["choices"][0][0])
    assert "v1 is live" in said["text"]
    assert "0 of 1 running processes" in said["text"]
    worker.clinic.app.keeper.tick(time.time())
    worker.clinic.app.keeper.join(10)
    worker.clinic.app.keeper.tick(time.time())
    assert "(fake): v1" in visit.get("state").json["served"]
    assert "gate" in visit.order("", "swap:bad:1:yes")["text"]
    web.app.stop()
    worker.clinic.app.stop()


def test_many_at_once_are_served(visit):
    def look(_nth: int) -> int:
        client = visit.client.application.test_client()
        client.set_cookie(COOKIE, visit.cookie, path="/console")
        return client.get("/console/state").status_code

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(look, range(12))) == {200}
