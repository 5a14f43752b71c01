"""The pages' routes over HTTP, with the fake service behind them."""

import re
from itertools import count

import pytest

from core.errors import StoreError
from storage.threads import Shown as StoredShown
from web.fakes import FakeShown
from web.flood import Flood
from web.pages import pages
from web.views import NUMBERS, engine_key
from webhooks.factory import create_app
from webhooks.fakes import FakeService as FakeMachines

SESSION, ID = "s" * 32, "i" * 32
HEADERS = {"X-Session": SESSION}


def send(client, text="Yaya ake hana malaria?", **more):
    body = {"id": ID, "text": text, **more}
    return client.post("/api/messages", json=body, headers=HEADERS)


def test_the_page_is_whole_without_a_script(client, service):
    page = client.get("/").text
    assert '<html lang="ha">' in page
    for key in ("sample-1", "sample-2", "sample-3", "sample-4", "page-notice"):
        assert service.texts(key).replace("'", "&#39;") in page
    assert "Injin amsa: ɗakin karatu na lafiya" in page
    assert 'href="tel:112"' in page
    assert 'action="/ask#end"' in page


def test_the_page_in_english(client):
    page = client.get("/?lang=en").text
    assert '<html lang="en">' in page
    assert 'href="/?lang=ha"' in page
    assert "Ina da ciwon sukari" in page


@pytest.mark.parametrize("lang", ["fr", "", "../en", "HA"])
def test_an_unknown_language_is_hausa(client, lang):
    assert '<html lang="ha">' in client.get("/", query_string={"lang": lang}).text


def test_every_page_has_a_session_of_its_own(client):
    found = {
        token
        for _ in range(3)
        for token in re.findall(r'name="session" value="([\w-]{32})"', client.get("/").text)
    }
    assert len(found) == 3


def test_nothing_is_written_into_the_page_but_files(client):
    page = client.get("/").text
    assert not re.search(r"<script(?! type=\"module\" src=)|<style|\sstyle=|\son\w+=", page)


def test_headers(client):
    headers = client.get("/").headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in headers


def test_a_message_and_its_answer(client, service):
    service.reply = "Ku kwana cikin gidan sauro."
    assert send(client).status_code == 202
    found = client.get("/api/messages?after=0", headers=HEADERS)
    assert found.headers["Cache-Control"] == "no-store"
    assert found.json["waiting"] is False
    assert [m["direction"] for m in found.json["messages"]] == ["in", "out"]
    assert found.json["messages"][1]["text"] == "Ku kwana cikin gidan sauro."
    last = found.json["messages"][-1]["id"]
    assert client.get(f"/api/messages?after={last}", headers=HEADERS).json["messages"] == []


def test_the_same_id_again_is_one_message(client, service):
    assert [send(client).status_code for _ in range(3)] == [202, 202, 202]
    assert len(service.accepted) == 1


def test_waiting_is_said(client):
    send(client)
    assert client.get("/api/messages", headers=HEADERS).json["waiting"] is True


def test_an_emergency_reply_is_marked_and_a_message_is_not(client, service):
    person = send(client) and service.accepted[0].sender
    service.shown[person] += [
        FakeShown(7, "in", "x", danger_sign="convulsion"),
        FakeShown(8, "out", "Asibiti yanzu", source="danger_sign", danger_sign="convulsion"),
    ]
    found = client.get("/api/messages", headers=HEADERS).json["messages"]
    assert [message["urgent"] for message in found] == [False, False, True]


def test_another_session_reads_nothing(client, service):
    service.reply = "Amsa"
    send(client)
    found = client.get("/api/messages", headers={"X-Session": "t" * 32})
    assert found.json == {"messages": [], "waiting": False, "draft": None}


def test_what_is_stored_about_a_session_does_not_open_it(client, service):
    send(client)
    found = client.get("/api/messages", headers={"X-Session": service.accepted[0].sender})
    assert found.json["messages"] == []


@pytest.mark.parametrize(
    ("label", "call", "status", "key"),
    [
        ("no session", {"json": {"id": ID, "text": "x"}}, 400, "page-unreadable"),
        ("blank", {"json": {"id": ID, "text": " "}, "headers": HEADERS}, 400, "empty"),
        ("long", {"json": {"id": ID, "text": "a" * 5000}, "headers": HEADERS}, 413, "too-long"),
        (
            "huge",
            {"json": {"id": ID, "text": "a" * 70_000}, "headers": HEADERS},
            413,
            "too-long",
        ),
        ("a form", {"data": {"text": "x"}, "headers": HEADERS}, 415, "page-unreadable"),
        (
            "no JSON",
            {"data": "{", "content_type": "application/json", "headers": HEADERS},
            400,
            "page-unreadable",
        ),
        (
            "deep JSON",
            {"data": "[" * 60_000, "content_type": "application/json", "headers": HEADERS},
            400,
            "page-unreadable",
        ),
        (
            "half a letter",
            {"data": b'{"id": "\xff"}', "content_type": "application/json", "headers": HEADERS},
            400,
            "page-unreadable",
        ),
    ],
)
def test_refused_in_hausa(client, service, label, call, status, key):
    answer = client.post("/api/messages", **call)
    assert (answer.status_code, answer.json["error"]) == (status, key)
    assert answer.json["sentence"].startswith(("Ba a iya", "Saƙonku"))
    assert service.accepted == []


