"""What a page may send."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.web import identity
from core.messages import Inbound, Kind
from web import incoming
from web.incoming import LONGEST, Refused

SESSION, ID = "s" * 32, "i" * 32
GOOD = {"id": ID, "text": "Ina da zazzaɓi"}


def test_a_text():
    message = incoming.message(SESSION, GOOD)
    assert (message.kind, message.text, message.choice) == (Kind.TEXT, "Ina da zazzaɓi", None)
    assert message.channel == "web"


def test_a_choice_carries_its_label():
    message = incoming.message(SESSION, {"id": ID, "choice": "topic:fever-adult", "text": "Eh"})
    assert (message.kind, message.choice, message.text) == (Kind.CHOICE, "topic:fever-adult", "Eh")


def test_the_token_is_nowhere_in_what_is_stored():
    message = incoming.message(SESSION, GOOD)
    assert message.sender == message.address == identity(SESSION)
    assert message.external_id == f"{identity(SESSION)}:{ID}"
    assert SESSION not in repr(message)


@pytest.mark.parametrize(
    ("label", "given", "key"),
    [
        ("not an object", ["text"], "page-unreadable"),
        ("nothing", None, "page-unreadable"),
        ("a field too many", {**GOOD, "admin": True}, "page-unreadable"),
        ("no id", {"text": "x"}, "page-unreadable"),
        ("a short id", {"id": "abc", "text": "x"}, "page-unreadable"),
        ("an id with a line end", {"id": ID + "\n", "text": "x"}, "page-unreadable"),
        ("a number as id", {"id": 7, "text": "x"}, "page-unreadable"),
        ("no text", {"id": ID}, "page-unreadable"),
        ("a number as text", {"id": ID, "text": 7}, "page-unreadable"),
        ("blank text", {"id": ID, "text": " \n "}, "empty"),
        ("long text", {"id": ID, "text": "a" * (LONGEST + 1)}, "too-long"),
        ("an odd choice", {"id": ID, "choice": "a b"}, "page-unreadable"),
        ("a list as choice", {"id": ID, "choice": ["a"]}, "page-unreadable"),
    ],
)
def test_refused(label, given, key):
    with pytest.raises(Refused) as refused:
        incoming.message(SESSION, given)
    assert refused.value.key == key


@pytest.mark.parametrize(
    ("label", "given"),
    [
        ("the longest", {"id": ID, "text": "a" * LONGEST}),
        ("a choice without a label", {"id": ID, "choice": "do:more"}),
        ("an uuid", {"id": "0b8f3a4e-6a1e-4c0e-9b43-0e5b7a2f6a10", "text": "x"}),
        ("no choice, said so", {"id": ID, "text": "x", "choice": None}),
    ],
)
def test_taken(label, given):
    assert isinstance(incoming.message(SESSION, given), Inbound)


@pytest.mark.parametrize("token", [None, "", "short", "a" * 21, "a" * 129, "é" * 32, "a b" * 10])
def test_sessions_that_are_none(token):
    with pytest.raises(Refused):
        incoming.session(token)


@pytest.mark.parametrize(("asked", "number"), [(None, 0), ("", 0), ("17", 17)])
def test_after(asked, number):
    assert incoming.after(asked) == number


@pytest.mark.parametrize("asked", ["-1", "x", "1.5", "9" * 19, "٣"])
def test_after_refused(asked):
    with pytest.raises(Refused):
        incoming.after(asked)


@pytest.mark.parametrize(
    ("label", "fields", "text", "choice"),
    [
        ("written", {"text": "Sannu"}, "Sannu", None),
        ("a sample", {"say": "goge", "text": ""}, "goge", None),
        ("a button", {"choice": "erase:yes|Eh | i", "text": ""}, "Eh | i", "erase:yes"),
    ],
)
def test_a_form(label, fields, text, choice):
    message = incoming.form({"session": SESSION, "id": ID, **fields})
    assert message is not None
    assert (message.text, message.choice) == (text, choice)


@pytest.mark.parametrize("fields", [{}, {"text": "  "}, {"look": "1", "text": "half a word"}])
def test_a_form_that_only_looks(fields):
    assert incoming.form({"session": SESSION, "id": ID, **fields}) is None


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["id", "text", "x"]), inner),
    max_leaves=8,
)


@given(_JSON)
def test_nothing_but_a_refusal_comes_of_nonsense(given):
    try:
        message = incoming.message(SESSION, given)
    except Refused:
        return
    assert message.text
