"""Who gets into the console: by a link from their own chat, once, while they are an admin."""

import re
from dataclasses import replace

import pytest
from click.testing import CliRunner

from bot.access import LINK, SESSION, Access
from bot.fakes import tiny_mind
from cli.main import cli
from cli.serve import web_app
from inference.engine import FakeEngine
from tests.bot.clinic import open_clinic
from tests.cli.test_command_line import _quiet  # noqa: F401  (puts the logs back)
from tests.web.console_room import Clock, Visit, client_of, set_clock, token_in
from web.console import COOKIE

CLOSED = "Write /console to the bot again"


@pytest.fixture
def clinic(sqlite_url, tmp_path):
    clinic = open_clinic(tiny_mind(FakeEngine()), sqlite_url, tmp_path / "shelf")
    clinic.english()
    yield clinic
    clinic.app.stop()


@pytest.fixture
def clock(clinic):
    clock = Clock()
    set_clock(clinic, clock)
    return clock


@pytest.fixture
def visit(clinic):
    return Visit(clinic, client_of(clinic.app))


@pytest.mark.parametrize("word", ["/console", "/allo", "/Console@LafiyaBot"])
def test_an_admins_order_is_answered_with_a_link_that_opens(visit, word):
    said = visit.clinic.order(word)
    assert "within 10 minutes" in said
    assert visit.enter(token_in(said)).status_code == 200
    assert 'id="state"' in visit.client.get("/console").text
    assert [action for action, _ in visit.clinic.audit()] == ["admin.console", "console.enter"]
    assert len({actor for _, actor in visit.clinic.audit()}) == 1


def test_on_whatsapp_in_hausa(visit):
    said = visit.clinic.order("/allo", "2348000000009", channel="whatsapp")
    assert "Ga adireshin allon kulawa" in said
    assert visit.enter(token_in(said)).status_code == 200


def test_nobody_else_is_given_a_link(visit):
    visit.clinic.agree("2")
    said = [visit.clinic.order(word, "2") for word in ("/console", "/allo")]
    assert not any("console?" in text for text in said)


def test_without_a_session_the_page_says_how_to_get_in_and_nothing_else(visit):
    for lang, words in (("en", "write /console to the bot"), ("ha", "ku rubuta /console")):
        page = visit.client.get(f"/console?lang={lang}")
        assert page.status_code == 403
        assert words in page.text
        assert not re.search(r"release|train|horo|nau.i|data-key", page.text)
        assert page.headers["Cache-Control"] == "no-store"
        assert "Set-Cookie" not in page.headers


def test_a_link_opens_once(visit):
    token = token_in(visit.clinic.order("/console"))
    assert visit.enter(token).status_code == 200
    other = Visit(visit.clinic, client_of(visit.clinic.app))
    again = other.enter(token)
    assert (again.status_code, other.cookie) == (403, None)
    assert CLOSED in again.json["sentence"]


def test_a_link_dies_of_age(visit, clock):
    token = token_in(visit.clinic.order("/console"))
    clock.now += LINK
    assert visit.enter(token).status_code == 403
    fresh = token_in(visit.clinic.order("/console"))
    clock.now += LINK - 1
    assert visit.enter(fresh).status_code == 200


def test_a_session_dies_of_age(visit, clock):
    visit.come_in()
    clock.now += SESSION - 1
    assert visit.get("state").status_code == 200
    clock.now += 1
    assert visit.get("state").status_code == 403
    assert visit.client.get("/console").status_code == 403


def test_who_is_no_admin_any_more_is_out_at_once(visit):
    token = token_in(visit.clinic.order("/console"))
    visit.come_in()
    app = visit.clinic.app
    app.console = replace(app.console, access=Access(app.store, "http://x", ["telegram:another"]))
    assert visit.client.get("/console").status_code == 403
    assert visit.get("state").status_code == 403
    assert visit.post("orders", {"text": "/rollback"}).status_code == 403
    assert visit.enter(token).status_code == 403


FORGED = ["", "x", "a.b", "WyJhIiwiYiIsMy4wXQ.ddf0iQM8tCmgVFvdAZm2KctHaZk", "é" * 300, "." * 500]


