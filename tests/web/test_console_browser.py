"""The console in a real browser, over a whole service whose runs count and whose engine is told."""

import os
import re
import shutil
import threading
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait
from waitress.server import create_server

from inference.engine import FakeEngine
from tests.web.conftest import resize
from tests.web.console_room import open_room, token_in

pytestmark = pytest.mark.browser

#: A run of a hundred steps that learns, grades itself and waits to be stopped.
LEARNER = """
import sys, time
from pathlib import Path
from training.folder import RunFolder
run = RunFolder(Path(sys.argv[1]))
run.data.mkdir()
(run.data / "card.json").write_text('{"train": 412, "held_out": 46, "faulty": 2, '
    '"dropped": {"exact": 12}, "sources": [{"name": "starter", "rows": 440}]}')
run.update(phase="training", steps=100, base_loss=4.8)
for step in range(1, 61):
    run.log({"step": step, "loss": 4.8 - step / 30})
    if step % 20 == 0:
        run.log({"step": step, "held_out_loss": 4.9 - step / 30})
run.update(step=60, loss=2.8, held_out_loss=2.9, eta=600.0)
while not run.asked_to_stop():
    time.sleep(0.05)
run.update(phase="cancelled")
"""


@pytest.fixture(scope="module")
def served(sqlite_template, tmp_path_factory):
    """The service and the address of its pages."""
    folder = tmp_path_factory.mktemp("console")
    shutil.copy(sqlite_template, folder / "lafiya.db")
    (folder / "counter.py").write_text(LEARNER, "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", f"{folder}{os.pathsep}{Path.cwd()}")
        room = open_room(FakeEngine(), f"sqlite:///{folder}/lafiya.db", folder)
        app = room.client.application
        server = create_server(app, host="127.0.0.1", port=0, threads=4)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        yield room, f"http://127.0.0.1:{server.effective_port}"
        server.close()
        thread.join(1)
        server.task_dispatcher.shutdown()
        room.clinic.app.stop()


@pytest.fixture
def page(browser, served):
    """The open console on a phone, in English."""
    room, address = served
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    resize(browser, 360)
    token = token_in(room.clinic.order("/console"))
    browser.get("about:blank")
    browser.get(f"{address}/console?lang=en#{token}")
    until(browser, lambda: browser.find_elements(By.ID, "state"))
    until(browser, lambda: read(browser, "[data-of=live]") not in ("", "…"))
    browser.get_log("browser")
    yield browser
    faults = [line for line in browser.get_log("browser") if "403" not in str(line)]
    browser.get("about:blank")
    assert faults == []


def until(page, met, seconds=20):
    WebDriverWait(page, seconds, poll_frequency=0.05).until(lambda _: met())


def read(page, selector):
    """What is written there; "" where it is not to be seen."""
    script = "const e = document.querySelector(arguments[0]); return e ? e.innerText : ''"
    return page.execute_script(script, selector)


def press(page, selector):
    page.execute_script("document.querySelector(arguments[0]).click()", selector)


def said(page):
    return read(page, "#words")


def fits(page):
    """Nothing sticks out, and a thumb can hit whatever can be pressed."""
    wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.execute_script(wide) == 0
    small = page.execute_script(
        "return [...document.querySelectorAll('button, summary, a, textarea, input, label.tick')]"
        ".filter((e) => e.type !== 'checkbox').map((e) => [e, e.getBoundingClientRect()])"
        ".filter(([, box]) => box.height && box.height < 44)"
        ".map(([e, box]) => `${e.outerHTML.slice(0, 60)} ${box.width} ${box.height}`)"
    )
    assert small == []


def test_a_link_opens_once_and_leaves_no_trace_in_the_address(page, served):
    room, address = served
    assert "#" not in page.current_url
    assert "v1" in read(page, "#list")
    press(page, "#leave")
    until(page, lambda: page.find_elements(By.ID, "entrance"))
    token = token_in(room.clinic.order("/console"))
    room.enter(token)
    page.get(f"{address}/console?lang=ha#{token}")
    until(page, lambda: "Wannan adireshi ya daina aiki" in read(page, "#entrance"))


def test_a_lost_line_on_the_way_in_is_tried_again(page, served):
    room, address = served
    press(page, "#leave")
    until(page, lambda: page.find_elements(By.ID, "entrance"))
    page.execute_cdp_cmd("Network.enable", {})
    page.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*/console/enter*"]})
    page.get("about:blank")
    page.get(f"{address}/console?lang=ha#{token_in(room.clinic.order('/console'))}")
    until(page, lambda: "Ba a samun intanet" in read(page, "#entrance"))
    page.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})
    until(page, lambda: page.find_elements(By.ID, "state"))
    page.get_log("browser")


def test_a_training_is_begun_watched_and_stopped(page):
    page.execute_script("document.getElementById('begin').open = true")
    rank = page.find_element(By.NAME, "rank")
    rank.clear()
    rank.send_keys("4")
    press(page, "#train button")
    assert read(page, "#train .problem") == "LoRA rank: A number from 8 to 128"
    rank.clear()
    rank.send_keys("16")
    press(page, "#train button")
    until(page, lambda: "has begun on: starter" in said(page))
    press(page, "#said form button")
    until(page, lambda: read(page, "[data-run=progress]") == "60 / 100")
    assert read(page, "[data-run=percent]") == "60 %"
    assert read(page, "[data-run=left]") == "10 min"
    lines = page.execute_script(
        "return ['learnt', 'held'].map((name) =>"
        " (document.querySelector(`#curve path.${name}`).getAttribute('d').match(/[ML]/g)).length)"
    )
    assert lines == [60, 4], "the base model's loss is where the held-out line begins"
    assert "rank=16" in page.execute_script(
        "return document.querySelector('[data-run=config]').textContent"
    )
    fits(page)
    press(page, "[data-when=active]")
    until(page, lambda: "Yes" in read(page, "#choices"))
    press(page, "#choices button")
    until(page, lambda: "being stopped" in said(page))
    press(page, "#said form button")
    until(page, lambda: read(page, "[data-run=said]") == "stopped")
    assert page.find_element(By.CSS_SELECTOR, "[data-when=resumes]").is_displayed()


