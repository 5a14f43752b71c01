"""The page in a real browser, over the real service with the library."""

import json
from collections.abc import Callable
from urllib.request import Request, urlopen

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from tests.web.conftest import resize

pytestmark = pytest.mark.browser

SAMPLES = 4
ANSWERS, MINE = "#log > .out:not(:first-child) .text", "#log > .in .text"
MALARIA = "Yaya ake hana malaria lokacin damina?"
#: A fetch that counts, and loses the answer of a send when told to.
WATCHED_FETCH = """
const real = window.fetch;
window.asked = 0;
window.lose = false;
window.fetch = async (...all) => {
  window.asked += 1;
  const answer = await real(...all);
  if (window.lose && all[1].method === "POST") throw new TypeError("lost");
  return answer;
};
"""


@pytest.fixture
def page(browser, address):
    """A page that nobody has used yet."""
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    resize(browser, 360)
    everything = {"origin": address.rstrip("/"), "storageTypes": "all"}
    browser.execute_cdp_cmd("Storage.clearDataForOrigin", everything)
    browser.get(address)
    browser.get_log("browser")
    yield browser
    offline(browser, False)
    faults = [
        line for line in browser.get_log("browser") if "INTERNET_DISCONNECTED" not in str(line)
    ]
    assert faults == []


def texts(page, selector: str) -> list[str]:
    """What is written in the elements, read at one moment."""
    script = "return [...document.querySelectorAll(arguments[0])].map((e) => e.innerText)"
    return page.execute_script(script, selector)


def until(page, met: Callable[[], object], seconds: float = 20) -> None:
    WebDriverWait(page, seconds, poll_frequency=0.05).until(
        lambda _: met(), str(texts(page, ".msg"))
    )


def say(page, words: str, answers: int) -> None:
    """Write and send, and wait for this many answers in all."""
    page.find_element(By.ID, "text").send_keys(words + Keys.ENTER)
    until(page, lambda: len(texts(page, ANSWERS)) >= answers)


def press(page, selector: str) -> None:
    page.execute_script("document.querySelector(arguments[0]).click()", selector)


def offline(page, yes: bool) -> None:
    page.execute_cdp_cmd("Network.enable", {})
    speed = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    page.execute_cdp_cmd("Network.emulateNetworkConditions", {"offline": yes, **speed})


def stored(page, address: str) -> list[dict]:
    """The conversation as the server has it."""
    token = page.execute_script("return localStorage.getItem('lafiya.session')")
    request = Request(f"{address}api/messages", headers={"X-Session": token})
    with urlopen(request, timeout=5) as answer:
        return json.load(answer)["messages"]


def test_a_sample_is_answered_from_the_library(page):
    samples = page.find_elements(By.CSS_SELECTOR, "#samples button")
    assert len(samples) == SAMPLES
    assert "ɗakin karatu" in page.find_element(By.ID, "engine").text
    samples[2].click()
    until(page, lambda: texts(page, ANSWERS))
    assert "sauro" in texts(page, ANSWERS)[0]
    assert texts(page, MINE) == [MALARIA]
    assert not page.find_element(By.ID, "samples").is_displayed()
    assert not page.find_element(By.ID, "typing").is_displayed()


def test_a_danger_sign_is_marked_and_announced(page):
    say(page, "matata tana zubar jini sosai bayan haihuwa", 1)
    reply = page.find_element(By.CSS_SELECTOR, ".urgent")
    assert reply.get_attribute("role") == "alert"
    assert "GAGGAWA" in reply.text
    assert "112" in reply.text
    page.refresh()
    until(page, lambda: texts(page, ".urgent"))
    assert page.find_element(By.CSS_SELECTOR, ".urgent").get_attribute("role") is None


def test_a_reload_keeps_the_conversation(page):
    say(page, "Ina da ciwon sukari. Wanne abinci ya dace da ni?", 1)
    before = texts(page, ".msg")
    page.refresh()
    until(page, lambda: texts(page, ANSWERS))
    assert texts(page, ".msg") == before
    assert not page.find_element(By.ID, "samples").is_displayed()


def test_a_choice_is_a_button(page):
    say(page, MALARIA, 1)
    press(page, ".choices button")
    until(page, lambda: len(texts(page, ANSWERS)) == 2)
    assert texts(page, MINE)[1] == "Ƙari"


def test_erased_is_gone_from_the_page_and_the_store(page, address):
    say(page, "Ina da ciwon sukari. Wanne abinci ya dace da ni?", 1)
    press(page, "button[value=goge]")
    until(page, lambda: texts(page, ".choices button") == ["Eh", "A'a"])
    press(page, ".choices button")
    until(page, lambda: any("An goge duk abin" in text for text in texts(page, ANSWERS)))
    until(page, lambda: len(texts(page, ".msg")) == 2)
    assert page.find_element(By.ID, "samples").is_displayed()
    assert "in" not in [message["direction"] for message in stored(page, address)]
    page.refresh()
    page.execute_async_script("setTimeout(arguments[0], 500, null)")
    assert texts(page, MINE) == []