def test_half_a_letter_is_no_error(client, service):
    data = b'{"id": "%s", "text": "ciwo \\ud83d"}' % ID.encode()
    answer = client.post(
        "/api/messages", data=data, content_type="application/json", headers=HEADERS
    )
    assert answer.status_code == 202
    assert service.accepted[0].text == "ciwo \ufffd"


def test_refused_in_english_for_who_chose_it(client):
    assert client.post("/api/messages?lang=en").json["sentence"].startswith("The message could")


def test_the_store_is_down(client, service):
    service.fault = StoreError()
    answer = send(client)
    assert (answer.status_code, answer.json["error"]) == (503, "page-busy")
    assert answer.headers["Retry-After"]
    assert client.get("/api/messages", headers=HEADERS).status_code == 503
    assert client.get("/").status_code == 200


def test_an_unforeseen_error_shows_nothing_of_itself(client, service, caplog):
    service.fault = RuntimeError("kalma ta sirri")
    answer = send(client)
    assert (answer.status_code, answer.json["error"]) == (500, "error-page")
    assert "sirri" not in answer.text + caplog.text
    assert "page.crash" in caplog.text


def test_a_flood_is_stopped_politely(service):
    app = create_app(FakeMachines())
    app.register_blueprint(pages(service, flood=Flood(burst=2), clock=lambda: 5.0))
    answers = [send(app.test_client(), id=f"{n:032}") for n in range(3)]
    assert [answer.status_code for answer in answers] == [202, 202, 429]
    assert int(answers[2].headers["Retry-After"]) >= 1
    assert answers[2].json["sentence"] == service.texts("page-too-many")
    assert len(service.accepted) == 2


def test_no_line_of_the_log_holds_what_came(client, caplog):
    caplog.set_level("DEBUG")
    send(client, text="kalma ta sirri")
    send(client, text="", choice="kalma ta sirri")
    client.get("/data/alamar-sirri")
    client.post("/ask", data={"session": "sirri", "text": "sirri"})
    logged = " ".join(f"{record.msg} {record.__dict__.get('fields')}" for record in caplog.records)
    assert "sirri" not in logged
    assert SESSION not in logged


@pytest.mark.parametrize(
    ("engine", "reasons", "words"),
    [
        ("library", [], "ɗakin karatu na lafiya"),
        ("openai", [], "tare da samfurin na'ura"),
        ("transformers", ["engine: loading"], "ba ya aiki yanzu"),
        ("echo", [], "gwaji"),
    ],
)
def test_the_engine_is_said(client, service, engine, reasons, words):
    service.engine, service.reasons = engine, reasons
    state = client.get("/api/state").json
    assert state["engine"] == engine
    assert state["label"].startswith("Injin amsa: ")
    assert words in state["label"]
    assert words.replace("'", "&#39;") in client.get("/").text


def test_unsigned_content_is_called_a_draft(client, service):
    assert "daftari" not in client.get("/api/state").json["label"]
    service.drafts = 98
    assert "daftari" in client.get("/api/state").json["label"]
    assert "daftari" in client.get("/").text


def test_an_engine_we_do_not_know_yet_has_words():
    assert engine_key({"engine": "something new"}) == "page-engine-model"
    assert engine_key({}) == "page-engine-model"


def test_ones_own_data(client, service):
    service.files["abc.def-_"] = '{"saƙonni": []}'
    answer = client.get("/data/abc.def-_")
    assert answer.content_type == "application/json"
    assert answer.headers["Content-Disposition"] == "attachment; filename=lafiya.json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json == {"saƙonni": []}


def test_a_dead_link_is_said_in_hausa(client, service):
    answer = client.get("/data/dead")
    assert answer.status_code == 410
    assert service.texts("link-expired") in answer.text


def test_a_page_that_is_not_there(client):
    person = client.get("/babu", headers={"Accept": "text/html,*/*"})
    assert person.status_code == 404
    assert "Babu wannan shafi." in person.text
    assert "default-src" in person.headers["Content-Security-Policy"]
    machine = client.get("/babu", headers={"Accept": "application/json"})
    assert (machine.status_code, machine.json) == (404, {"error": "not found"})


def test_the_form_answers_in_the_page(client, service):
    service.reply = "Ku kwana cikin gidan sauro."
    form = {"session": SESSION, "id": ID, "text": "Yaya ake hana malaria?", "lang": "ha"}
    page = client.post("/ask", data=form).text
    assert "Ku kwana cikin gidan sauro." in page
    assert f'value="{SESSION}"' in page
    assert f'value="{ID}"' not in page
    assert '<section id="samples" hidden>' in page
    assert "Duba amsa" not in page


