"""What each fault of the Bot API means for a reply, against a server on 127.0.0.1."""

import json
import socket
import threading
import time
from collections import deque

import pytest

from bot.channels.telegram import TelegramChannel
from core.errors import SendDoubtful, SendError, SendLater, SendRefused
from core.messages import Choice, Document, Inbound, Reply
from tests.providers import EXTRACT, Providers
from tests.waiting import until

TOKEN = "123456:test-token"
CHAT = "77001"


@pytest.fixture
def providers():
    with Providers() as found:
        yield found


def _channel(base, timeout=5.0):
    return TelegramChannel(TOKEN, api_base=base, timeout=timeout)


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
    ("flood", "429", SendLater, "429"),
    ("server error", "500", SendLater, "500"),
    ("bad gateway", "502", SendLater, "502"),
    ("unavailable", "503", SendLater, "503"),
    ("gateway gave up waiting: may be sent", "504", SendDoubtful, "504"),
    ("blocked", "403", SendRefused, "403"),
    ("a proxy's 403 is not Telegram's", "html403", SendLater, "proxy"),
    ("bad request", "400", SendRefused, "400"),
    ("too large", "413", SendRefused, "413"),
    ("wrong token", "401", SendLater, "token"),
    ("wrong address", "404", SendLater, "token"),
    ("redirect", "302", SendLater, "302"),
    ("hang", "hang", SendDoubtful, "ReadTimeout"),
    ("reset in mid-answer", "reset", SendDoubtful, "ReadError"),
    ("closed in mid-answer", "closed", SendDoubtful, "RemoteProtocolError"),
    ("cut off in the body", "partial", SendDoubtful, "RemoteProtocolError"),
    ("unreadable 200", "garbage", SendDoubtful, "JSONDecodeError"),
]


@pytest.mark.parametrize(("label", "fault", "kind", "code"), FAULTS, ids=[f[0] for f in FAULTS])
def test_a_fault_is_named(providers, channel, hasty, label, fault, kind, code):
    providers.plan.script.append(fault)
    with pytest.raises(SendError) as caught:
        (hasty if fault == "hang" else channel).send(CHAT, Reply("Sannu"))
    assert (type(caught.value), caught.value.code) == (kind, code)
    assert caught.value.__cause__ is None
    assert CHAT not in str(caught.value)
    assert TOKEN not in str(caught.value)
    channel.send(CHAT, Reply("Sannu"))  # and the next one goes out
    assert [s.outcome for s in providers.sent] == [fault, "ok"]


@pytest.mark.parametrize(
    ("words", "gone"),
    [
        ("Bad Request: chat not found", True),
        ("Bad Request: user not found", True),
        ("Bad Request: message is too long", False),
        ("Bad Request: can't parse entities", False),
    ],
)
def test_a_bad_request_says_whether_the_chat_is_gone(providers, channel, words, gone):
    providers.plan.script.append(f"400:{words}")
    with pytest.raises(SendRefused) as caught:
        channel.send(CHAT, Reply("Sannu"))
    assert caught.value.gone is gone


def test_blocked_means_gone(providers, channel):
    providers.plan.script.append("403")
    with pytest.raises(SendRefused) as caught:
        channel.send(CHAT, Reply("Sannu"))
    assert caught.value.gone


@pytest.mark.parametrize(("told", "after"), [(7, 7.0), (0, None)])
def test_a_flood_answer_says_how_long(providers, channel, told, after):
    providers.plan.retry_after = told
    providers.plan.script.append("429")
    with pytest.raises(SendLater) as caught:
        channel.send(CHAT, Reply("Sannu"))
    assert caught.value.after == after


def test_nobody_listening_is_certainly_not_sent():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    channel = TelegramChannel(TOKEN, api_base=f"http://127.0.0.1:{port}", timeout=0.5)
    with pytest.raises(SendLater) as caught:
        channel.send(CHAT, Reply("Sannu"))
    assert caught.value.code == "ConnectError"
    channel.stop()


def test_a_full_backlog_is_certainly_not_sent():
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        port = deaf.getsockname()[1]
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        channel = TelegramChannel(TOKEN, api_base=f"http://127.0.0.1:{port}", timeout=0.3)
        with pytest.raises(SendLater) as caught:
            channel.send(CHAT, Reply("Sannu"))
        channel.stop()
        for filler in fillers:
            filler.close()
    assert caught.value.code == "ConnectTimeout"


