"""The provider that the tests lean on: its faults are drawn, not rolled, and it can be driven."""

import json
import subprocess
import sys
import urllib.request
from collections import Counter
from pathlib import Path

import pytest

from tests.payloads import update
from tests.providers import Plan, Providers

ROOT = Path(__file__).parents[3]


def test_the_same_seed_draws_the_same_faults():
    draws = [
        [Plan.read("429=0.1,hang=0.1", seed).draw("1", f"m{n}", 1) for n in range(2000)]
        for seed in (1, 1, 2)
    ]
    assert draws[0] == draws[1] != draws[2]
    count = Counter(kind for kind, _ in draws[0])
    assert 150 < count["429"] < 250
    assert 150 < count["hang"] < 250
    assert {taken for kind, taken in draws[0] if kind == "hang"} == {True, False}
    assert {taken for kind, taken in draws[0] if kind == "429"} == {False}


def test_a_repeat_is_drawn_anew():
    plan = Plan.read("500=0.5")
    assert {plan.draw("1", "a", attempt)[0] for attempt in range(1, 30)} == {"ok", "500"}


@pytest.mark.parametrize(("script", "taken"), [("hang", False), ("hang+", True)])
def test_a_script_says_whether_it_was_passed_on(script, taken):
    plan = Plan()
    plan.script.append(script)
    assert plan.draw("1", "a", 1) == ("hang", taken)
    assert plan.draw("1", "a", 1) == ("ok", True)


@pytest.mark.parametrize(
    ("label", "data", "status"),
    [
        ("right", {"chat_id": "1", "text": "a"}, 200),
        ("no chat", {"text": "a"}, 400),
        ("no text", {"chat_id": "1", "text": " "}, 400),
        ("an unknown field", {"chat_id": "1", "text": "a", "colour": "red"}, 400),
        ("too long", {"chat_id": "1", "text": "a" * 4097}, 400),
    ],
)
def test_calls_are_checked_against_the_specification(label, data, status):
    with Providers() as providers:
        assert _post(f"{providers.base}/bot1:a/sendMessage", data)[0] == status


def test_as_a_process():
    command = [sys.executable, "-m", "tests.providers", "--port", "0", "--say-port"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        base = f"http://127.0.0.1:{process.stdout.readline().strip()}"
        _post(f"{base}/_script", ["500"])
        assert _post(f"{base}/bot1:a/sendMessage", {"chat_id": "1", "text": "a"})[0] == 500
        _post(f"{base}/_update", update(1, text="a"))
        assert len(_post(f"{base}/bot1:a/getUpdates", {})[1]["result"]) == 1
        assert [s["outcome"] for s in _post(f"{base}/_sent", None)[1]] == ["500"]
        assert _post(f"{base}/_clear", None)[1] == []
        process.terminate()


def _post(url, data):
    form = isinstance(data, dict) and "update_id" not in data
    body = "&".join(f"{k}={v}" for k, v in data.items()) if form else json.dumps(data)
    request = urllib.request.Request(url, body.encode())
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)
