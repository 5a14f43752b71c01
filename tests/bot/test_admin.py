"""The admins' orders: what each does, what it refuses, and that nobody else learns of them."""

import pytest

from bot import conversation
from bot.admin_orders import WORDS, Order, knob, recognise
from bot.fakes import FakeGuard, tiny_mind
from core.errors import EngineBusy
from core.messages import Turn
from inference.engine import FakeEngine, Generation
from storage import releases
from tests.bot.clinic import open_clinic
from tests.training.given_releases import BAD, NOW, added

QUESTION = "ina da ciwon kunne"


@pytest.fixture
def make(sqlite_url, tmp_path):
    made = []

    def make_(engine=None, *, url=sqlite_url, mind=None, **settings):
        engine = engine or FakeEngine()
        clinic = open_clinic(mind or tiny_mind(engine), url, tmp_path / "shelf", **settings)
        clinic.engine = engine
        made.append(clinic)
        return clinic

    yield make_
    for clinic in made:
        clinic.app.stop()


@pytest.fixture
def clinic(make, tmp_path):
    """v1 and v2 have passed, bad has failed, new is not judged."""
    clinic = make()
    added(clinic.registry, tmp_path, "v1", "v2")
    added(clinic.registry, tmp_path, "bad", report=BAD)
    added(clinic.registry, tmp_path, "new", report=None)
    clinic.english()
    return clinic


# Whose orders they are.


#: "/cancel" and "/data" are everybody's own words too: to stop, and to have their data.
SECRET = [word for word in WORDS if word not in ("cancel", "data")]


@pytest.mark.parametrize("words", [f"/{word}" for word in SECRET] + [f"/{w} v1" for w in SECRET])
def test_to_others_these_are_words_like_any(words):
    """What somebody gets who is no admin is what they get for a word that nobody knows."""
    for text in (words, words.replace("/", "/ ", 1), words.upper()):
        asked = Turn(text, service=True, training_asked=True)
        unknown = Turn("/zzqx" + text[len(text.split()[0]) :], service=True, training_asked=True)
        mind = tiny_mind(desk=lambda turn, mind: pytest.fail("asked") if turn.is_admin else None)
        got, expected = conversation.answer(asked, mind), conversation.answer(unknown, mind)
        assert got == expected


def test_others_change_nothing_and_see_nothing(clinic):
    clinic.agree("2")
    clinic.engine.answers += ["Amsa."] * 9
    said = [clinic.order(f"/{word} v1", "2") for word in ("swap", "models", "rollback", "load")]
    said += [clinic.order("", "2", press=f"swap:v1:0:{yes}") for yes in ("yes", "no")]
    said += [clinic.order("", "2", press="rollback:0:yes"), clinic.order("/set max_tokens 60", "2")]
    assert clinic.live is None
    assert not any(name in text for text in said for name in ("v1", "gate", "live"))
    assert clinic.rows("SELECT count(*) FROM tuning") == [(0,)]
    assert "admin" not in str(clinic.audit())


def test_help_tells_admins_only(clinic):
    told = clinic.order("/help")
    assert all(f"/{order.value}" in told for order in Order)
    assert all(f"/{order.value}" in clinic.app.texts("admin-help", "ha") for order in Order)
    assert "/swap" not in clinic.order("/help", "2")


RECOGNISED = [
    ("plain", "/models", (Order.MODELS, "")),
    ("with the bot's name", "/swap@LafiyaBot v1", (Order.SWAP, "v1")),
    ("capital", "/Compare Ina lafiya?", (Order.COMPARE, "Ina lafiya?")),
    ("Hausa", "/kwatanta tambaya biyu", (Order.COMPARE, "tambaya biyu")),
    ("a line each", "/compare\nlayi ɗaya\nlayi biyu", (Order.COMPARE, "layi ɗaya\nlayi biyu")),
    ("blanks", "  /set   temperature  0.3 ", (Order.SET, "temperature  0.3")),
    ("without the slash", "models", None),
    ("in a sentence", "use /swap v1", None),
    ("longer word", "/swapping v1", None),
    ("nothing", "", None),
    ("a slash", "/", None),
]


@pytest.mark.parametrize(("label", "text", "found"), RECOGNISED, ids=[r[0] for r in RECOGNISED])
def test_recognised(label, text, found):
    assert recognise(text) == found


