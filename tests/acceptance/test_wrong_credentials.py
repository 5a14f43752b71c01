"""Wrong tokens: the operator is told which setting to mend, and the page goes on."""

import json
from collections.abc import Callable

import pytest

from cli.doctor import checks
from core.settings import Settings
from tests.acceptance.service import TELEGRAM_TOKEN, TWILIO_SID, TWILIO_TOKEN, Service
from tests.providers import Providers
from tests.waiting import came

SESSION = {"X-Session": "s" * 32, "Content-Type": "application/json"}
TELEGRAM, TWILIO = "TELEGRAM_BOT_TOKEN", "TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN"


def _ready(service: Service) -> dict[str, object]:
    status, body = service.call("GET", "/health/ready")
    return {"status": status, **json.loads(body)}


def _asked(service: Service) -> bool:
    _, body = service.call("GET", "/api/messages", headers=SESSION)
    return any(m["direction"] == "out" for m in json.loads(body)["messages"])


@pytest.mark.slow
def test_both_refused(serve: Callable[..., Service], providers: Providers) -> None:
    providers.refusal = "401"
    service = serve()
    assert came(lambda: len(_ready(service)["reasons"]) == 2, 10), service.log.read_text()
    ready = _ready(service)
    assert (ready["status"], ready["ready"]) == (200, True), "the page is in order"
    telegram, whatsapp = sorted(ready["reasons"])
    assert telegram.startswith("telegram: ")
    assert TELEGRAM in telegram
    assert whatsapp.startswith("whatsapp: ")
    assert TWILIO in whatsapp

    question = json.dumps({"id": "i" * 32, "text": "Ina da tambaya"}).encode()
    assert service.call("POST", "/api/messages", question, SESSION)[0] == 202
    assert came(lambda: _asked(service), 10), service.call("GET", "/api/messages", b"", SESSION)

    said = service.log.read_text()
    rows = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    told = {row["action"]: row.get("advice") or "" for row in rows}
    assert TELEGRAM in told["telegram.retry"]
    assert TWILIO in told["whatsapp.trouble"]
    assert [secret for secret in (TELEGRAM_TOKEN, TWILIO_TOKEN) if secret in said] == []


@pytest.mark.parametrize("refusal", ["401", "404"])
def test_the_doctor_names_the_settings(providers: Providers, refusal: str) -> None:
    providers.refusal = refusal
    given = {
        "telegram_bot_token": TELEGRAM_TOKEN,
        "telegram_api_base": providers.base,
        "twilio_account_sid": TWILIO_SID,
        "twilio_auth_token": TWILIO_TOKEN,
        "twilio_whatsapp_from": "+14155238886",
        "twilio_api_base": providers.base,
        "library_reviewed_only": True,
    }
    seen = {c.what: (c.fine, c.say) for c in checks(Settings.model_validate(given))}
    for what, advice in (("Telegram token", TELEGRAM), ("Twilio account", TWILIO)):
        fine, say = seen[what]
        assert not fine
        assert advice in say
        assert TELEGRAM_TOKEN not in say