def test_a_trickling_answer_ends_too(providers):
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        threading.Thread(target=_trickle, args=(server,), daemon=True).start()
        base = f"http://127.0.0.1:{server.getsockname()[1]}"
        channel = TelegramChannel(TOKEN, api_base=base, timeout=0.2)
        began = time.monotonic()
        with pytest.raises(SendDoubtful):
            channel.send(CHAT, Reply("Sannu"))
        assert time.monotonic() - began < 4
        channel.stop()


def _trickle(server):
    connection, _ = server.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n")
        for _ in range(100):
            time.sleep(0.1)
            try:
                connection.sendall(b" ")
            except OSError:
                return


def test_after_stop_nothing_is_sent(providers, channel):
    channel.send(CHAT, Reply("Sannu"))
    channel.stop()
    channel.stop()
    with pytest.raises(SendLater) as caught:
        channel.send(CHAT, Reply("Sannu"))
    assert caught.value.code == "stopped"
    channel.typing(CHAT)
    channel.acknowledge(Inbound("telegram", "u1", CHAT, CHAT, receipt="r"))


def test_plain_text_without_markup_or_preview(providers, channel):
    text = "*Ruwa* <b>mai</b> tsafta_ https://example.org [ɗaki]"
    assert channel.send(CHAT, Reply(text)).provider_id == "1"
    data = providers.sent[0].data
    assert data["text"] == text
    assert data["chat_id"] == CHAT
    assert "parse_mode" not in data
    assert json.loads(data["link_preview_options"]) == {"is_disabled": True}


def test_4096_units_pass_and_one_more_is_refused(providers, channel):
    channel.send(CHAT, Reply("😀" * 2048))
    with pytest.raises(SendRefused):
        channel.send(CHAT, Reply("😀" * 2048 + "a"))


@pytest.mark.parametrize(
    ("label", "choices", "rows"),
    [
        ("short ones side by side", [("a", "Na yarda"), ("b", "A'a"), ("c", "Taimako")], [2, 1]),
        (
            "a long one alone",
            [("a", "Yaya ake hana malaria lokacin damina?"), ("b", "A'a")],
            [1, 1],
        ),
    ],
)
def test_buttons(providers, channel, label, choices, rows):
    channel.send(CHAT, Reply("Zaɓi", tuple(Choice(*c) for c in choices)))
    keyboard = json.loads(providers.sent[0].data["reply_markup"])["inline_keyboard"]
    assert [len(row) for row in keyboard] == rows
    assert [(b["callback_data"], b["text"]) for row in keyboard for b in row] == choices


@pytest.mark.parametrize(
    ("label", "id", "button"), [("64 bytes", "ɗ" * 32, 1), ("65", "ɗ" * 32 + "a", 0)]
)
def test_a_button_id_beyond_64_bytes_becomes_a_numbered_line(providers, channel, label, id, button):
    channel.send(CHAT, Reply("Zaɓi", (Choice(id, "Na yarda"),)))
    data = providers.sent[0].data
    assert ("reply_markup" in data) == bool(button)
    assert data["text"] == ("Zaɓi" if button else "Zaɓi\n\n1. Na yarda")


def test_a_document_goes_with_its_text(providers, channel):
    channel.send(
        CHAT, Reply("Ga bayananku", document=Document("bayanai.txt", "ƙaramin fayil".encode()))
    )
    sent = providers.sent[0]
    assert sent.method == "sendDocument"
    assert sent.data["document"] == "ƙaramin fayil"
    assert sent.data["document.filename"] == "bayanai.txt"
    assert sent.text == "Ga bayananku"


def test_a_document_with_a_text_beyond_a_caption(providers, channel):
    channel.send(CHAT, Reply("a" * 1025, document=Document("bayanai.txt", b"x")))
    assert [s.method for s in providers.sent] == ["sendMessage", "sendDocument"]
    assert providers.sent[1].text == ""


def test_a_picture_is_shown_with_its_text_and_buttons(providers, channel):
    picture = Document("r1.png", b"\x89PNG\r\n\x1a\n\xff")
    channel.send(CHAT, Reply("Ga zane", (Choice("swap:r1:ask", "Musanya"),), picture))
    sent = providers.sent[0]
    assert (sent.method, sent.text, sent.data["photo.filename"]) == (
        "sendPhoto",
        "Ga zane",
        "r1.png",
    )
    assert "swap:r1:ask" in sent.data["reply_markup"]