# Swapping.


def test_swap_asks_then_does_and_says_how_far_it_is(clinic):
    asked = clinic.order("/swap v1")
    assert "Put v1 live in place of base?" in asked
    assert "chrf 31.5" in asked
    assert clinic.live is None
    said = clinic.order("", press=clinic.buttons[0])
    assert "v1 is live" in said
    assert "1 of 1 running processes" in said
    assert (clinic.live, clinic.engine.live) == ("v1", "v1")
    assert [action for action, _ in clinic.audit()][-2:] == ["release.promote", "admin.swap"]


def test_swap_on_whatsapp_by_number_and_in_hausa(make, tmp_path):
    clinic = make()
    added(clinic.registry, tmp_path, "v1")
    who, channel = "2348000000009", "whatsapp"
    assert "A sa v1 ya fara aiki" in clinic.order("/swap V1", who, channel=channel)
    assert "v1 ne ke aiki yanzu" in clinic.order("1", who, channel=channel)
    assert clinic.live == "v1"
    assert "A cire v1" in clinic.order("/koma", who, channel=channel)
    assert "base ne ke aiki yanzu" in clinic.order("eh", who, channel=channel)
    assert clinic.live is None


def test_no_is_no(clinic):
    for word in ("no", "2", "a'a"):
        clinic.order("/swap v1")
        assert clinic.order(word) == clinic.app.texts("admin-unchanged", "en")
    assert clinic.live is None


# (label, order, words of the refusal)
REFUSED = [
    ("failed", "/swap bad", "bad failed the gate"),
    ("not judged", "/swap new", "new has not passed the gate"),
    ("unknown", "/swap v9", "no release called v9"),
    ("no name", "/swap", "Write the name"),
    ("nothing before", "/rollback", "nothing to go back to"),
    ("unknown to load", "/load v9", "no release called v9"),
    ("no question", "/compare", "Write the question"),
    ("a path", "/swap ../../etc", "no release called ../../etc"),
]


def test_refused_without_a_button(clinic):
    for label, order, words in REFUSED:
        assert words in clinic.order(order), label
        assert clinic.buttons == [], label
    assert clinic.live is None


def test_a_forged_button_does_not_pass_the_gate(clinic):
    """Buttons are only ids: anybody who knows their form can send one."""
    for name in ("bad", "new"):
        assert "gate" in clinic.order("", press=f"swap:{name}:0:yes")
    assert clinic.live is None


def test_a_button_of_before_is_refused(clinic):
    clinic.order("/swap v1")
    old = clinic.buttons[0]
    clinic.confirm("/swap v2", "3")
    assert "Somebody else has changed" in clinic.order("", press=old)
    assert clinic.live == "v2"
    assert "is live" in clinic.confirm("/swap v1"), "and a fresh look is enough"


def test_a_verdict_that_turned_between_asking_and_pressing(clinic):
    clinic.order("/swap v1")
    clinic.registry.judge("v1", BAD, actor="t", now=NOW)
    assert "v1 failed the gate" in clinic.order("", press=clinic.buttons[0])
    assert clinic.live is None


def test_what_the_engine_cannot_serve_does_not_go_live(clinic):
    clinic.engine.unusable.add("v1")
    said = clinic.confirm("/swap v1")
    assert "cannot be used" in said
    assert "told to fail" in said
    assert clinic.live is None


def test_an_engine_that_fails_in_an_unforeseen_way(clinic, caplog):
    def fail(release):
        raise RuntimeError("cuda")

    clinic.engine.load = fail
    assert "unforeseen: RuntimeError" in clinic.confirm("/swap v1")
    assert clinic.live is None
    assert "release.failed" in caplog.messages


def test_damaged_files_do_not_go_live(clinic, tmp_path):
    (tmp_path / "shelf" / "v1" / "adapter_model.safetensors").write_text("x")
    assert "adapter_model.safetensors" in clinic.confirm("/swap v1")
    assert clinic.live is None


def test_two_admins_must_agree(make, tmp_path):
    clinic = make(approvals=2)
    added(clinic.registry, tmp_path, "v1")
    clinic.english("1")
    clinic.english("3")
    assert "1 of 2" in clinic.confirm("/swap v1", "1")
    assert "1 of 2" in clinic.confirm("/swap v1", "1"), "the same person again"
    assert clinic.live is None
    assert "v1 is live" in clinic.confirm("/swap v1", "3")


