"""What each fault of Twilio means for a reply, buttons, and signatures."""

import socket
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from bot.channels.twilio import CONTENT_BASE, RETRY_ENDING, TwilioChannel
from bot.channels.twilio_account import Account
from bot.channels.twilio_codes import CODES, Meaning, send_error
from core.errors import Forged, SendDoubtful, SendError, SendLater, SendRefused
from core.messages import Choice, Document, Reply
from tests.payloads import form, signature
from tests.providers import Providers
from tests.waiting import until

SID, TOKEN, TO = "AC" + "0" * 32, "twilio-token", "+2348000000001"
PUBLIC = "https://lafiya.example"
YES_NO = (Choice("yes", "Na yarda"), Choice("no", "A'a"))


@pytest.fixture
def providers():
    with Providers() as found:
        yield found


def _channel(base, **more):
    return TwilioChannel(SID, TOKEN, "+14155238886", api_base=base, **{"timeout": 5.0, **more})


@pytest.fixture
def channel(providers):
    found = _channel(providers.base)
    yield found
    found.stop()


@pytest.fixture
def hasty(providers):
    """Waits a moment only: for the hangs."""
    found = _channel(providers.base, timeout=0.3)
    yield found
    found.stop()


FAULTS = [
    ("flood", "429", SendLater, "20429"),
    ("the sender's rate", "429:63018", SendLater, "63018"),
    ("server error", "500", SendLater, "20500"),
    ("unavailable", "503", SendLater, "20500"),
    ("gateway gave up waiting: may be sent", "504", SendDoubtful, "20500"),
    ("outside the window", "400:63016", SendRefused, "63016"),
    ("opted out", "400:21610", SendRefused, "21610"),
    ("not a number", "400:21211", SendRefused, "21211"),
    ("no WhatsApp user", "400:63003", SendRefused, "63003"),
    ("unknown refusal", "400:21999", SendRefused, "21999"),
    ("wrong token", "401:20003", SendLater, "20003"),
    ("no such account", "404:20404", SendLater, "20404"),
    ("From is not ours yet", "400:63007", SendLater, "63007"),
    ("a proxy's 403", "html403", SendLater, "403"),
    ("hang", "hang", SendDoubtful, "ReadTimeout"),
    ("reset in mid-answer", "reset", SendDoubtful, "ConnectionError"),
    ("closed in mid-answer", "closed", SendDoubtful, "ConnectionError"),
    ("cut off in the body", "partial", SendDoubtful, "ChunkedEncodingError"),
    ("unreadable", "garbage", SendDoubtful, "JSONDecodeError"),
]


@pytest.mark.parametrize(("label", "fault", "kind", "code"), FAULTS, ids=[f[0] for f in FAULTS])
def test_a_fault_is_named(providers, channel, hasty, label, fault, kind, code):
    providers.plan.script.append(fault)
    with pytest.raises(SendError) as caught:
        (hasty if fault == "hang" else channel).send(TO, Reply("Sannu"))
    assert (type(caught.value), caught.value.code) == (kind, code)
    assert caught.value.__cause__ is None
    assert TO not in str(caught.value)
    channel.send(TO, Reply("Sannu"))
    assert [s.outcome for s in providers.sent] == [fault, "ok"]


def test_nobody_listening_is_certainly_not_sent():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(SendLater) as caught:
        _channel(f"http://127.0.0.1:{port}").send(TO, Reply("Sannu"))
    assert caught.value.code == "ConnectionError"


def test_opting_out_means_gone_and_a_flood_how_long(providers, channel):
    providers.plan.retry_after = 7
    providers.plan.script.extend(["400:21610", "429"])
    with pytest.raises(SendRefused) as gone:
        channel.send(TO, Reply("Sannu"))
    assert gone.value.gone
    with pytest.raises(SendLater) as later:
        channel.send(TO, Reply("Sannu"))
    assert later.value.after == 7.0


def test_a_message_is_sent(providers, channel):
    assert channel.send(TO, Reply("*Sannu*")).provider_id == "SM" + "0" * 31 + "1"
    data = {"To": f"whatsapp:{TO}", "From": "whatsapp:+14155238886", "Body": "*Sannu*"}
    assert providers.sent[0].data == data