def test_a_message_is_edited_in_its_place(providers, channel):
    number = channel.send(CHAT, Reply("10 %", (Choice("cancel:r1:ask", "Soke"),))).provider_id
    channel.edit(CHAT, number, Reply("20 %", (Choice("cancel:r1:ask", "Soke"),)))
    channel.edit(CHAT, number, Reply("100 %"))
    channel.edit(CHAT, number, Reply("100 %"))  # "message is not modified" is no error
    assert providers.shown[number] == ("100 %", "")
    calls = providers.called("editMessageText")
    assert [call["text"] for call in calls] == ["20 %", "100 %", "100 %"]
    assert (calls[0]["chat_id"], calls[0]["message_id"]) == (CHAT, number)
    assert len(providers.sent) == 1


EDIT_FAULTS = [
    ("429", SendLater, "429"),
    ("500", SendLater, "500"),
    ("403", SendRefused, "403"),
    ("400", SendRefused, "400"),
    ("reset", SendDoubtful, "ReadError"),
]


@pytest.mark.parametrize(("fault", "kind", "code"), EDIT_FAULTS)
def test_what_becomes_of_an_edit(providers, channel, fault, kind, code):
    number = channel.send(CHAT, Reply("10 %")).provider_id
    providers.faults["editMessageText"] = deque([fault])
    providers.plan.retry_after = 7
    with pytest.raises(kind) as failed:
        channel.edit(CHAT, number, Reply("20 %"))
    assert failed.value.code == code
    assert getattr(failed.value, "after", None) == (7 if fault == "429" else None)


def test_a_deleted_message_is_refused(providers, channel):
    number = channel.send(CHAT, Reply("10 %")).provider_id
    providers.shown.clear()
    with pytest.raises(SendRefused):
        channel.edit(CHAT, number, Reply("20 %"))


def test_many_threads_share_one_loop(providers, channel):
    threads = [
        threading.Thread(target=channel.send, args=(str(n), Reply(f"m{n}"))) for n in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(s.text for s in providers.taken()) == sorted(f"m{n}" for n in range(20))
    assert threading.active_count() < 60


def test_typing_never_waits_and_never_raises(providers, channel):
    providers.faults["sendChatAction"] = deque(["hang", "500", "403"])
    began = time.monotonic()
    for _ in range(5):
        channel.typing(CHAT)
    assert time.monotonic() - began < 2
    until(lambda: len(providers.called("sendChatAction")) == 1)
    assert len(providers.called("sendChatAction")) == 1  # one in flight for a chat
    channel.typing("77002")
    until(lambda: len(providers.called("sendChatAction")) == 2)
    assert providers.called("sendChatAction")[1] == {"chat_id": "77002", "action": "typing"}


def test_a_press_is_acknowledged(providers, channel):
    channel.acknowledge(Inbound("telegram", "u1", CHAT, CHAT))  # no receipt: nothing to say
    channel.acknowledge(Inbound("telegram", "u1", CHAT, CHAT, receipt="4382bf"))
    until(lambda: providers.called("answerCallbackQuery"))
    assert providers.called("answerCallbackQuery") == [{"callback_query_id": "4382bf"}]


def test_check_says_who_we_are(providers, channel):
    assert channel.check() == [
        ("Telegram token (@LafiyaBot)", True, ""),
        ("Telegram polling (no webhook set)", True, ""),
    ]
    providers.webhook = {"url": "https://elsewhere.example/hook"}
    assert [fine for _, fine, _ in channel.check()] == [True, False]


@pytest.mark.parametrize(("fault", "word"), [("401", "BotFather"), ("500", "TELEGRAM_API_BASE")])
def test_check_says_what_to_do(providers, channel, fault, word):
    providers.faults["getMe"] = deque([fault])
    [(_, fine, advice)] = channel.check()
    assert not fine
    assert word in advice


def test_making_a_channel_starts_nothing():
    before = threading.active_count()
    TelegramChannel(TOKEN, api_base="http://127.0.0.1:1").stop()
    assert threading.active_count() == before


def test_the_extract_knows_every_method_we_call(providers, channel):
    methods = json.loads(EXTRACT.read_text())["methods"]
    assert methods["sendMessage"]["chat_id"]["required"]
    assert {"getMe", "setWebhook", "deleteWebhook", "getUpdates", "sendDocument"} <= methods.keys()
