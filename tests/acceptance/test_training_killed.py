"""The whole of it, with a real run on the tiny model: `pytest -m heavy tests/acceptance`.

The service is killed while one training goes on, and the training while another does; both end at
the same loss, every message that came meanwhile is answered, and the admin is told once.
"""

import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.service import LAFIYA, ROOT, TELEGRAM_SECRET, Service, telegram
from tests.payloads import press
from tests.providers import Providers
from tests.waiting import came
from training.folder import RunFolder

ADMIN = 771000001
#: A run's steps must not be over before it is killed, nor take minutes.
ORDER = "/train epochs=10 batch=4 accumulation=1 lr=1e-3 rank=8"
PATIENCE = 240


def _talks(file: Path) -> Path:
    """Forty questions that are not alike, each with an answer."""
    organs = ("kai", "ciki", "haƙori", "kunne", "ido", "ƙafa", "hannu", "baya")
    whose = ("Yarona", "Mahaifiyata", "Maƙwabcina", "Kakata", "Ƙanena")
    with file.open("w", encoding="utf-8") as lines:
        for n, organ in enumerate(organs):
            for who in whose:
                turns = [
                    {"from": "human", "value": f"{who} yana jin ciwon {organ} tun kwana {n + 2}."},
                    {"from": "gpt", "value": f"Game da {organ}: a huta, kuma {who} a je asibiti."},
                ]
                lines.write(json.dumps({"conversations": turns}, ensure_ascii=False) + "\n")
    return file


def _heard(providers: Providers, words: str) -> list[str]:
    return [s.provider_id for s in providers.taken(str(ADMIN)) if words in s.text]


def _newest(folder: Path) -> RunFolder:
    return RunFolder(max(folder.glob("r2*")))


class Admin:
    """Writes and presses, as Telegram delivers it; asks in between whether the bot answers."""

    def __init__(self, service: Service, providers: Providers) -> None:
        self.service, self.providers, self.number = service, providers, 0

    def write(self, text: str, chat: int = ADMIN) -> None:
        self.number += 1
        self._post(telegram(self.number, chat, text)[1])

    def press(self, data: str) -> None:
        self.number += 1
        self._post(json.dumps(press(self.number, data, ADMIN)).encode())

    def answered(self) -> None:
        """Somebody else's question is answered now."""
        self.write(f"Ina da tambaya lamba {self.number}", ADMIN + 1)
        question = f"lamba {self.number - 1}"
        assert came(
            lambda: any(question in s.text for s in self.providers.taken(str(ADMIN + 1))), 20
        )

    def _post(self, body: bytes) -> None:
        headers = {
            "Content-Type": "application/json",
            "X-Telegram-Bot-Api-Secret-Token": TELEGRAM_SECRET,
        }
        assert self.service.call("POST", "/webhooks/telegram", body, headers)[0] == 200


@pytest.mark.heavy
def test_a_training_survives_the_service_and_itself(
    serve: Callable[..., Service], providers: Providers, tmp_path: Path
) -> None:
    subprocess.run((*LAFIYA, "models", "tiny", str(tmp_path / "tiny")), cwd=ROOT, check=True)
    runs, data = tmp_path / "runs", _talks(tmp_path / "talks.jsonl")
    service = serve(
        ADMINS=f"telegram:{ADMIN}",
        MODEL=str(tmp_path / "tiny"),
        RUNS=str(runs),
        RELEASES=str(tmp_path / "releases"),
    )
    admin = Admin(service, providers)
    admin.write("/english")
    admin.write(f"{ORDER} data={data}")
    assert came(lambda: _heard(providers, "has begun on"), 20)
    [message] = _heard(providers, "has begun on")
    assert came(lambda: "ETA" in providers.shown[message][0], PATIENCE)

    whole, said = _newest(runs), providers.shown[message][0]
    service.kill(0)
    service.await_answering()
    admin.answered()
    assert came(lambda: providers.shown[message][0] != said, 30)
    done = f"Training of {whole.name} is done."
    assert came(lambda: _heard(providers, done), PATIENCE), service.log.read_text()
    word = next(s for s in providers.taken(str(ADMIN)) if done in s.text)
    assert came(lambda: any(s.method == "sendPhoto" for s in providers.taken(str(ADMIN))), 20)
    assert f"{whole.name} has not been examined" in word.text, "an echo has no model"

    admin.write(f"{ORDER} data={data} evaluate=no")
    assert came(lambda: len(_heard(providers, "has begun on")) == 2, 20)
    killed = _newest(runs)
    assert came(lambda: killed.state().step > killed.state().steps / 2 > 0, PATIENCE)
    os.kill(killed.state().pid, signal.SIGKILL)
    admin.answered()
    assert came(lambda: _heard(providers, "stopped in the middle"), 30)
    assert any((killed.checkpoints).glob("checkpoint-*/trainer_state.json"))
    admin.press(f"resume:{killed.name}:ask")
    again = f"Training of {killed.name} is done."
    assert came(lambda: _heard(providers, again), PATIENCE), service.log.read_text()

    losses = [(run.result() or {})["held_out_loss"] for run in (whole, killed)]
    assert losses[1] == pytest.approx(losses[0], rel=0.02)
    for words in (done, again, f"Training of {killed.name} stopped"):
        assert len(_heard(providers, words)) == 1
