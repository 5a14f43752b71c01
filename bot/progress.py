"""Runs that are followed from a chat: one message that is edited as they go on, and a final word.

Edits are worth nothing in themselves and are lost without harm; the final word is a reply like any
other, queued in the same transaction that notes it, so that it is said once and never lost. Where
nothing can be edited there are a few messages instead. Who is told is in the store: a service that
is started again, or another process of the machine that holds the run, goes on.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from bot import admin_curve, admin_progress
from bot.admin_export import EXPORTED
from bot.announce import Announcer
from bot.channels.base import Channel
from bot.texts import Texts
from core import logs
from core.errors import LafiyaError, ReleaseRefused, SendError, SendLater, SendRefused
from core.messages import Choice, Document, Reply
from storage import notices, watches
from storage.release_rows import Listed
from storage.store import Store
from storage.watches import Watch
from training.folder import ENDED, RunFolder, State
from training.jobs import Jobs, told
from training.registry import Registry
from training.report_files import PICTURE

#: Seconds between two looks at the runs, and (the usual) between two edits of a message.
LOOK, EVERY = 1.0, 4.0
#: An edit takes a provider's time-out at most; after this another process may try.
CLAIM = 60.0
#: After a failure that names no time.
PAUSE = 15.0
#: So long the last edit is tried after the final word; so long a run of no machine is waited for.
LAST_EDIT, FORGOTTEN = 600.0, 30 * 86_400.0
#: Where nothing is edited: at a quarter, a half and three quarters, if that is no sooner than this.
QUARTERS, APART = 4, 300.0
#: A word in between is worth nothing later.
STALE = 900.0


@dataclass(frozen=True, slots=True)
class Progress:
    """Tells admins how the runs go that they ordered. `lease` names this process."""

    store: Store
    channels: Mapping[str, Channel]
    jobs: Jobs
    registry: Registry
    texts: Texts
    lease: str
    announcer: Announcer
    #: Tells how an export goes, which is no run (`bot.export_told`).
    exports: Callable[[Watch, float], None]
    #: Seconds between two edits of a message.
    every: float = EVERY

    def tick(self, now: float) -> None:
        """Tell what has changed since it was told last. Raises StoreError."""
        for watch in watches.following(self.store):
            try:
                self._follow(watch, now)
            except LafiyaError as error:
                logs.event("progress.failed", level=40, run=watch.run, why=str(error))

    def _follow(self, watch: Watch, now: float) -> None:
        if watch.run.startswith(EXPORTED):
            return self.exports(watch, now)
        task, channel = self.jobs.task(watch.run), self.channels.get(watch.channel)
        if watch.stopped or (task is None and now - watch.told_at > FORGOTTEN):
            return watches.close(self.store, watch)
        if task is None or channel is None:
            return None  # another machine's run, or a channel that is off
        state = self.jobs.state(task)
        over = state.phase in ENDED or state.phase == "interrupted"
        if over and watch.status == watches.OPEN:
            return self._word(watch, task, state, channel, now)
        if channel.can.edits:
            return self._edit(watch, task, state, channel, over, now)
        if over:
            return watches.close(self.store, watch)
        return self._quarter(watch, task, state, channel, now)

    def _edit(
        self,
        watch: Watch,
        task: RunFolder,
        state: State,
        channel: Channel,
        over: bool,
        now: float,
    ) -> None:
        text = self._standing(watch, task, state)
        late = over and now - watch.told_at > LAST_EDIT
        if late or (over and text == watch.told):
            return watches.close(self.store, watch)
        if watch.sent is None or text == watch.told or not self._due(watch, over, now):
            return None
        if not watches.claim(self.store, watch, lease=self.lease, now=now, seconds=CLAIM):
            return None
        # No transaction is open here: the provider may take its time.
        label = self.texts("label-cancel", watch.language)
        stop = () if over else (Choice(f"cancel:{told(watch.run)}:ask", label),)
        try:
            channel.edit(watch.address, watch.sent, Reply(text, stop))
        except SendError as error:
            return self._not_edited(watch, error, now)
        status = watches.DONE if over else watch.status
        return self._settle(watch, told=text, told_at=now, status=status)

    def _not_edited(self, watch: Watch, error: SendError, now: float) -> None:
        """A message that is gone is edited no more; the final word comes all the same."""
        logs.event("progress.not_edited", run=watch.run, channel=watch.channel, code=error.code)
        if isinstance(error, SendRefused):
            status = watches.DONE if watch.status == watches.ENDED else watch.status
            return self._settle(watch, status=status, not_before=now + FORGOTTEN)
        wait = error.after if isinstance(error, SendLater) and error.after else PAUSE
        return self._settle(watch, not_before=now + wait)

    def _quarter(
        self, watch: Watch, task: RunFolder, state: State, channel: Channel, now: float
    ) -> None:
        """A word in between, while the person may be written to freely."""
        quarter = str(int(QUARTERS * state.share)) if state.phase == "training" else ""
        passed = "0" < quarter < str(QUARTERS) and quarter > watch.told
        if not passed or now - watch.told_at < APART or _closed(watch, channel, now):
            return
        reply = Reply(self._standing(watch, task, state))
        with self.store.write() as connection:
            if watches.step(connection, watch, told=quarter, told_at=now):
                notices.say(
                    connection,
                    self.store,
                    watch.conversation_id,
                    reply,
                    reason=f"run:{watch.run}",
                    now=now,
                    expires_at=now + STALE,
                )

    def _word(
        self, watch: Watch, task: RunFolder, state: State, channel: Channel, now: float
    ) -> None:
        """How it ended, as a reply of its own; pictures after it, so that they can cost nothing.

        A provider that refuses a picture, or cannot fetch it, would take the words with it.
        """
        row = self._release(watch)
        word = admin_progress.ended(
            self.texts, watch.language, watch.run, state, row, task.result()
        )
        said = [word]
        if state.phase == "done":
            said = [*self._curve(watch, task, word, channel), *self._report(row, watch, channel)]
        with self.store.write() as connection:
            if not watches.step(connection, watch, status=watches.ENDED, told_at=now):
                return
            for reply in said:
                reason = f"run:{watch.run}"
                self.announcer.notify(connection, watch.conversation_id, reply, reason, now)
        logs.event("progress.ended", run=watch.run, phase=state.phase, channel=watch.channel)

    def _curve(
        self, watch: Watch, task: RunFolder, word: Reply, channel: Channel
    ) -> Iterator[Reply]:
        """The word on a run and the picture of its losses, or the word saying why there is none."""
        if watch.run != told(watch.run):
            yield word
            return
        found = admin_curve.picture(task, shown=channel.can.pictures)
        if isinstance(found, str):
            yield word.with_note(self.texts(found, watch.language))
        else:
            yield word
            caption = self.texts("admin-curve", watch.language, run=task.name)
            yield Reply(caption, document=found)

    def _report(self, row: Listed | None, watch: Watch, channel: Channel) -> Iterator[Reply]:
        """The picture of the examination, where there is one and the channel shows it."""
        if row is None or not channel.can.pictures:
            return
        try:
            picture = self.registry.report_file(row.name, PICTURE, self.jobs.root)
        except LafiyaError as error:
            logs.event("progress.no_picture", level=30, run=watch.run, why=str(error))
            return
        if picture is not None:
            caption = self.texts("admin-report", watch.language, release=row.name)
            yield Reply(caption, document=Document(f"{row.name}-{PICTURE}", picture))

    def _release(self, watch: Watch) -> Listed | None:
        try:
            return self.registry.find(told(watch.run))
        except ReleaseRefused:
            return None

    def _standing(self, watch: Watch, task: RunFolder, state: State) -> str:
        alone = watch.run != told(watch.run)
        batch = 0 if alone else task.config().batch
        return admin_progress.standing(self.texts, watch.language, watch.run, state, batch)

    def _due(self, watch: Watch, over: bool, now: float) -> bool:
        """The last edit does not wait for its turn, but for flood control it does."""
        free = watch.lease_until is None or watch.lease_until < now
        turn = over or now - watch.told_at >= self.every
        return free and turn and now >= watch.not_before

    def _settle(self, watch: Watch, **values: object) -> None:
        watches.settle(self.store, watch, lease=self.lease, **values)


def _closed(watch: Watch, channel: Channel, now: float) -> bool:
    hours = channel.can.window_hours
    return hours is not None and now > watch.last_in_at + hours * 3600
