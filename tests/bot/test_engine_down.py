"""A model server that is down, and comes back: the bot answers all the while, and says how."""

import time
from collections.abc import Iterator

import pytest

from bot.fakes import tiny_mind
from inference.engine import LibraryEngine
from inference.openai import OpenAIEngine
from inference.openai_fakes import FakeServer
from storage import instances
from storage.instances import Serving
from tests.bot.conftest import House, MakeHouse
from tests.waiting import until

#: A server that goes away in the middle of a connect leaves httpcore with a socket to collect.
pytestmark = pytest.mark.filterwarnings("ignore:Exception ignored in. <socket")

CERTAIN = "Yaya ake hana malaria?"
OTHER = "Me ya sa kunne yake ƙaiƙayi?"


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer() as server:
        yield server


@pytest.fixture
def house(make_house: MakeHouse, server: FakeServer) -> Iterator[House]:
    engine = OpenAIEngine(server.url, "gemma", check_seconds=0.05)
    made = make_house(tiny_mind(engine))
    made.agree()
    yield made
    engine.close()


def test_the_library_answers_and_everybody_who_asks_is_told(
    house: House, server: FakeServer
) -> None:
    assert house.app.readiness()["reasons"] == []
    server.stop()
    [reply] = house.say(CERTAIN)
    assert "Hana malaria: amsa-ha" in reply
    [reply] = house.say(OTHER)
    assert reply
    assert "amsa daga gemma" not in reply
    # No load balancer may take the bot away: it answers, and webhooks must be taken in.
    ready = house.app.readiness()
    assert ready["ready"]
    [reason] = ready["reasons"]
    assert reason.startswith("engine: ")
    # A look that was under way when the server went ends another way than the next one.
    assert f"127.0.0.1:{server.port}" in reason
    server.start()
    until(lambda: house.app.mind.engine.status().ready)
    assert house.app.readiness()["reasons"] == []
    before = len(server.asked)
    house.say(OTHER)
    assert len(server.asked) == before + 1


def test_a_broken_database_still_takes_it_out_of_use(house: House, server: FakeServer) -> None:
    server.stop()
    house.say(OTHER)
    with house.app.store.write() as connection:
        connection.exec_driver_sql("DELETE FROM alembic_version")
    ready = house.app.readiness()
    assert not ready["ready"]
    assert [reason.split(":")[0] for reason in ready["reasons"]] == ["database", "engine"]


def test_a_process_without_a_model_names_the_workers(make_house: MakeHouse) -> None:
    """`lafiya web` only receives: its page says which engine answers in the workers."""
    receiving = make_house(tiny_mind(LibraryEngine()))
    assert receiving.app.readiness()["engine"] == "library"
    there = Serving("host.1", "transformers", "r1", None, True, "", time.time())
    instances.report(receiving.app.store, there)
    known = receiving.app.readiness()
    assert (known["engine"], known["release"], known["ready"]) == ("transformers", "r1", True)
