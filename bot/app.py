"""The composition root: settings in, a running service out.

`build` wires every room together; everything else in the house takes arguments. Nothing is read
from the environment here and nothing starts before `App.start_working`.
"""

import socket
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bot import progress, releases, run_told
from bot.access import Access
from bot.admin import Desk
from bot.admin_export import Exporting
from bot.admin_training import Training
from bot.announce import Announcer, actor_of, identity_of
from bot.apply import Applier
from bot.bell import Bell
from bot.channels.base import Channel
from bot.console import Console
from bot.delivery import Sender
from bot.drafts import TICK, Drafts
from bot.export_told import ExportTold
from bot.intake import Intake
from bot.kept import Kept
from bot.links import DataLinks, PictureLinks, ReleaseLinks
from bot.metrics import Metrics
from bot.mind import Mind
from bot.parts import make_channels, make_mind
from bot.progress import Progress
from bot.releases import Keeper
from bot.report import Readiness
from bot.run_told import RunTold
from bot.runner import Runner
from bot.sharing import Sharer, lent, sharer
from bot.texts import Texts
from bot.typing import TypingSigns
from bot.worker import Worker
from core import logs
from core.messages import DeliveryReport, Inbound
from core.settings import Settings
from inference.choose import choose
from inference.engine import Engine
from storage import drafts, inbox, jobs, outbox, privacy, reports, store, threads
from storage.store import Store
from storage.threads import Shown
from training.export import ENTRY as EXPORT
from training.export import Exports
from training.jobs import Jobs
from training.registry import open_registry
from training.room import Tenant

HOUSEKEEPING = 3600.0
#: The process of a training run: it joins the store, the guard and the training, as we join ours.
RUN = "cli.trainer"
#: The engine that shares this machine's GPU, or its processor, with a training.
IN_PROCESS = "transformers"
#: Telegram repeats an update for a day at most; a receipt is kept for a week.
RECEIPTS = 7 * 86400.0


