"""Tells admins in their own chats: that a yes is wanted, an override, how something has ended.

The service and the command line tell by the same code: queued in the store, sent by whichever
process sends. Knows no channel.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection

from bot import effects as fx
from bot.texts import Texts
from core.messages import Choice, Inbound, Reply
from storage import inbox, notices, threads, watches
from storage.store import Store

#: Admins are told once in this time about one and the same thing.
TOLD_EVERY = 900.0
#: So much of a reason that was given on the command line is told.
LONGEST_REASON = 300


@dataclass(frozen=True, slots=True)
class Announcer:
    """Queues what admins are told. `admins` are those of the settings, as (channel, address)."""

    store: Store
    texts: Texts
    admins: tuple[tuple[str, str], ...]
    reply_hours: float

    def announce(self, effect: fx.WantsYes | fx.Begun | fx.Forced, now: float) -> None:
        """Tell in chats what was done outside any chat. Raises StoreError."""
        with self.store.write() as connection:
            match effect:
                case fx.WantsYes():
                    self.want_yes(connection, effect, now=now)
                case fx.Begun():
                    self._follow(connection, effect, now)
                case fx.Forced():
                    self._forced(connection, effect, now)

    def want_yes(self, connection: Connection, wish: fx.WantsYes, *, now: float) -> None:
        """Tell every admin but the one who has agreed already, with the button that asks them."""
        reason = f"yes:{wish.release}:{wish.there}"
        if self.told(connection, reason, now):
            return
        said = {"release": wish.release, "there": str(wish.there), "all": str(wish.needed)}
        for talk, actor in self.talks(connection, now):
            if actor == wish.actor:
                continue
            language = threads.language(connection, talk)
            ask = Choice(f"swap:{wish.release}:ask", self.texts("label-swap", language))
            reply = Reply(self.texts("admin-wants-yes", language, **said), (ask,))
            self.notify(connection, talk, reply, reason, now)

    def _forced(self, connection: Connection, forced: fx.Forced, now: float) -> None:
        """Tell every admin: also the one in whose name it was done, who may not know of it."""
        reason = f"forced:{forced.counter}:{forced.there}:{forced.release}"
        if self.told(connection, reason, now):
            return
        said = {"release": forced.release, "reason": forced.reason[:LONGEST_REASON]}
        said |= {"there": str(forced.there), "all": str(forced.needed)}
        for talk, _ in self.talks(connection, now):
            language = threads.language(connection, talk)
            key = "admin-forced-live" if forced.live else "admin-forced-wanted"
            self.notify(connection, talk, Reply(self.texts(key, language, **said)), reason, now)

    def _follow(self, connection: Connection, begun: fx.Begun, now: float) -> None:
        """Say that it has begun, and from there on how it ends."""
        for talk, actor in self.talks(connection, now):
            if actor == begun.actor:
                reason = f"run:{begun.run}"
                message = self.notify(connection, talk, Reply(begun.text), reason, now)
                watches.add(connection, message, talk, begun.run, now=now)

    def told(self, connection: Connection, reason: str, now: float) -> bool:
        """Whether admins were told of this very thing a short while ago."""
        return threads.said_since(connection, stamp(reason), since=now - TOLD_EVERY)

    def talks(self, connection: Connection, now: float) -> Iterator[tuple[int, str]]:
        """Every admin's conversation, begun where there is none, and what the audit calls them."""
        for channel, address in self.admins:
            stranger = Inbound(channel, "", identity_of(address), address)
            _, talk = inbox.ensure_person(self.store, connection, stranger, now=now)
            yield talk, actor_of(channel, self.store.cipher.blind(channel, identity_of(address)))

    def notify(
        self,
        connection: Connection,
        talk: int,
        reply: Reply,
        reason: str,
        now: float,
        *,
        urgent: bool = False,
        kind: str = "text",
    ) -> int:
        """Queue a notice in a conversation; its id. `reason` is a stable id, never text."""
        return notices.say(
            connection,
            self.store,
            talk,
            reply,
            reason=stamp(reason),
            urgent=urgent,
            kind=kind,
            now=now,
            expires_at=now + self.reply_hours * 3600,
        )


def stamp(reason: str) -> str:
    """A reason as long as its column: what is looked for is what was kept."""
    return reason[:64]


def identity_of(address: str) -> str:
    """Who an admin's address in the settings is to the store: WhatsApp's identity has no plus."""
    return address.removeprefix("+")


def actor_of(channel: str, identity: str) -> str:
    """How the audit names an admin: the same in chat and on the command line, and no address.

    `identity` is the stored one, which a DATA_KEY makes a keyed hash of the number.
    """
    return f"{channel}:{hashlib.sha256(f'{channel}:{identity}'.encode()).hexdigest()[:10]}"