def test_the_other_admins_are_asked_for_their_yes(make, tmp_path):
    clinic = make(approvals=2)
    added(clinic.registry, tmp_path, "v1")
    clinic.english("3")
    clinic.order("/models", "2348000000009", channel="whatsapp")  # may be written to from now on
    clinic.confirm("/swap v1", "1")
    clinic.confirm("/swap v1", "1")
    sent = [s for s in clinic.telegram.sent + clinic.whatsapp.sent if "1 of 2 have" in s.reply.text]
    sent += [s for s in clinic.whatsapp.sent if "1 cikin 2 sun amince" in s.reply.text]
    assert [s.address for s in sent] == ["3", "+2348000000009"], "once each, not who agreed"
    [ask] = [choice.id for choice in sent[0].reply.choices]
    assert clinic.live is None
    assert "Put v1 live in place of base?" in clinic.order("", "3", press=ask)
    assert "v1 is live" in clinic.order("yes", "3")


def test_rollback_asks_and_goes_back(clinic):
    for name in ("v1", "v2"):
        clinic.confirm(f"/swap {name}")
    assert "Take v2 back and let v1 answer" in clinic.order("/rollback")
    press = clinic.buttons[0]
    assert "v1 is live" in clinic.order("", press=press)
    assert "v1 is live" in clinic.order("", press=press), "the same order again is done already"
    assert (clinic.live, clinic.engine.live) == ("v1", "v1")


def test_another_process_that_cannot_is_named(clinic, make):
    other = make(FakeEngine())
    other.engine.unusable.add("v1")
    other.app.keeper.tick(other.app.desk.clock())
    said = clinic.confirm("/swap v1")
    assert "1 of 2 running processes" in said
    other.app.keeper.tick(other.app.desk.clock())
    other.app.keeper.join(10)
    other.app.keeper.tick(other.app.desk.clock())
    status = clinic.order("/status")
    assert "Live release: v1 (on 1 of 2" in status
    assert "told to fail" in status
    ready = other.app.readiness()
    assert ready["live"] == "v1"
    assert any("told to fail" in reason for reason in ready["reasons"])
    assert {row["release"] for row in ready["instances"]} == {"v1", "base"}
    assert ready["ready"], "the old release goes on answering"


def test_two_services_on_one_database_converge(make, any_url, tmp_path):
    one, two = make(url=any_url), make(url=any_url)
    added(one.registry, tmp_path, "v1", "v2")
    one.english()

    def two_looks():
        two.app.keeper.tick(two.app.desk.clock())
        two.app.keeper.join(10)
        two.app.keeper.tick(two.app.desk.clock())

    two_looks()
    for order, live in (("/swap v1", "v1"), ("/swap v2", "v2"), ("/rollback", "v1")):
        assert "1 of 2 running processes by now" in one.confirm(order)
        two_looks()
        assert f"Live release: {live} (on 2 of 2" in one.order("/status")
        assert (one.engine.live, two.engine.live) == (live, live)
    two.app.stop()
    assert "(on 1 of 1" in one.order("/status")


# Looking and comparing.


def test_models_lists_states_and_figures(clinic):
    clinic.confirm("/swap v1")
    said = clinic.order("/models")
    assert "Live: v1" in said
    for line in ("• v1 — live: chrf 31.5", "• bad — failed the gate: chrf 3", "• new — not judged"):
        assert line in said
    assert "(fake): v1" in said


def test_load_then_compare_three_side_by_side(clinic):
    clinic.confirm("/swap v1")
    assert "new is loaded" in clinic.order("/load new")
    assert clinic.engine.live == "v1", "people are not affected"

    class Tells(FakeEngine):
        def generate(self, request, on_text=None):
            self.requests.append(request)
            return Generation(f"Amsar {request.release}.", request.release)

    clinic.engine.generate = Tells().generate
    said = clinic.order(f"/compare {QUESTION}")
    for line in ("Base model (base):\nAmsar base.", "Live (v1):\nAmsar v1.", "(new):\nAmsar new."):
        assert line in said
    assert "admin.compare" in str(clinic.audit())