def test_a_swap_asks_and_a_refusal_is_said(page, served):
    room, _ = served
    rows = page.execute_script(
        "return [...document.querySelectorAll('#list li')].map("
        "(row) => [row.querySelector('strong').textContent, Boolean(row.querySelector('.main'))])"
    )
    assert dict(rows) == {"v1": True, "v2": True, "bad": False, "new": False}
    # A page that is older than the verdict.
    page.execute_script(
        "document.querySelector(`[data-order='/evaluate bad']`).dataset.order = '/swap bad'"
    )
    press(page, "[data-order='/swap bad']")
    until(page, lambda: "failed the gate" in said(page))
    press(page, "#said form button")
    press(page, "[data-order='/swap v1']")
    until(page, lambda: "Put v1 live in place of base?" in said(page))
    page.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert room.clinic.live is None
    press(page, "[data-order='/swap v1']")
    until(page, lambda: "Yes" in read(page, "#choices"))
    press(page, "#choices button")
    until(page, lambda: "v1 is live" in said(page))
    until(page, lambda: read(page, "[data-of=live]") == "v1")
    assert room.clinic.live == "v1"


def test_three_answers_side_by_side_and_words_stay_words(page, served):
    room, _ = served
    bad = "<img src=x onerror=alert(1)> Amsa."
    room.clinic.engine = room.clinic.app.desk.keeper._engine
    room.clinic.engine.answers += [bad] * 3
    field = page.find_element(By.NAME, "question")
    field.send_keys("ina da ciwon kunne")
    resize(page, 1280, 900)
    press(page, "#ask-all button")
    until(page, lambda: page.find_elements(By.CSS_SELECTOR, "#answers article"))
    texts = page.execute_script(
        "return [...document.querySelectorAll('#answers p')].map((e) => e.innerText)"
    )
    assert set(texts) == {bad}
    assert page.find_elements(By.CSS_SELECTOR, "#answers img") == []
    tops = page.execute_script(
        "return [...document.querySelectorAll('#answers article')].map((e) => e.offsetTop)"
    )
    assert len(set(tops)) == 1


def test_an_answer_is_put_right_by_keyboard(page, served):
    room, address = served
    clinic, bad = room.clinic, "<img src=x onerror=alert(1)> Amsar samfuri."
    clinic.agree("2")
    clinic.press("training:yes", "2")
    clinic.app.desk.keeper._engine.answers += [bad]
    clinic.say("ina da ciwon kunne", "2")
    page.get(f"{address}/console?lang=ha")
    until(page, lambda: page.find_elements(By.ID, "show-answers"))
    assert page.find_elements(By.CSS_SELECTOR, "#corrections li") == [], "not without being asked"
    row = "#corrections li"
    page.find_element(By.ID, "show-answers").send_keys(Keys.ENTER)
    until(page, lambda: "ina da ciwon kunne" in read(page, row))
    assert bad in read(page, row)
    assert page.find_elements(By.CSS_SELECTOR, f"{row} img") == []
    page.find_element(By.CSS_SELECTOR, f"{row} summary").send_keys(Keys.ENTER)
    field = page.find_element(By.CSS_SELECTOR, f"{row} textarea")
    fits(page)
    field.send_keys(Keys.TAB, Keys.ENTER)
    keep = page.find_element(By.CSS_SELECTOR, f"{row} form button")
    keep.send_keys(Keys.ENTER)
    assert "Kada ta zama iri ɗaya" in read(page, f"{row} .problem"), "ours is no correction"
    field.clear()
    right = "A je asibiti yau."
    field.send_keys(right)
    press(page, "#show-answers")  # whoever looks again loses nothing
    keep.send_keys(Keys.ENTER)
    until(page, lambda: right in said(page))
    assert page.switch_to.active_element.text == "Eh"
    page.switch_to.active_element.send_keys(Keys.ENTER)
    until(page, lambda: "An adana gyaran amsar" in said(page))
    until(page, lambda: not page.find_elements(By.CSS_SELECTOR, row))
    press(page, "#said form button")
    assert "Babu amsar da za a gyara yanzu" in read(page, "#no-answers")
    kept = clinic.rows("SELECT body FROM messages WHERE kind = 'correction'")
    assert kept == [(right,)]


@pytest.mark.parametrize("width", [360, 1280])
def test_both_languages_fit(page, served, width):
    _, address = served
    resize(page, width, 800)
    for lang in ("ha", "en"):
        page.get(f"{address}/console?lang={lang}")
        until(page, lambda: read(page, "[data-of=live]") not in ("", "…"))
        page.execute_script(
            "document.querySelectorAll('details').forEach((e) => { e.open = true; })"
        )
        fits(page)
        text = page.find_element(By.TAG_NAME, "body").text
        assert bool(re.search(r"\b(the|you|your)\b", text)) is (lang == "en"), text
        page.get(f"{address}/console/releases/bad?lang={lang}")
        fits(page)
