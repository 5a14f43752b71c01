"""The final word on an export that took longer than the answer to its order.

Told like the end of a run (`bot.progress`): once, as a reply of its own, by whichever process of
the machine looks first. Knows no model.
"""

from dataclasses import dataclass

from bot.admin_export import EXPORTED, megabytes
from bot.announce import Announcer
from core import logs
from core.messages import Reply
from storage import watches
from storage.watches import Watch
from training import export
from training.export import Exports
from training.folder import ENDED, RunFolder, State

#: So long an export of no machine is waited for.
FORGOTTEN = 30 * 86_400.0


@dataclass(frozen=True, slots=True)
class ExportTold:
    """Tells admins that what they ordered is ready, or why it is not."""

    announcer: Announcer
    exports: Exports

    def follow(self, watch: Watch, now: float) -> None:
        """Say how an export ended, if it has. Raises StoreError, SettingsError."""
        run = RunFolder(self.exports.jobs.root / watch.run.removeprefix(EXPORTED))
        here = (run.path / "state.json").exists()
        if watch.stopped or (not here and now - watch.told_at > FORGOTTEN):
            return watches.close(self.announcer.store, watch)
        state = self.exports.state(run) if here else State()
        if state.phase in ENDED or state.phase == "interrupted":
            self._say(watch, self._word(watch, run, state), now)
        return None

    def _word(self, watch: Watch, run: RunFolder, state: State) -> Reply:
        wanted, texts = export.read(run), self.announcer.texts
        said = {"release": wanted.release, "form": wanted.form}
        product = self.exports.product(run) if state.phase == "done" else None
        if product is None:
            reason = state.detail or state.phase
            text = texts("admin-export-failed", watch.language, reason=reason, **said)
        elif product.url:
            text = texts("admin-pushed", watch.language, link=product.url, **said)
        else:
            said["size"] = megabytes(product.bytes)
            text = texts("admin-export-ready", watch.language, **said)
        return Reply(text)

    def _say(self, watch: Watch, reply: Reply, now: float) -> None:
        """Once: whoever notes it first in this transaction says it."""
        with self.announcer.store.write() as connection:
            if not watches.step(connection, watch, status=watches.DONE, told_at=now):
                return
            self.announcer.notify(connection, watch.conversation_id, reply, watch.run, now)
        logs.event("export.ended", run=watch.run, channel=watch.channel)