@dataclass
class App:
    """The service: what the routes, the pages and the command line may ask of it."""

    settings: Settings
    store: Store
    mind: Mind
    channels: Mapping[str, Channel]
    metrics: Metrics
    intake: Intake
    worker: Worker
    sender: Sender
    typing: TypingSigns
    growing: Drafts
    links: DataLinks
    pictures: PictureLinks
    texts: Texts
    bells: tuple[Bell, Bell, Bell, Bell]
    runner: Runner
    keeper: Keeper
    desk: Desk
    console: Console
    progress: Progress
    run_told: RunTold
    sharer: Sharer | None
    applier: Applier

    def accept(self, inbound: Inbound) -> None:
        """Take a message in for good. Raises StoreError when it could not be committed."""
        self.intake.accept(inbound, now=time.time())

    def report(self, report: DeliveryReport) -> None:
        """Note what a provider said later about a message. Raises StoreError."""
        self.sender.note(report, time.time())

    def start_receiving(self) -> None:
        """Begin to receive on every channel."""
        for channel in self.channels.values():
            channel.start(self.accept)

    def start_working(self) -> None:
        """Start the workers, the senders and the housekeeping."""
        ordinary, urgent, send, send_urgent = self.bells
        run, worker, sender = self.runner.run, self.worker, self.sender
        run("worker", self.settings.workers, lambda: worker.run_one(time.time()), ordinary)
        run("urgent", 1, lambda: worker.run_one(time.time(), urgent_only=True), urgent)
        run("sender", self.settings.senders, lambda: sender.send_next(time.time()), send)
        run(
            "urgent-sender", 1, lambda: sender.send_next(time.time(), urgent_only=True), send_urgent
        )
        lease = self.settings.lease_seconds
        self.runner.every("lease", lease / 4, lambda: self.keep_leases(time.time()))
        self.runner.every("typing", 0.5, lambda: self.typing.tick(time.monotonic()))
        if self.sharer is not None:
            self.runner.every("sharing", releases.EVERY, self._share)
        if self.keeper.able:
            self.keeper.held()  # known before anybody can ask whether we are ready
            self.runner.every("releases", releases.EVERY, lambda: self.keeper.tick(time.time()))
        self.runner.every("drafts", TICK, lambda: self.growing.tick(time.time()))
        self.runner.every("progress", progress.LOOK, lambda: self.progress.tick(time.time()))
        self.runner.every("runs", run_told.LOOK, lambda: self.run_told.tick(time.time()))
        self.runner.every("house", HOUSEKEEPING, lambda: self.keep_house(time.time()))
        logs.event("workers.started", workers=self.settings.workers, senders=self.settings.senders)

    def _share(self) -> None:
        if self.sharer is not None:
            self.sharer.tick(time.monotonic())

    def stop(self) -> None:
        """Finish what is in hand, stop receiving, close everything.

        A channel that is stopped in mid-send leaves a doubt, and with it a reply sent twice.
        """
        self.runner.stop()
        for channel in self.channels.values():
            channel.stop()
        self.keeper.close()
        self.mind.engine.close()
        if self.sharer is not None:
            self.sharer.close()
        self.store.close()

    def keep_leases(self, now: float) -> None:
        """Renew the leases of what is in hand, revive those of the dead, remove erased people."""
        self.worker.renew(now)
        revived = jobs.revive(self.store, now=now)
        again, ended = outbox.revive(self.store, now=now)
        gone = privacy.sweep(self.store)
        drafts.sweep(self.store, now=now)
        self.sender.note_early(now)
        if revived or again or ended or gone:
            logs.event("revived", jobs=revived, parts=again, doubtful=ended, erased=gone)

    def keep_house(self, now: float) -> None:
        """Forget what has been kept long enough."""
        inbox.forget_receipts(self.store, before=now - RECEIPTS)
        self.sender.forget_early(now)
        self.applier.tidy()
        if self.settings.retention_days:
            before = now - self.settings.retention_days * 86400
            old = privacy.forget_old(self.store, before=before)
            logs.event("retention", deleted=old)
        privacy.checkpoint(self.store)

    def readiness(self) -> dict[str, Any]:
        """Whether messages can be taken and answered, and why not."""
        return Readiness(self.store, self.mind, self.channels, self.keeper, self.desk).page()

    def metrics_page(self) -> bytes:
        """The text of /metrics. Raises StoreError."""
        return self.metrics.page(reports.load(self.store, now=time.time()))

    def replies(self, session: str, after: int) -> list[Shown]:
        """What a page session wrote and was answered, after a message id."""
        return threads.shown(self.store, "web", session, after=after)

    def draft(self, session: str) -> str | None:
        """What is written by now of the answer that a page session waits for."""
        return drafts.read(self.store, "web", session)

    def waiting(self, session: str) -> bool:
        """Whether a page session has a message that is not answered yet."""
        return threads.waiting(self.store, "web", session)

    def data(self, token: str) -> str | None:
        """The personal data behind a signed link; None when the link is dead."""
        return self.links.open(token)

    def picture(self, token: str) -> bytes | None:
        """The picture behind a signed link; None when the link is dead."""
        return self.pictures.open(token)

    def release(self, token: str) -> Path | None:
        """The exported release behind a signed link; None when the link is dead."""
        return self.desk.exporting.links.open(token)


