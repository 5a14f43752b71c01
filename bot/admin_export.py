"""The admins' orders that let a release out: /save names and keeps it, /export hands it over.

Both begin an export in a process of its own (`training.export`) and wait a moment for it. A push
to the hub is asked back first and goes into a private repository: to make one public takes the
command line. Who may order is decided in `bot.admin`, which release may leave in `training.export`.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from bot.admin_training import Said
from bot.effects import Watch
from bot.links import ReleaseLinks
from bot.mind import Mind
from core.errors import ReleaseRefused
from core.messages import Choice, Document, Reply, Turn
from storage.releases import Listed
from training.export import FORMS, ExportConfig, Exports, Form, Product, check_leave
from training.folder import ENDED, RunFolder
from training.jobs import RunRefused
from training.registry import Registry

#: Before an export's name, where runs are followed by theirs; short, for the column it stands in.
EXPORTED = "x:"
#: The largest file that goes through the store and a messenger; Telegram takes up to 50 MB.
MOST_DOCUMENT = 8_000_000
#: Seconds that an answer waits for an export to be done.
PATIENCE = 20.0
LOOK_AGAIN = 0.2
LIVE = ("live", "mai-aiki")
#: What runs are called by themselves (`bot.admin_training`): mistyped, it names no release anew.
RUN = re.compile(r"r[0-9-]+")


@dataclass(slots=True)
class Exporting:
    """Carries out the orders. `links` makes addresses, where people can reach this service."""

    exports: Exports
    registry: Registry
    links: ReleaseLinks
    #: Whether there is a token for the hub.
    pushes: bool = False
    clock: Callable[[], float] = time.time
    patience: float = PATIENCE
    most_document: int = MOST_DOCUMENT

    def save(self, rest: str, turn: Turn, mind: Mind) -> Said:
        """Write a release on the machine, or ask whether it is to be pushed to the hub.

        A name that no release has becomes the newest one's. Raises ReleaseRefused.
        """
        name, form = parse(rest) or (None, "adapter")
        if name is None:
            return Reply(mind.say(turn, "admin-usage-save")), ()
        try:
            row, note = self._row(name), ""
        except ReleaseRefused as error:
            if error.code != "unknown" or RUN.fullmatch(name):
                raise
            row = self._label(name, turn)
            note = mind.say(turn, "admin-labelled", release=row.name, label=name) + "\n"
        reply, effects = self._made(row, form, turn, mind, self._saved)
        return replace(reply, text=f"{note}{reply.text}"), effects

    def export(self, rest: str, turn: Turn, mind: Mind) -> Said:
        """Hand a release over: as a file, behind a link, or by saying where it lies.

        Raises ReleaseRefused.
        """
        found = parse(rest)
        if found is None:
            return Reply(mind.say(turn, "admin-usage-export")), ()
        return self._made(self._row(found[0]), found[1], turn, mind, self._handed)

    def push(self, name: str, turn: Turn, mind: Mind) -> Said:
        """Push what was asked about. Raises ReleaseRefused: the verdict may have turned."""
        return self._begun(wish(self.registry.find(name), "hub"), turn, mind, self._saved)

    def _made(self, row: Listed, form: Form, turn: Turn, mind: Mind, show: "Show") -> Said:
        wanted = wish(row, form)
        if form != "hub":
            return self._begun(wanted, turn, mind, show)
        check_leave(row, wanted)
        if not self.pushes:
            return Reply(mind.say(turn, "admin-push-none")), ()
        text = mind.say(turn, "admin-push-ask", release=wanted.release, repo=wanted.repository)
        yes = Choice(f"push:{wanted.release}:yes", mind.say(turn, "label-yes"))
        return Reply(text, (yes, Choice("push:no", mind.say(turn, "label-no")))), ()

    def _row(self, name: str | None) -> Listed:
        """The release of a name; without one the live release, else the newest."""
        live = self.registry.pointer().release
        if name is None or name in LIVE:
            newest = next((row.name for row in self.registry.listed()), None)
            name = live or (newest if name is None else None)
        if name is None:
            raise ReleaseRefused("none", "no release has been added, or none is live")
        return self.registry.find(name)

    def _label(self, label: str, turn: Turn) -> Listed:
        """The newest release, from now on called so too. Raises ReleaseRefused."""
        row = next(iter(self.registry.listed()), None)
        if row is None:
            raise ReleaseRefused("none", "no release has been added")
        self.registry.label(row.name, label, actor=turn.actor, now=self.clock())
        return self.registry.find(row.name)

    def _begun(self, wanted: ExportConfig, turn: Turn, mind: Mind, show: "Show") -> Said:
        check_leave(self.registry.find(wanted.release), wanted)
        actor, form = turn.actor, wanted.form
        self.registry.exported(wanted.release, actor=actor, now=self.clock(), form=form)
        try:
            run = self.exports.begin(wanted)
        except RunRefused as error:
            return Reply(mind.say(turn, "admin-export-busy", run=error.run or "–")), ()
        return self._shown(run, wanted, turn, mind, show)

    def _shown(
        self, run: RunFolder, wanted: ExportConfig, turn: Turn, mind: Mind, show: "Show"
    ) -> Said:
        """What has become of it, after a moment in which a small one is done."""
        said = {"release": wanted.release, "form": wanted.form}
        until = time.monotonic() + self.patience
        while (state := self.exports.state(run)).phase not in {*ENDED, "interrupted"}:
            if time.monotonic() >= until:
                begun = mind.say(turn, "admin-export-begun", **said)
                return Reply(begun), (Watch(f"{EXPORTED}{run.name}"),)
            time.sleep(LOOK_AGAIN)
        product = self.exports.product(run) if state.phase == "done" else None
        if product is None:
            reason = state.detail or state.phase
            return Reply(mind.say(turn, "admin-export-failed", reason=reason, **said)), ()
        if product.url:
            return Reply(mind.say(turn, "admin-pushed", link=product.url, **said)), ()
        return show(run, product, said | {"size": megabytes(product.bytes)}, turn, mind), ()

    def _saved(
        self, run: RunFolder, product: Product, said: dict[str, str], turn: Turn, mind: Mind
    ) -> Reply:
        return Reply(mind.say(turn, "admin-saved", place=product.place(), **said))

    def _handed(
        self, run: RunFolder, product: Product, said: dict[str, str], turn: Turn, mind: Mind
    ) -> Reply:
        file = product.file()
        if file and turn.documents and file.stat().st_size <= self.most_document:
            document = Document(file.name, file.read_bytes())
            return Reply(mind.say(turn, "admin-export-file", **said), document=document)
        link = self.links.make(run.name) if file else ""
        if link:
            return Reply(mind.say(turn, "admin-export-link", link=link, **said))
        return Reply(mind.say(turn, "admin-export-place", place=product.place(), **said))


Show = Callable[[RunFolder, Product, dict[str, str], Turn, Mind], Reply]


def wish(row: Listed, form: Form) -> ExportConfig:
    """A release in a form; on the hub it is called as people call it."""
    to = f"lafiya-{row.label}" if form == "hub" and row.label else ""
    return ExportConfig(release=row.name, form=form, to=to)


def parse(rest: str) -> tuple[str | None, Form] | None:
    """Which release in which form, as phones write it; None when that is not understood."""
    words = rest.lower().split()
    form: Form = "adapter"
    for known in FORMS:
        if words and words[-1] == known:
            form = known
            words.pop()
            break
    if len(words) > 1:
        return None
    return (words[0] if words else None), form


def megabytes(size: int) -> str:
    """A size as people say it."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{max(size / 1e6, 0.1):.1f} MB"