def test_no_erasure_without_a_yes(page):
    say(page, "Ina da ciwon sukari. Wanne abinci ya dace da ni?", 1)
    say(page, "goge", 2)
    say(page, "a'a", 3)
    until(page, lambda: len(texts(page, MINE)) == 3)
    assert "sukari" in texts(page, MINE)[0]


def test_ones_own_data_is_a_link_to_this_server(page, address):
    say(page, "bayanaina", 1)
    link = page.find_element(By.CSS_SELECTOR, f"{ANSWERS} a")
    assert link.get_attribute("href").startswith(f"{address}data/")
    with urlopen(link.get_attribute("href"), timeout=5) as answer:
        assert "bayanaina" in json.dumps(json.load(answer), ensure_ascii=False)


def test_a_lost_line_keeps_the_words_and_tries_again(page, address):
    page.execute_script(WATCHED_FETCH)
    page.execute_script("window.lose = true")
    page.find_element(By.ID, "text").send_keys(MALARIA + Keys.ENTER)
    until(page, lambda: texts(page, "#log > .problem"))
    assert "Ba a aika ba." in texts(page, "#log > .problem")[0]
    assert texts(page, MINE) == [MALARIA]
    page.execute_script("window.lose = false")
    press(page, "#log > .problem button")
    until(page, lambda: texts(page, ANSWERS))
    assert texts(page, MINE) == [MALARIA]
    assert texts(page, "#log > .problem") == []
    assert [message["direction"] for message in stored(page, address)] == ["in", "out"]


def test_back_on_line_it_sends_by_itself(page):
    offline(page, True)
    page.find_element(By.ID, "text").send_keys(MALARIA + Keys.ENTER)
    until(page, lambda: texts(page, "#log > .problem"))
    offline(page, False)
    until(page, lambda: texts(page, ANSWERS))
    assert texts(page, MINE) == [MALARIA]


def test_it_stops_asking_when_there_is_nothing_to_wait_for(page):
    page.execute_script(WATCHED_FETCH)
    say(page, MALARIA, 1)
    asked = page.execute_async_script("setTimeout(arguments[0], 500, null)") or page.execute_script(
        "return window.asked"
    )
    page.execute_async_script("setTimeout(arguments[0], 2500, null)")
    assert page.execute_script("return window.asked") == asked


def test_words_stay_words(page):
    bad = "<img src=x onerror=alert(1)><b>zazzabi</b>"
    say(page, bad, 1)
    assert texts(page, MINE) == [bad]
    assert page.find_elements(By.CSS_SELECTOR, "#log img, #log b") == []


def test_the_language_of_page_and_answers_changes_together(page, address):
    press(page, "#tongue")
    until(page, lambda: page.execute_script("return document.documentElement.lang") == "en")
    until(page, lambda: any("in English" in text for text in texts(page, ANSWERS)))
    assert page.find_element(By.ID, "samples").is_displayed()
    say(page, MALARIA, 2)
    assert "mosquito" in texts(page, ANSWERS)[-1].lower()
    page.get(address)
    until(page, lambda: page.execute_script("return document.documentElement.lang") == "en")


def test_by_keyboard_alone(page):
    page.find_element(By.ID, "text").send_keys("zazzabi" + Keys.SHIFT + Keys.ENTER + Keys.SHIFT)
    assert texts(page, MINE) == []
    summary = page.find_element(By.CSS_SELECTOR, "summary")
    summary.send_keys(Keys.ENTER)
    assert page.find_element(By.CSS_SELECTOR, "button[value=taimako]").is_displayed()
    summary.send_keys(Keys.ESCAPE)
    assert not page.find_element(By.CSS_SELECTOR, "button[value=taimako]").is_displayed()


@pytest.mark.parametrize("width", [320, 360, 1024])
def test_nothing_sticks_out_and_everything_can_be_touched(page, width):
    resize(page, width, 640)
    say(page, "matata tana zubar jini sosai bayan haihuwa", 1)
    say(page, "bayanaina " * 3 + "w" * 200, 2)
    wide = "return [document.documentElement, log].map((e) => e.scrollWidth - e.clientWidth)"
    assert page.execute_script(wide) == [0, 0]
    small = page.execute_script(
        "return [...document.querySelectorAll('button, summary, textarea, .sos a')]"
        ".map((e) => [e.textContent, e.getBoundingClientRect()])"
        ".filter(([, box]) => box.height && (box.height < 44 || box.width < 44))"
        ".map(([text, box]) => `${text} ${box.width} ${box.height}`)"
    )
    assert small == []


def test_without_scripts_the_form_answers(page):
    page.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    page.refresh()
    page.find_element(By.ID, "text").send_keys(MALARIA)
    page.find_element(By.ID, "send").click()
    until(page, lambda: page.find_elements(By.CSS_SELECTOR, ANSWERS))
    assert "sauro" in page.find_element(By.CSS_SELECTOR, ANSWERS).text
    page.find_element(By.CSS_SELECTOR, ".choices button").click()
    until(page, lambda: len(page.find_elements(By.CSS_SELECTOR, ANSWERS)) == 2)