def build(
    settings: Settings,
    *,
    engine: Engine | None = None,
    channels: Mapping[str, Channel] | None = None,
    mind: Mind | None = None,
    env_file: str = "",
) -> App:
    """Wire the service. Opens the database but neither migrates it nor starts anything.

    `env_file` is where the settings came from, besides the environment: trainings and exports are
    processes of their own and read it again.
    `engine`, `channels` and `mind` replace what the settings name (tests).
    Raises SettingsError, StoreError.
    """
    database = store.open_store(settings.database_url, settings.data_key.get_secret_value())
    texts = Texts()
    channels = make_channels(settings, texts) if channels is None else channels
    metrics = Metrics()
    bells = (Bell(), Bell(), Bell(), Bell())
    tenant = Tenant(Path(settings.runs))
    engine = engine or (mind.engine if mind else choose(settings, aside=lent(tenant.wanted())))
    mind = mind or make_mind(settings, engine, texts, database, channels)
    lease = f"{socket.gethostname()[:12]}-{uuid.uuid4().hex[:16]}"
    admins = settings.admin_list()
    known = frozenset((c, database.cipher.blind(c, identity_of(a))) for c, a in admins)
    access = Access(database, settings.address(), (actor_of(*admin) for admin in known))
    keeper, desk, mind = _kept(settings, database, mind, lease, access, env_file)
    links = DataLinks(database, settings.address())
    pictures = PictureLinks(database, settings.address())
    announcer = Announcer(database, texts, admins, settings.reply_hours)
    applier = Applier(database, texts, announcer, links.make, mind.triage.title)
    typing, growing = TypingSigns(channels), Drafts(database, channels)
    worker = Worker(
        database,
        mind,
        channels,
        metrics,
        applier,
        bells[2:],
        typing,
        growing,
        lease=lease,
        lease_seconds=settings.lease_seconds,
        memory_turns=settings.memory_turns,
        reply_hours=settings.reply_hours,
        admins=known,
    )
    sender = Sender(
        database,
        channels,
        metrics,
        lease=lease,
        lease_seconds=2 * settings.send_timeout + settings.lease_seconds,
        template=bool(settings.twilio_template_sid),
        link=pictures.make,
    )
    intake = Intake(database, mind, channels, metrics, bells[:2], settings.reply_hours)
    return App(
        settings=settings,
        store=database,
        mind=mind,
        channels=channels,
        metrics=metrics,
        intake=intake,
        worker=worker,
        sender=sender,
        typing=typing,
        growing=growing,
        links=links,
        pictures=pictures,
        texts=texts,
        bells=bells,
        runner=Runner(),
        keeper=keeper,
        desk=desk,
        console=Console(database, desk, mind, access, announcer.announce),
        applier=applier,
        progress=Progress(
            database,
            channels,
            desk.training.jobs,
            desk.registry,
            texts,
            lease,
            announcer,
            ExportTold(announcer, desk.exporting.exports).follow,
        ),
        run_told=RunTold(announcer, desk.training.jobs, desk.registry, known),
        sharer=sharer(engine, tenant),
    )


def _kept(
    settings: Settings, database: Store, mind: Mind, instance: str, access: Access, env_file: str
) -> tuple[Keeper, Desk, Mind]:
    """The mind with its engine kept at the live release, and the admins' orders about that."""
    registry = open_registry(settings, database)
    keeper = Keeper(database, registry, mind.engine, instance, mind.sampling)
    answering = mind.engine
    again = (env_file,) if env_file else ()
    training = Training(
        Jobs(Path(settings.runs), RUN, again),
        settings.model,
        lambda: answering.status().name == IN_PROCESS,
    )
    exports = Exports(Jobs(Path(settings.exports), EXPORT, again))
    links = ReleaseLinks(database, exports, settings.public_url)
    exporting = Exporting(
        exports, registry, links, pushes=bool(settings.hf_token.get_secret_value())
    )
    desk = Desk(database, registry, keeper, training, access, exporting)

    def report(language: str) -> str:
        return "\n".join(filter(None, (mind.report(language), desk.lines(mind.texts, language))))

    if keeper.able:
        engine = Kept(mind.engine, keeper)
        kept = replace(mind, engine=engine, sampling=keeper.sampling)
    else:
        kept = mind
    return keeper, desk, replace(kept, desk=desk.answer, report=report)
