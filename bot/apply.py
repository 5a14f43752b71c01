"""Applies an outcome's effects inside the reply's transaction: one write for each.

Knows which effect changes which row. Decides nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from bot import effects as fx
from bot.announce import Announcer, identity_of
from bot.effects import Effect, Outcome
from bot.texts import Texts
from core.messages import Document, Reply
from storage import corrections, people, privacy, threads, watches
from storage.corrections import SHOWN
from storage.people import Line
from storage.store import Store
from storage.threads import Thread

#: The version of the consent texts that a yes or no is about.
CONSENT_VERSION = "2026-11"


@dataclass(frozen=True, slots=True)
class Applier:
    """What effects need: the store, the texts, who tells admins, data links, names of signs."""

    store: Store
    texts: Texts
    announcer: Announcer
    data_link: Callable[[int], str]
    sign_title: Callable[[str, str], str]

    def apply(
        self, connection: Connection, thread: Thread, line: Line, outcome: Outcome, *, now: float
    ) -> tuple[Reply, Line]:
        """Apply all effects; the reply as it goes out, and the line it goes on.

        `line` is the conversation's own: another one comes back where its key was erased.
        """
        reply, talk = outcome.answer.reply, thread.conversation_id
        changes: dict[str, Any] = {}
        for effect in outcome.effects:
            match effect:
                case fx.HandOver():
                    reply = self._hand_over(connection, thread)
                case fx.Erase():
                    line = self._erase(connection, thread, now)
                    changes.clear()
                case fx.Hold():
                    changes["waiting"] = threads.with_waiting(connection, talk, thread.message_id)
                case fx.Unhold():
                    changes["waiting"] = []
                case fx.SetTopic(topic):
                    changes["topic"] = topic
                case fx.Noticed():
                    changes["noticed_at"] = now
                case fx.AskedTraining():
                    changes["training_asked_at"] = now
                case _:
                    self._apply(connection, thread, effect, now)
        # One statement for all that became of the conversation, whatever brought it about.
        changes["menu"] = threads.menu(reply.choices)
        threads.change_conversation(connection, talk, **changes)
        return reply, line

    def _apply(self, connection: Connection, thread: Thread, effect: Effect, now: float) -> None:
        person, talk = thread.person_id, thread.conversation_id
        match effect:
            case fx.SetLanguage(language):
                threads.change_person(connection, person, language=language)
            case fx.SetStopped(stopped):
                threads.change_person(connection, person, stopped=stopped)
                self._audit(connection, "stop" if stopped else "start", now)
            case fx.Consented(kind, granted):
                threads.record_consent(connection, person, kind, granted, CONSENT_VERSION, now)
                self._audit(connection, f"consent.{kind}.{'yes' if granted else 'no'}", now)
            case fx.Alert():
                self._alert(connection, thread, effect, now)
            case fx.Show(texts):
                for text in texts:
                    shown = Reply(text)
                    self.announcer.notify(connection, talk, shown, "shown", now, kind=SHOWN)
            case fx.WantsYes():
                self.announcer.want_yes(connection, effect, now=now)
            case fx.Watch(run):
                watches.add(connection, thread.message_id, talk, run, now=now)
            case fx.Used(order, actor):
                privacy.audit(connection, f"admin.{order}", actor=actor, now=now)

    def _erase(self, connection: Connection, thread: Thread, now: float) -> Line:
        """Forget everything up to the message; where the reply goes with the new key."""
        person, talk = thread.person_id, thread.conversation_id
        privacy.erase(connection, self.store, person, talk, upto=thread.message_id, now=now)
        self._forget_shown(connection)
        return people.line(connection, talk)

    def tidy(self) -> None:
        """Forget what admins were shown of others. Raises StoreError."""
        with self.store.write() as connection:
            self._forget_shown(connection)

    def _forget_shown(self, connection: Connection) -> None:
        """It may be the words of somebody who erases just now."""
        admins = ((channel, identity_of(address)) for channel, address in self.announcer.admins)
        corrections.forget_shown(connection, self.store, admins)

    def _audit(self, connection: Connection, action: str, now: float) -> None:
        privacy.audit(connection, action, actor="person", now=now)

    def _hand_over(self, connection: Connection, thread: Thread) -> Reply:
        """A person's data: as a file where the channel takes one, else behind a link for a day."""
        language = thread.turn.language
        if thread.turn.documents:
            content = privacy.export(connection, self.store, thread.person_id)
            document = Document("lafiya.json", content.encode())
            return Reply(self.texts("data-file", language), document=document)
        link = self.data_link(thread.person_id)
        return Reply(self.texts("data-link", language, link=link))

    def _alert(self, connection: Connection, thread: Thread, effect: fx.Alert, now: float) -> None:
        """One line to every admin: which sign, which conversation, when; not what was written."""
        announcer, reason = self.announcer, f"alert:{thread.conversation_id}:{effect.sign}"
        if announcer.told(connection, reason, now):
            return
        for talk, _ in announcer.talks(connection, now):
            if talk == thread.conversation_id:
                continue
            text = self._alert_text(thread, effect, now, threads.language(connection, talk))
            announcer.notify(connection, talk, Reply(text), reason, now, urgent=True)

    def _alert_text(self, thread: Thread, effect: fx.Alert, now: float, language: str) -> str:
        return self.texts(
            "alert",
            language,
            sign=self.sign_title(effect.sign, language),
            urgency=self.texts(f"status-urgency-{effect.urgency}", language),
            conversation=str(thread.conversation_id),
            channel=thread.channel,
            time=datetime.fromtimestamp(now, UTC).strftime("%H:%M UTC"),
        )