def test_the_status_is_asked_for_when_we_can_be_reached(providers):
    channel = _channel(providers.base, public_url=PUBLIC)
    channel.send(TO, Reply("Sannu"))
    assert providers.sent[0].data["StatusCallback"] == f"{PUBLIC}/webhooks/twilio/status"
    channel.stop()


def test_a_template(providers):
    channel = _channel(providers.base, template_sid="HX1")
    channel.send(TO, Reply("not sent"), template=True)
    assert providers.sent[0].data["ContentSid"] == "HX1"
    assert "Body" not in providers.sent[0].data
    channel.stop()


def test_no_template_is_said_honestly(providers, channel):
    with pytest.raises(SendRefused) as caught:
        channel.send(TO, Reply("Sannu"), template=True)
    assert caught.value.code == "63016"
    assert not providers.sent


ACTIONS = [
    {"type": "QUICK_REPLY", "title": "Na yarda", "id": "yes"},
    {"type": "QUICK_REPLY", "title": "A'a", "id": "no"},
]


def test_quick_replies_are_stored_once_and_found_again(providers, channel):
    texts = ["Kun yarda?", "Ku ce 'eh' ko \"a'a\".", "Wata tambaya: {1}"]
    for text in texts:
        channel.send(TO, Reply(text, YES_NO))
    assert [s.text for s in providers.sent] == texts
    assert {s.data["ContentSid"] for s in providers.sent} == {"HX" + "0" * 31 + "1"}
    listed, made = providers.called("Content")
    assert listed == {}
    assert made["types"] == {"twilio/quick-reply": {"body": "{{1}}", "actions": ACTIONS}}
    assert set(made) == {"friendly_name", "language", "types"}
    again = _channel(providers.base)
    again.send(TO, Reply("Kun yarda?", YES_NO))
    assert len(providers.contents) == 1
    again.stop()


# (label, text, the body of its content)
LAYOUTS = [
    ("two lines", "Sannu.\nKun yarda?", "{{1}}\n{{2}}"),
    ("a paragraph", "Sannu.\n\nKun yarda?", "{{1}}\n\n{{2}}"),
    ("a blank line of spaces", "Sannu.\n \nKun yarda?", "{{1}}\n \n{{2}}"),
    ("a list", "Ku:\n- sha ruwa\n- huta", "{{1}}\n{{2}}\n{{3}}"),
    ("a line break at the end", "Sannu.\n", "{{1}}\n"),
    ("four spaces", "a    b", "{{1}}"),
    ("a backslash and quotes", 'a\\1 "b"', "{{1}}"),
]


@pytest.mark.parametrize(("label", "text", "body"), LAYOUTS, ids=[row[0] for row in LAYOUTS])
def test_texts_of_one_layout_share_a_content(providers, channel, label, text, body):
    channel.send(TO, Reply(text, YES_NO))
    channel.send(TO, Reply(text.replace("a", "e"), YES_NO))
    assert [s.text for s in providers.sent] == [text, text.replace("a", "e")]
    assert list(providers.bodies.values()) == [body]


def test_other_buttons_are_another_content(providers, channel):
    for choices in (YES_NO, YES_NO[:1], (Choice("x", "Na yarda"), YES_NO[1])):
        channel.send(TO, Reply("Kun yarda?", choices))
    assert len(providers.contents) == 3


NOT_FOR_BUTTONS = [
    ("four choices", "a", [(str(n), str(n)) for n in range(4)]),
    ("a label of 21", "a", [("x", "b" * 21)]),
    ("equal labels", "a", [("x", "b"), ("y", "b")]),
    ("a text of 1025", "a" * 1025, [("x", "b")]),
    ("a variable", "a {{1}}", [("x", "b")]),
    ("a tab", "a\tb", [("x", "b")]),
    ("five spaces", "a     b", [("x", "b")]),
    ("101 lines", "\n".join("a" * 101), [("x", "b")]),
]


@pytest.mark.parametrize(("label", "text", "choices"), NOT_FOR_BUTTONS)
def test_what_does_not_fit_goes_as_numbered_lines(providers, channel, label, text, choices):
    channel.send(TO, Reply(text, tuple(Choice(*c) for c in choices)))
    assert providers.sent[0].text.startswith(f"{text}\n\n1. {choices[0][1]}")
    assert not providers.called("Content")


