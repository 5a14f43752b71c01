"""Answers read from bytes: cut anywhere, told in every server's way, or no answer at all."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import EngineBusy, EngineError
from inference.openai_sse import Answer, Events, Missing, TooLong, clean, fault, read, whole

STREAMS = [
    ("one event", b"data: a\n\n", ["a"]),
    ("two", b"data: a\n\ndata: b\n\n", ["a", "b"]),
    ("windows lines", b"data: a\r\n\r\ndata: b\r\n\r\n", ["a", "b"]),
    ("old mac lines", b"data: a\r\rdata: b\r\r", ["a", "b"]),
    ("no space", b"data:a\n\n", ["a"]),
    ("a comment", b": ping\n\ndata: a\n\n: ping\n\n", ["a"]),
    ("other fields", b"event: x\nid: 7\nretry: 3\ndata: a\n\n", ["a"]),
    ("a data field's cousin", b"database: x\n\ndata: a\n\n", ["a"]),
    ("several lines", b"data: a\ndata: b\n\n", ["a\nb"]),
    ("no last empty line", b"data: a\n\ndata: [DONE]", ["a", "[DONE]"]),
    ("a byte order mark", b"\xef\xbb\xbfdata: a\n\n", ["a"]),
    ("a line separator inside", "data: a\u2028b\x85c\x0bd\n\n".encode(), ["a\u2028b\x85c\x0bd"]),
    ("hooked letters", "data: ƙwarai ɓarna\n\n".encode(), ["ƙwarai ɓarna"]),
    ("an error line", b'error: {"code": 500}\n\n', ['{"error": {"code": 500}}']),
    ("nothing", b"", []),
    ("only comments", b": a\n: b\n\n", []),
]


def events(*chunks: bytes) -> list[str]:
    reader = Events()
    found = [event for chunk in chunks for event in reader.feed(chunk)]
    return [*found, *reader.close()]


@pytest.mark.parametrize(("label", "stream", "found"), STREAMS, ids=[case[0] for case in STREAMS])
def test_events_however_they_are_cut(label: str, stream: bytes, found: list[str]) -> None:
    assert events(stream) == found
    assert events(*(bytes([byte]) for byte in stream)) == found
    for at in range(len(stream)):
        assert events(stream[:at], stream[at:]) == found


@given(st.binary(max_size=200))
def test_any_bytes_are_events_or_named(stream: bytes) -> None:
    with contextlib.suppress(EngineError):
        assert all(isinstance(event, str) for event in events(stream))


def test_a_long_line_in_drops_is_not_read_again_and_again() -> None:
    reader, drop = Events(), b"x" * 64
    assert [event for _ in range(20_000) for event in reader.feed(drop)] == []


def piece(text: str | None = None, end: str | None = None, **more: object) -> str:
    return json.dumps({"choices": [{"delta": {"content": text}, "finish_reason": end}], **more})


GROWN = [
    (
        "with everything",
        [piece("A "), piece("sha"), piece(None, "stop"), "[DONE]"],
        "A sha",
        "stop",
    ),
    ("no [DONE]", [piece("A"), piece(None, "stop")], "A", "stop"),
    ("no reason", [piece("A"), "[DONE]"], "A", "stop"),
    ("cut at the length", [piece("A"), piece("", "length"), "[DONE]"], "A", "length"),
    ("another good end", [piece("A", "eos"), "[DONE]"], "A", "stop"),
    ("no choices at the end", [piece("A", "stop"), '{"choices": [], "usage": null}'], "A", "stop"),
    ("no delta", ['{"choices": [{"finish_reason": "stop"}]}'], "", "stop"),
    ("halves of a sign", [piece("\ud83d"), piece("\ude00", "stop")], "😀", "stop"),
    ("NUL", [piece("a\0b", "stop")], "ab", "stop"),
]


@pytest.mark.parametrize(("label", "told", "text", "end"), GROWN, ids=[case[0] for case in GROWN])
def test_an_answer_grows(label: str, told: list[str], text: str, end: str) -> None:
    answer = Answer()
    for event in told:
        answer.add(event)
        answer.text.encode()
    assert (answer.text, answer.end) == (text, end)


NO_ANSWERS = [
    ("not JSON", ["data"], EngineError),
    ("deep", ["[" * 100_000], EngineError),
    ("a list", ["[]"], EngineError),
    ("null", ["null"], EngineError),
    ("no choices", ["{}"], EngineError),
    ("choices of another shape", ['{"choices": ["a"]}'], EngineError),
    ("an error", ['{"error": {"message": "CUDA", "code": 500}}'], EngineError),
    ("an error as text", ['{"error": "CUDA"}'], EngineError),
    ("busy", ['{"error": {"message": "x", "code": 503}}'], EngineBusy),
    ("too long", ['{"error": {"message": "maximum context length is 9", "code": 400}}'], TooLong),
    ("cut off", [piece("A sha ruwa")], EngineError),
    ("aborted", [piece("A sha"), piece(None, "abort"), "[DONE]"], EngineError),
    ("nothing at all", [], EngineError),
]


@pytest.mark.parametrize(
    ("label", "told", "error"), NO_ANSWERS, ids=[case[0] for case in NO_ANSWERS]
)
def test_what_is_no_answer_has_a_name(
    label: str, told: list[str], error: type[EngineError]
) -> None:
    answer = Answer()
    with pytest.raises(EngineError) as raised:  # noqa: PT012 - some end in `add`, some in `end`
        for event in told:
            answer.add(event)
        _ = answer.end
    assert type(raised.value) is error
    assert "CUDA" not in str(raised.value)


def test_tokens_are_the_servers_count_or_the_pieces() -> None:
    answer = Answer()
    answer.add(piece("a"))
    answer.add(piece("b"))
    assert answer.tokens == 2
    answer.add('{"choices": [], "usage": {"completion_tokens": 7}}')
    assert answer.tokens == 7


FAULTS = [
    ("vllm, too long", 400, {"error": {"message": "This model's maximum context length is 2048 "
     "tokens. However, you requested 9000", "type": "BadRequestError"}}, TooLong),
    ("llama.cpp, too long", 400, {"error": {"type": "exceed_context_size_error", "message": "the "
     "request exceeds the available context size", "code": 400}}, TooLong),
    ("sglang, too long", 400, {"object": "error", "message": "The input (9000 tokens) is longer "
     "than the model's context length (2048 tokens)."}, TooLong),
    ("another bad request", 400, {"error": {"message": "top_p must be in (0, 1]"}}, EngineError),
    ("vllm, no such model", 404, {"error": {"message": "The model `v9` does not exist."}}, Missing),
    ("sglang, no such adapter", 400, {"message": "Got LoRA adapter that has never been loaded: v9"},
     Missing),
    ("unknown field", 422, {"error": "Unexpected keys in the request: {'top_k'}"}, EngineError),
    ("a page", 502, "<html>Bad gateway: not found</html>", EngineError),
    ("busy", 429, {"error": {"message": "the queue is too long"}}, EngineBusy),
    ("loading", 503, {"error": {"message": "Loading model"}}, EngineBusy),
]  # fmt: skip


@pytest.mark.parametrize(("label", "status", "value", "error"), FAULTS, ids=[f[0] for f in FAULTS])
def test_a_refusal_is_what_the_servers_mean(
    label: str, status: int, value: object, error: type[EngineError]
) -> None:
    assert type(fault(status, value)) is error


def test_too_long_says_so() -> None:
    assert "too long" in str(TooLong())


def test_a_whole_answer() -> None:
    body = {"model": "m", "choices": [{"message": {"content": "A sha"}, "finish_reason": "length"}]}
    answer = whole(json.dumps(body).encode())
    assert (answer.text, answer.end, answer.model) == ("A sha", "length", "m")


@given(st.text(alphabet=st.characters(codec=None), max_size=30))
def test_a_clean_text_can_be_stored(text: str) -> None:
    assert "\0" not in clean(text)
    clean(text).encode()


def test_what_a_server_says_of_its_error_may_hold_control_characters() -> None:
    assert read('{"error": "expected \x1b"}') == {"error": "expected \x1b"}