def test_compare_shows_what_the_guard_refuses_as_refused(make, tmp_path):
    engine = FakeEngine("mugun abu", "mugun abu")
    clinic = make(engine, mind=tiny_mind(engine, guard=FakeGuard(reason="dose", bad="mugun")))
    added(clinic.registry, tmp_path, "v1")
    clinic.english()
    said = clinic.order(f"/compare {QUESTION}")
    assert said.count("(no answer: guard:dose)") == 2
    assert "mugun" not in said


def test_compare_survives_an_engine_that_is_busy(clinic):
    clinic.engine.answers += [EngineBusy(), EngineBusy()]
    assert clinic.order(f"/compare {QUESTION}").count("no answer: engine_busy") == 2


def test_compare_of_a_danger_sign_is_the_emergency_reply(clinic):
    assert "unconscious" in clinic.order("/compare yarona yana suma")
    assert clinic.engine.requests == []


def test_compare_without_a_model(make):
    clinic = make(mind=tiny_mind())
    clinic.english()
    assert clinic.order(f"/compare {QUESTION}") == clinic.app.texts("admin-no-model", "en")


def test_the_pointer_moves_without_a_model_and_says_so(make, tmp_path):
    clinic = make(mind=tiny_mind())
    added(clinic.registry, tmp_path, "v1")
    clinic.english()
    assert "No process with a model" in clinic.confirm("/swap v1")
    assert clinic.live == "v1"


# Setting.

SET = [
    ("plain", "temperature 0.7", ("temperature", "0.7")),
    ("a comma", "temperature 0,7", ("temperature", "0.7")),
    ("an equals sign", "max_tokens=200", ("max_tokens", "200")),
    ("capital", "Temperature 1", ("temperature", "1")),
    ("least", "max_tokens 50", ("max_tokens", "50")),
    ("most", "temperature 2.0", ("temperature", "2")),
    ("below", "temperature 0.05", None),
    ("above", "max_tokens 501", None),
    ("no number", "temperature hot", None),
    ("not a number", "temperature nan", None),
    ("endless", "temperature inf", None),
    ("half a token", "max_tokens 99.5", None),
    ("unknown", "top_k 3", None),
    ("no value", "temperature", None),
    ("nothing", "", None),
    ("too much", "temperature 0.3 0.4", None),
]


@pytest.mark.parametrize(("label", "words", "stored"), SET, ids=[row[0] for row in SET])
def test_what_set_takes(label, words, stored):
    assert knob(words) == stored


def test_set(clinic):
    assert "Done: temperature is 0.7" in clinic.order("/set temperature 0,7")
    assert clinic.rows("SELECT key, value FROM tuning") == [("temperature", "0.7")]
    said = clinic.order("/set temperature hot")
    assert "0.1 to 2.0" in said
    assert "Now: temperature 0.7, max_tokens 400" in said
    assert clinic.rows("SELECT key, value FROM tuning") == [("temperature", "0.7")]


def test_set_is_used_by_every_process(clinic, make):
    other = make(FakeEngine("Amsa."))
    clinic.order("/set max_tokens 77")
    clinic.engine.answers.append("Amsa.")
    clinic.agree("2")
    clinic.say(QUESTION, "2")
    assert clinic.engine.requests[-1].sampling.max_tokens == 77
    other.app.keeper.tick(other.app.desk.clock())
    other.now = clinic.now
    other.say(QUESTION, "2", external_id="another")
    assert other.engine.requests[-1].sampling.max_tokens == 77


# Two services on one database, swapped while people ask.


def test_every_answer_is_stamped_with_what_wrote_it(clinic):
    clinic.agree("2")
    stamps = []
    for name in ("v1", "v2", None):
        if name:
            clinic.confirm(f"/swap {name}")
        else:
            clinic.confirm("/rollback")
        clinic.engine.answers.append("Amsa.")
        clinic.say(QUESTION, "2")
        [(stamp,)] = clinic.rows(
            "SELECT release FROM messages WHERE source = 'model' ORDER BY id DESC LIMIT 1"
        )
        stamps.append(stamp)
    assert stamps == ["v1", "v2", "v1"]


def test_who_is_named_without_an_address(clinic):
    clinic.order("/models")
    clinic.order("/models", "3")
    actors = [actor for action, actor in clinic.audit() if action == "admin.models"]
    assert len(set(actors)) == 2
    assert all(actor.startswith("telegram:") and len(actor) == 19 for actor in actors)
    assert releases.pointer(clinic.app.store).release is None