@pytest.mark.parametrize("fault", ["500", "401", "404", "hang", "garbage", "reset"])
def test_without_the_content_api_buttons_are_numbered_for_ten_minutes(providers, fault):
    now = [0.0]
    patience = 1.0 if fault == "hang" else 5.0
    channel = _channel(providers.base, clock=lambda: now[0], timeout=patience)
    providers.content_fault = fault
    for _ in range(3):
        channel.send(TO, Reply("Kun yarda?", YES_NO))
    assert [s.text for s in providers.sent] == ["Kun yarda?\n\n1. Na yarda\n2. A'a"] * 3
    assert len(providers.called("Content")) == 1
    providers.content_fault, now[0] = "", 601.0
    channel.send(TO, Reply("Kun yarda?", YES_NO))
    assert "ContentSid" in providers.sent[-1].data
    channel.stop()


def test_a_content_that_is_refused_goes_as_text_in_the_same_send(providers, channel):
    providers.plan.script.append("400:21655")
    channel.send(TO, Reply("Kun yarda?", YES_NO))
    channel.send(TO, Reply("Kun yarda?", YES_NO))
    assert [s.outcome for s in providers.sent] == ["400:21655", "ok", "ok"]
    assert ["1. Na yarda" in s.text for s in providers.sent] == [False, True, True]


def test_any_other_fault_of_a_send_with_buttons_is_raised(providers, channel):
    providers.plan.script.append("reset")
    with pytest.raises(SendDoubtful):
        channel.send(TO, Reply("Kun yarda?", YES_NO))
    assert len(providers.sent) == 1


def test_an_account_is_not_filled_with_contents(providers, channel):
    providers.contents.update({f"lafiya_{n}": f"HX{n}" for n in range(200)})
    channel.send(TO, Reply("Kun yarda?", YES_NO))
    assert "1. Na yarda" in providers.sent[0].text
    assert len(providers.contents) == 200


def test_numbered_lines_beyond_the_limit_are_not_lost(providers, channel):
    choices = tuple(Choice(str(n), f"zaɓi na {n}") for n in range(4))
    channel.send(TO, Reply("a" * 1600, choices))
    assert [len(s.text) <= 1600 for s in providers.sent] == [True, True]
    assert "4. zaɓi na 3" in providers.sent[1].text


def test_nothing_to_say_is_refused(channel):
    with pytest.raises(SendRefused):
        channel.send(TO, Reply(" "))


def test_check(providers, channel):
    assert [fine for _, fine, _ in channel.check()] == [True, False, False]
    more = _channel("http://127.0.0.1:1", public_url=PUBLIC, template_sid="HX1")
    rows = more.check()
    assert [fine for _, fine, _ in rows] == [False, True, True]
    assert f"{PUBLIC}/webhooks/twilio#rc=5&rp=all" in rows[1][2]


# (what a send is answered, what the operator reads)
TROUBLES = [
    ("401", "check TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN (20003)"),
    ("404", "check TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN (20404)"),
    ("html403", "check TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN (403)"),
    ("400:63007", "check TWILIO_WHATSAPP_FROM (63007)"),
    ("400:63020", "see the account in Twilio's console (63020)"),
    ("400:21610", ""),
    ("500", ""),
    ("reset", ""),
]


@pytest.mark.parametrize(("fault", "said"), TROUBLES, ids=[row[0] for row in TROUBLES])
def test_an_account_in_trouble_is_named_until_a_message_is_taken(providers, channel, fault, said):
    providers.plan.script.append(fault)
    with pytest.raises(SendError):
        channel.send(TO, Reply("Sannu"))
    assert channel.trouble() == said
    channel.send(TO, Reply("Sannu"))
    assert channel.trouble() == ""


def test_an_account_is_asked_about_until_it_is_fine():
    answers = iter([RuntimeError(), "suspended", "active", "closed"])
    done = threading.Event()

    def status():
        found = next(answers)
        if isinstance(found, Exception):
            raise found
        if found == "active":
            done.set()
        return found

    account = Account(status, first_pause=0.01)
    account.watch()
    assert done.wait(5)
    until(lambda: account.trouble == "")
    assert next(answers) == "closed", "and then no more"