def test_the_form_again_with_the_same_id_is_one_message(client, service):
    service.reply = "Amsa"
    form = {"session": SESSION, "id": ID, "text": "Yaya ake hana malaria?"}
    client.post("/ask", data=form)
    client.post("/ask", data=form)
    assert len(service.accepted) == 1


def test_the_form_does_not_wait_for_ever(service):
    now = iter(range(0, 1000, 2))
    app = create_app(FakeMachines())
    blueprint = pages(service, clock=lambda: next(now), sleep=lambda seconds: None)
    app.register_blueprint(blueprint)
    page = app.test_client().post("/ask", data={"session": SESSION, "id": ID, "text": "x"}).text
    assert "Duba amsa" in page


def test_the_form_keeps_what_could_not_be_sent(client, service):
    service.fault = StoreError()
    form = {"session": SESSION, "id": ID, "text": "Ina da tari"}
    answer = client.post("/ask", data=form)
    assert answer.status_code == 503
    assert "Ina da tari</textarea>" in answer.text
    assert f'value="{ID}"' in answer.text
    assert service.texts("page-busy") in answer.text


def test_the_form_writes_words_as_words(client, service):
    service.reply = "<b>x</b> https://example.org/data/abc.d_-f"
    page = client.post("/ask", data={"session": SESSION, "id": ID, "text": "<script>1"}).text
    assert "<script>1" not in page
    assert "&lt;b&gt;x" in page
    assert '<a href="/data/abc.d_-f">' in page
    assert "example.org" not in page


def test_the_form_opened_as_a_page_leads_to_the_page(client):
    assert client.get("/ask").headers["Location"] == "/"


def test_files_are_kept_for_a_year_by_their_version(client):
    page = client.get("/").text
    script = re.search(r'src="(/static/page\.js\?v=\w+)"', page)
    assert script
    with client.get(script[1], headers={"Accept-Encoding": "gzip"}) as answer:
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["Content-Encoding"] == "gzip"
    with client.get("/static/page.js") as answer:
        assert answer.headers["Cache-Control"] == "no-store"
    assert client.get("/static/../pages.py").status_code == 404


def test_the_page_is_light(client):
    names = ("/", "/static/page.css", "/static/page.js", "/static/icon.svg")
    weight = 0
    for name in names:
        with client.get(name) as answer:
            weight += len(answer.data)
    assert weight < 25_000


def test_the_numbers_are_those_that_replies_show():
    from knowledge.referral import Referral

    said = Referral.load().fill("{emergency}")
    numbers = re.findall(r"\d+", said)
    assert numbers == [number for number, _ in NUMBERS]


@pytest.mark.parametrize("language", ["ha", "en"])
def test_the_numbers_stand_in_their_labels(service, language):
    both = service.texts("page-emergency-both", language)
    for number, key in NUMBERS:
        assert service.texts(key, language).startswith(number)
        assert number in both


def test_the_fake_shows_what_the_store_shows():
    assert set(FakeShown.__dataclass_fields__) == set(StoredShown.__dataclass_fields__)


def test_a_draft_is_told_while_its_reply_is_awaited(client, service):
    def told():
        return client.get("/api/messages?after=0", headers=HEADERS).json

    assert told()["draft"] is None
    send(client)
    who = service.accepted[0].sender
    assert told()["draft"] is None
    service.growing[who] = "A kwana a gidan sauro."
    assert (told()["draft"], told()["waiting"]) == ("A kwana a gidan sauro.", True)
    service.answer(who, "A kwana a gidan sauro. A rufe ruwa.")
    assert (told()["draft"], told()["waiting"]) == (None, False)


def test_a_draft_that_a_reply_has_overtaken_is_left_out(client, service):
    """The reply is committed after `waiting` and the draft were read."""
    send(client)
    who = service.accepted[0].sender
    service.growing[who] = "A kwana"
    service.answer(who, "A kwana a gidan sauro.")
    service.owed.add(who)
    found = client.get("/api/messages?after=0", headers=HEADERS).json
    assert [message["text"] for message in found["messages"]][-1] == "A kwana a gidan sauro."
    assert found["draft"] is None


def test_a_page_without_scripts_shows_whole_replies_only(service):
    app = create_app(FakeMachines())
    app.register_blueprint(pages(service, clock=count().__next__))
    client = app.test_client()
    fields = {"session": SESSION, "id": ID, "text": "Yaya ake hana malaria?", "lang": "ha"}
    client.post("/ask", data=fields)
    service.growing[service.accepted[0].sender] = "A kwana a gidan"
    page = client.post("/ask", data={**fields, "look": "1"}).text
    assert "A kwana a gidan" not in page
    assert service.texts("page-check") in page
