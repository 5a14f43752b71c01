"""A whole service whose admins order releases about: Telegram's 1 and 3, and one on WhatsApp."""

from itertools import count

from bot.app import build
from bot.channels.fakes import FakeChannel
from core.messages import Inbound, Kind
from core.settings import Settings
from tests.bot.conftest import TELEGRAM, WHATSAPP, House

ADMINS = "telegram:1,telegram:3,whatsapp:+2348000000009"
ids = count(1)


class Clinic(House):
    """A service with releases, whose admins write on Telegram (1, 3) and WhatsApp."""

    @property
    def registry(self):
        return self.app.desk.registry

    @property
    def live(self):
        return self.registry.pointer().release

    def order(self, text, who="1", *, press=None, channel="telegram"):
        """One message or press of an admin; the only reply, and its buttons' ids."""
        used = self.whatsapp if channel == "whatsapp" else self.telegram
        kind = Kind.CHOICE if press else Kind.TEXT
        address = f"+{who}" if channel == "whatsapp" else who
        message = Inbound(channel, f"o{next(ids)}", who, address, kind, text, press)
        self.app.intake.accept(message, now=self.now)
        self.now += 5
        self.work()
        self.send()
        reply = [sent.reply for sent in used.sent if sent.address == address][-1]
        self.buttons = [choice.id for choice in reply.choices]
        return reply.text

    def confirm(self, text, who="1", **more):
        """An order and the press on yes."""
        self.order(text, who, **more)
        return self.order("", who, press=self.buttons[0], **more)

    def audit(self):
        """Every order that was used, by whom."""
        rows = self.rows("SELECT action, actor FROM audit ORDER BY id")
        return [row for row in rows if not row[0].startswith(("consent", "release.passed"))]

    def english(self, who="1"):
        """From now on this admin is answered in English."""
        self.order("/english", who)


def open_clinic(mind, url, shelf, *, env_file="", **settings) -> Clinic:
    """A service on a database and a folder of releases; close it with `app.stop()`."""
    telegram, whatsapp = FakeChannel(can=TELEGRAM), FakeChannel(name="whatsapp", can=WHATSAPP)
    app = build(
        Settings(database_url=url, admins=ADMINS, releases=str(shelf), **settings),
        channels={"telegram": telegram, "whatsapp": whatsapp},
        mind=mind,
        env_file=env_file,
    )
    app.desk.patience = 0.2
    return Clinic(app, telegram, whatsapp)
