"""A danger sign is answered within a second, whatever else goes on."""

import time
from collections.abc import Callable

import pytest

from tests.acceptance.service import Service, telegram, whatsapp
from tests.providers import Providers
from tests.waiting import came

DANGER = "Yarona ba ya numfashi"
WITHIN = 1.0


@pytest.mark.slow
def test_urgent_overtakes_ten_second_generations_and_hanging_sends(
    serve: Callable[..., Service], providers: Providers
) -> None:
    providers.plan.hang = 30.0
    providers.plan.always = {str(771000100 + n): "hang" for n in range(9)}
    service = serve(ECHO_DELAY="10", SEND_TIMEOUT="10")
    for number in range(8):
        chat = 771000200 + number
        assert _post(service, telegram(100 + number, chat, "Ina tambaya a kan abinci")) == 200
    assert came(lambda: service.measure('lafiya_jobs{status="running"}') == 4, 10)
    for number, request in enumerate(
        [
            telegram(1, 771000200, DANGER),  # in a conversation whose generation runs
            telegram(2, 771000207, DANGER),  # in one whose question is queued
            telegram(3, 771000300, DANGER),
            whatsapp(4, "+2348000200001", DANGER),
        ],
        1,
    ):
        begun = time.time()
        assert _post(service, request) == 200
        assert came(lambda number=number: len(providers.taken()) >= number, 5, every=0.005)
        taken = providers.taken()[-1].at - begun
        assert taken < WITHIN, f"{taken:.2f} s"
    assert service.measure('lafiya_jobs{status="running"}') == 4


def _post(service: Service, request: tuple[str, bytes, dict[str, str]]) -> int:
    path, body, headers = request
    return service.call("POST", path, body, headers)[0]