@pytest.mark.parametrize("forged", FORGED)
def test_a_forged_link_or_session_opens_nothing(visit, forged):
    assert visit.enter(forged).status_code == 403
    visit.client.set_cookie(COOKIE, forged, path="/console")
    assert visit.client.get("/console").status_code == 403
    assert visit.get("state").status_code == 403


def test_a_link_is_no_session_and_a_session_no_link(visit):
    token = token_in(visit.clinic.order("/console"))
    visit.client.set_cookie(COOKIE, token, path="/console")
    assert visit.get("state").status_code == 403
    visit.come_in()
    assert visit.enter(visit.cookie).status_code == 403


def test_anothers_session_with_ones_own_name_in_it_is_forged(visit):
    """What is signed cannot be put together anew from two sessions."""
    visit.come_in("1")
    mine = visit.cookie
    other = Visit(visit.clinic, client_of(visit.clinic.app)).come_in("3")
    payload, signature = mine.rpartition(".")[0], other.cookie.rpartition(".")[2]
    visit.client.set_cookie(COOKIE, f"{payload}.{signature}", path="/console")
    assert visit.get("state").status_code == 403


def test_anothers_key_changes_nothing(visit):
    visit.come_in("1")
    visit.key = Visit(visit.clinic, client_of(visit.clinic.app)).come_in("3").key
    assert visit.post("orders", {"text": "/rollback"}).status_code == 403


def test_a_link_of_another_service_opens_nothing(visit, monkeypatch):
    access = Access(visit.clinic.app.store, "http://x", ["telegram:x"])
    access.__dict__["_secret"] = "another secret"
    token = token_in(access.link("operator:root", "en", now=visit.clinic.app.console.clock()))
    assert visit.enter(token).status_code == 403


def test_the_operators_link(visit, sqlite_url):
    said = CliRunner().invoke(cli, ["console", "--lang", "en"], env={"DATABASE_URL": sqlite_url})
    assert said.exit_code == 0, said.output
    assert said.stdout.startswith("http://127.0.0.1:8080/console?lang=en#")
    assert visit.enter(token_in(said.stdout)).status_code == 200
    assert visit.clinic.audit()[-1][1].startswith("operator:")


def test_a_session_does_not_beget_another(visit):
    visit.come_in()
    assert "sentence" in visit.order("/console")
    assert "sentence" in visit.order("/allo")


def test_who_tries_many_links_has_to_wait(visit):
    """Over the app that `lafiya serve` runs, as it runs it."""
    guesser = Visit(visit.clinic, web_app(visit.clinic.app).test_client())
    answers = [guesser.enter(f"guess{number}") for number in range(12)]
    assert [answer.status_code for answer in answers] == [403] * 10 + [429] * 2
    assert int(answers[-1].headers["Retry-After"]) >= 1
    assert guesser.client.get("/console").status_code == 403


def test_the_cookie_is_for_the_console_alone(visit):
    answer = visit.enter(token_in(visit.clinic.order("/console")))
    cookie = answer.headers["Set-Cookie"]
    for part in ("HttpOnly", "SameSite=Strict", "Path=/console", f"Max-Age={int(SESSION)}"):
        assert part in cookie
    assert "Secure" not in cookie
    assert "Set-Cookie" not in visit.client.get("/").headers


def test_by_https_the_cookie_is_sent_by_https_alone(sqlite_url, tmp_path):
    public = "https://lafiya.example"
    clinic = open_clinic(tiny_mind(FakeEngine()), sqlite_url, tmp_path / "s", public_url=public)
    said = clinic.order("/console")
    assert f"{public}/console?lang=ha#" in said
    visit = Visit(clinic, client_of(clinic.app))
    assert "Secure" in visit.enter(token_in(said)).headers["Set-Cookie"]
    clinic.app.stop()


def test_who_leaves_is_out(visit):
    visit.come_in()
    assert visit.post("leave", {}).status_code == 200
    assert visit.cookie is None
    assert visit.client.get("/console").status_code == 403


def test_what_opens_the_console_is_logged_nowhere(visit, caplog):
    token = token_in(visit.clinic.order("/console"))
    visit.enter(token)
    visit.enter(token)
    assert token not in caplog.text
    assert visit.cookie not in caplog.text