def test_a_script_that_comes_late_takes_the_conversation_over(page):
    page.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    page.refresh()
    page.find_element(By.ID, "text").send_keys(MALARIA)
    page.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    page.find_element(By.ID, "send").click()
    until(page, lambda: len(texts(page, ANSWERS)) == 1)
    say(page, "Ina da ciwon sukari. Wanne abinci ya dace da ni?", 2)
    assert len(texts(page, MINE)) == 2


# An answer that is still being written, over the fake service.

ONE, TWO = "A kwana a gidan sauro kowane dare.", "A rufe ruwan da ya tsaya a kusa da gida."
REPLY, BEGUN = "#log > .out:not(:first-child)", "#log > .growing"
#: Notes every piece of text that comes into the log, and how far down the reply begins.
WATCH = """
window.added = [];
new MutationObserver((all) => all.forEach((one) => one.addedNodes.forEach(
  (node) => { if (node.nodeType === 3) window.added.push(node.data); }
))).observe(document.getElementById("log"), { childList: true, subtree: true });
"""


@pytest.fixture
def asked(browser, served):
    """A page whose question is being answered: (browser, service, who asks)."""
    service, address = served
    resize(browser, 360)
    browser.get(address)
    browser.execute_script("localStorage.clear()")
    browser.get(address)
    browser.execute_script(WATCH)
    before = len(service.accepted)
    browser.find_element(By.ID, "text").send_keys("Yaya ake hana malaria?" + Keys.ENTER)
    until(browser, lambda: len(service.accepted) > before)
    yield browser, service, service.accepted[-1].sender
    browser.get("about:blank")


def top(page, selector):
    script = "const e = document.querySelector(arguments[0]); return e.offsetTop"
    return page.execute_script(script, selector)


def dots(page):
    return page.find_element(By.ID, "typing").is_displayed()


def test_an_answer_grows_and_becomes_the_reply_where_it_stands(asked):
    page, service, who = asked
    until(page, lambda: dots(page))
    service.growing[who] = ONE
    until(page, lambda: texts(page, f"{BEGUN} .text") == [ONE])
    assert not dots(page)
    place, node = top(page, BEGUN), page.find_element(By.CSS_SELECTOR, BEGUN)
    service.growing[who] = f"{ONE} {TWO}"
    until(page, lambda: texts(page, f"{BEGUN} .text") == [f"{ONE} {TWO}"])
    service.answer(who, f"{ONE} {TWO}\n\nKu je asibiti.")
    until(page, lambda: "asibiti" in texts(page, f"{REPLY} .text")[0])
    assert page.find_element(By.CSS_SELECTOR, REPLY) == node
    assert top(page, REPLY) == place
    assert (texts(page, BEGUN), dots(page)) == ([], False)
    added = [piece for piece in page.execute_script("return window.added") if ONE[:9] in piece]
    assert added == [ONE], "each sentence is read out once"
    assert page.find_element(By.ID, "log").get_attribute("aria-live") == "polite"


OTHER = [
    ("another text", {"source": "fallback"}, "Ba mu da tabbatacciyar amsa."),
    ("an emergency", {"danger_sign": "bleeding", "source": "danger_sign"}, "Ku je asibiti yanzu."),
]


@pytest.mark.parametrize(("label", "more", "text"), OTHER, ids=[case[0] for case in OTHER])
def test_another_reply_takes_the_place_of_what_was_seen(asked, label, more, text):
    page, service, who = asked
    service.growing[who] = ONE
    until(page, lambda: texts(page, BEGUN))
    service.answer(who, text, **more)
    until(page, lambda: texts(page, f"{REPLY} .text") == [text])
    assert ONE not in page.find_element(By.ID, "log").text
    assert bool(texts(page, ".urgent")) is ("danger_sign" in more)


def test_a_draft_that_is_taken_back_leaves_the_page_waiting(asked):
    page, service, who = asked
    service.growing[who] = ONE
    until(page, lambda: texts(page, BEGUN))
    del service.growing[who]
    until(page, lambda: not texts(page, BEGUN))
    until(page, lambda: dots(page))
    service.answer(who, TWO)
    until(page, lambda: texts(page, f"{REPLY} .text") == [TWO])


def test_a_long_answer_is_followed_to_its_first_line_and_nobody_is_dragged_along(asked):
    page, service, who = asked
    for count in (1, 8, 16, 24):
        service.growing[who] = " ".join([TWO] * count)
        until(page, lambda: texts(page, f"{BEGUN} .text") == [service.growing[who]])
    script = "const l = document.getElementById('log'); return [l.scrollTop, l.offsetTop]"
    scrolled, offset = page.execute_script(script)
    assert scrolled == pytest.approx(top(page, BEGUN) - offset - 8, abs=2)
    page.execute_script("document.getElementById('log').scrollTop = 0")
    until(page, lambda: page.execute_script(script)[0] == 0)
    service.growing[who] = " ".join([TWO] * 30)
    until(page, lambda: texts(page, f"{BEGUN} .text") == [service.growing[who]])
    service.answer(who, service.growing[who])
    until(page, lambda: not texts(page, BEGUN))
    assert page.execute_script(script)[0] == 0
