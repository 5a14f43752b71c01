"""A whole service on a fresh SQLite file: real store, worker and sender; fake channels and mind."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
from sqlalchemy import text

from bot.app import App, build
from bot.channels.fakes import FakeChannel
from bot.fakes import tiny_mind
from bot.mind import Mind
from core.messages import Capabilities, Inbound, Kind
from core.settings import Settings

NOW = 1_800_000_000.0
TELEGRAM = Capabilities(
    4096,
    max_buttons=8,
    typing=True,
    documents=True,
    chat_burst=1000,
    overall_per_s=1000.0,
    edits=True,
    pictures=True,
)
WHATSAPP = Capabilities(1600, max_buttons=3, window_hours=24, chat_burst=1000, overall_per_s=1000.0)


@dataclass
class House:
    """The service, and a clock that only moves when told and while answers are made."""

    app: App
    telegram: FakeChannel
    whatsapp: FakeChannel
    now: float = NOW
    _ids: Iterator[int] = field(default_factory=lambda: count(1))

    def accept(self, text: str, who: str = "1", **changes: Any) -> bool:
        """Take a message in; True unless it was there already."""
        channel = changes.pop("channel", "telegram")
        external = changes.pop("external_id", f"u{next(self._ids)}")
        address = f"+23480000000{who}" if channel == "whatsapp" else who
        message = Inbound(channel, external, who, address, text=text, **changes)
        return self.app.intake.accept(message, now=self.now)

    def work(self, **lane: bool) -> int:
        """Answer everything that may be answered now; how many jobs were taken.

        A reply is dated by the time that it really took: the clock moves on beyond that.
        """
        done = sum(1 for _ in iter(lambda: self.app.worker.run_one(self.now, **lane), False))
        self.now += 2
        return done

    def send(self, **lane: bool) -> int:
        """Send everything that may go now; how many calls."""
        return sum(1 for _ in iter(lambda: self.app.sender.send_next(self.now, **lane), False))

    def say(self, text: str, who: str = "1", **changes: Any) -> list[str]:
        """One message from acceptance to the provider; what its sender got."""
        channel = self.whatsapp if changes.get("channel") == "whatsapp" else self.telegram
        before = len(channel.sent)
        self.accept(text, who, **changes)
        self.work()
        self.send()
        address = f"+23480000000{who}" if channel is self.whatsapp else who
        return [sent.reply.text for sent in channel.sent[before:] if sent.address == address]

    def press(self, choice: str, who: str = "1", **changes: Any) -> list[str]:
        """One pressed button, as `say`."""
        return self.say("", who, kind=Kind.CHOICE, choice=choice, **changes)

    def agree(self, who: str = "1", **changes: Any) -> None:
        """Consent to the service."""
        self.press("service:yes", who, **changes)

    def rows(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        """What the database holds."""
        with self.app.store.read() as connection:
            return [tuple(row) for row in connection.execute(text(query), values)]

    def parts(self) -> list[tuple[Any, ...]]:
        """(status, attempts, doubts, code) of every part of a reply, in order."""
        return self.rows("SELECT status, attempts, doubts, code FROM outbox ORDER BY id")

    def words(self, key: str, language: str = "ha", *, country: str | None = None) -> str:
        """A sentence of the service, with the numbers of a country or of both."""
        fill = self.app.mind.referral.fill
        emergency = fill("{emergency}", country=country, language=language)
        return self.app.texts(key, language, emergency=emergency)


MakeHouse = Callable[..., House]


@pytest.fixture
def make_house(sqlite_url: str) -> Iterator[MakeHouse]:
    """Builds a service; keyword arguments are settings, `mind` its mind."""
    made: list[House] = []

    def make(mind: Mind | None = None, **settings: Any) -> House:
        telegram = FakeChannel(can=TELEGRAM)
        whatsapp = FakeChannel(name="whatsapp", can=WHATSAPP)
        app = build(
            Settings.model_validate({"database_url": sqlite_url, **settings}),
            channels={"telegram": telegram, "whatsapp": whatsapp},
            mind=mind or tiny_mind(),
        )
        made.append(House(app, telegram, whatsapp))
        return made[-1]

    yield make
    for house in made:
        house.app.stop()


@pytest.fixture
def house(make_house: MakeHouse) -> House:
    """A service with a tiny mind and the default settings."""
    return make_house()