def test_what_is_wrong_with_an_account():
    def unreachable():
        raise TimeoutError

    assert Account(lambda: "suspended").look().startswith("the account is suspended")
    assert "TWILIO_API_BASE" in Account(unreachable).look()


def test_contents_live_elsewhere_at_twilio():
    assert TwilioChannel(SID, TOKEN, "+1")._content_base == CONTENT_BASE


URL = f"{PUBLIC}/webhooks/twilio"
FORM = form("SM1", "Ina jin zazzaɓi", Referral="", Zebra="x")


@pytest.mark.parametrize(
    ("label", "url", "fields", "given", "fine"),
    [
        ("right", URL, FORM, signature(TOKEN, URL, FORM), True),
        ("with a query", f"{URL}?a=1", FORM, signature(TOKEN, f"{URL}?a=1", FORM), True),
        ("with our retry ending", URL, FORM, signature(TOKEN, URL + RETRY_ENDING, FORM), True),
        ("another ending", URL, FORM, signature(TOKEN, URL + "#x", FORM), False),
        ("another query", f"{URL}?a=2", FORM, signature(TOKEN, f"{URL}?a=1", FORM), False),
        ("http for https", URL.replace("s:", ":"), FORM, signature(TOKEN, URL, FORM), False),
        ("another token", URL, FORM, signature("other", URL, FORM), False),
        ("a changed body", URL, {**FORM, "Body": "a"}, signature(TOKEN, URL, FORM), False),
        ("a blank field dropped", URL, {**FORM, "New": ""}, signature(TOKEN, URL, FORM), False),
        ("none", URL, FORM, None, False),
        ("empty", URL, FORM, "", False),
        ("not ASCII", URL, FORM, "ɗ", False),
        ("half a surrogate pair", URL, {**FORM, "Body": "\ud800"}, "a", False),
        ("half a pair as signature", URL, FORM, "\ud800", False),
        ("a port that is none", "https://a:b/", FORM, "a", False),
    ],
)
def test_a_signature(channel, label, url, fields, given, fine):
    if fine:
        channel.verify(url, MultiDict(fields), given)
    else:
        with pytest.raises(Forged):
            channel.verify(url, MultiDict(fields), given)


def test_the_signed_url_is_the_public_one(channel):
    assert channel.signed_url("/w", "", "http://10.0.0.1/w") == "http://10.0.0.1/w"
    public = _channel("http://127.0.0.1:1", public_url=PUBLIC)
    assert public.signed_url("/w", "", "http://10.0.0.1/w") == f"{PUBLIC}/w"
    assert public.signed_url("/w", "a=%20", "http://10.0.0.1/w") == f"{PUBLIC}/w?a=%20"


@settings(deadline=None)
@given(st.text(), st.dictionaries(st.text(), st.text()), st.none() | st.text())
def test_whatever_is_signed_is_only_ever_forged(url, fields, given_signature):
    with pytest.raises(Forged):
        _channel("http://127.0.0.1:1").verify(url, MultiDict(fields), given_signature)


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_has_one_meaning(code):
    error = send_error(400, code)
    later = CODES[code] in (Meaning.LATER, Meaning.ACCOUNT)
    assert isinstance(error, SendLater if later else SendRefused)
    assert error.code == code
    assert getattr(error, "gone", False) is (CODES[code] is Meaning.GONE)


def test_a_picture_is_fetched_from_its_link(providers):
    channel = _channel(providers.base, public_url=PUBLIC)
    picture = Document("r1.png", b"png")
    channel.send(TO, Reply("Ga zane", YES_NO, picture, link=f"{PUBLIC}/pictures/t"))
    channel.stop()
    data = providers.sent[0].data
    assert data["MediaUrl"] == f"{PUBLIC}/pictures/t"
    assert data["Body"] == "Ga zane\n\n1. Na yarda\n2. A'a"
    assert channel.can.pictures


def test_without_a_public_address_no_picture_can_be_fetched(channel):
    assert not channel.can.pictures
