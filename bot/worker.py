"""One accepted message from claim to committed reply.

claim → load → `conversation.answer` (no transaction open) → reply, changes and job end in one
transaction. A crash before the commit leaves the job to be claimed again; nothing is sent here.
"""

import itertools
import logging
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace

from bot import conversation
from bot.announce import actor_of
from bot.apply import Applier
from bot.bell import Bell
from bot.channels.base import Channel
from bot.channels.split import split
from bot.delivery import parts
from bot.drafts import Drafts
from bot.effects import Outcome
from bot.metrics import Metrics
from bot.mind import Mind
from bot.streaming import Show
from bot.typing import TypingSigns
from core import logs
from core.messages import Capabilities, Turn
from storage import drafts, jobs, outbox, threads
from storage.jobs import Claimed
from storage.store import Store
from storage.threads import Thread

#: After so many tries the vetted fallback answers instead. A kill counts as a try of every job in
#: hand, so a few restarts in a row must not cost anybody their answer.
POISON = 5
#: After so many even the fallback has failed (a row that cannot be read): the job ends.
HOPELESS = 20
#: What numbered choices may add to a text where there are no buttons.
CHOICES_ROOM = 300
#: PostgreSQL refuses what its column cannot hold: a model's folder as its release, say.
LONGEST_STAMP = 64


class Worker:
    """Answers jobs. `run_one` may be called from several threads."""

    def __init__(
        self,
        store: Store,
        mind: Mind,
        channels: Mapping[str, Channel],
        metrics: Metrics,
        applier: Applier,
        bells: tuple[Bell, Bell],
        typing: TypingSigns,
        growing: Drafts,
        *,
        lease: str,
        lease_seconds: float,
        memory_turns: int,
        reply_hours: float,
        admins: frozenset[tuple[str, str]] = frozenset(),
    ) -> None:
        """`lease` names this process, at most 29 characters; `bells` wake the senders.

        `admins` are (channel, identity) pairs.
        """
        self._store, self._mind, self._channels = store, mind, channels
        self._metrics, self._applier, self._bells, self._typing = metrics, applier, bells, typing
        self._growing = growing
        self._lease, self._lease_seconds = lease, lease_seconds
        self._memory_turns, self._reply_hours = memory_turns, reply_hours
        self._admins = admins
        self._numbers, self._held = itertools.count(1), set[str]()
        self._holding = threading.Lock()

    def run_one(self, now: float, *, urgent_only: bool = False) -> bool:
        """Answer the next message; False when there is none. Raises StoreError."""
        with self._leased() as lease:
            job = jobs.claim(
                self._store,
                lease=lease,
                now=now,
                lease_seconds=self._lease_seconds,
                urgent_only=urgent_only,
            )
            if job is None:
                return False
            try:
                self._answer(job, now)
            except Exception as error:
                logs.crash("message.failed", error, job=job.id, attempt=job.attempts)
                self._put_back(job, now)
        return True

    def _put_back(self, job: Claimed, now: float) -> None:
        """Try again soon; what nothing can answer must not hold up the conversation for ever."""
        if job.attempts < HOPELESS:
            jobs.put_back(self._store, job, now=now, delay=0.2 * job.attempts)
            return
        with self._store.write() as connection:
            jobs.finish(connection, job, now=now)
        logs.event("message.given_up", level=logging.ERROR, job=job.id, attempt=job.attempts)

    def renew(self, now: float) -> None:
        """Say that the jobs in hand are being worked on. Raises StoreError."""
        with self._holding:
            held = tuple(self._held)
        for lease in held:
            jobs.renew(self._store, lease, now=now, lease_seconds=self._lease_seconds)

    @contextmanager
    def _leased(self) -> Iterator[str]:
        """A lease for one job, kept alive only in here: one not put back must end by itself.

        The traceback of a failed `put_back` may keep the claim's own value alive for long.
        """
        lease = f"{self._lease}.{next(self._numbers)}"
        with self._holding:
            self._held.add(lease)
        try:
            yield lease
        finally:
            with self._holding:
                self._held.discard(lease)

    def _answer(self, job: Claimed, now: float) -> None:
        thread = threads.load(self._store, job.message_id, turns=self._memory_turns)
        if thread is None:
            return
        thread = replace(thread, turn=self._turn(thread))
        started = time.monotonic()
        with self._typing.shown(thread.channel, thread.address), self._draft(job, thread) as show:
            outcome = self._decide(job, thread.turn, show)
        seconds = time.monotonic() - started
        if self._commit(job, thread, outcome, now + seconds, seconds):
            self._bells[_urgent(job, outcome)].ring()
            self._tell(job, thread, outcome, now + seconds, seconds)

    def _draft(self, job: Claimed, thread: Thread) -> AbstractContextManager[Show | None]:
        """Where the answer is shown as it grows; what a try before this one left is removed."""
        if job.attempts > 1 and self._can(thread.channel).pulled:
            drafts.forget(self._store, thread.message_id)
        return self._growing.shown(thread.channel, thread.address, thread.message_id)

    def _turn(self, thread: Thread) -> Turn:
        can = self._can(thread.channel)
        is_admin = (thread.channel, thread.identity) in self._admins
        return replace(
            thread.turn,
            consent_on_page=can.consent_on_page,
            documents=can.documents,
            pictures=can.pictures,
            is_admin=is_admin,
            actor=actor_of(thread.channel, thread.identity) if is_admin else "",
        )

    def _decide(self, job: Claimed, turn: Turn, show: Show | None) -> Outcome:
        if job.attempts > POISON:
            return conversation.last_resort(turn, self._mind)
        return conversation.answer(turn, self._mind, show)

    def _commit(
        self, job: Claimed, thread: Thread, outcome: Outcome, now: float, seconds: float
    ) -> bool:
        """Reply, outbox, changes and the job's end, all or nothing; False if the lease was lost."""
        answer, engine = outcome.answer, self._mind.engine.status().name
        with self._store.write(patient=not job.urgent) as connection:
            line = jobs.finish(connection, job, now=now)
            if line is None:
                return False
            reply, line = self._applier.apply(connection, thread, line, outcome, now=now)
            message_id = threads.add_reply(
                connection,
                self._store,
                line,
                reply.text,
                now=now,
                reply_to=thread.message_id,
                source=answer.source.value,
                danger_sign=answer.danger_sign,
                urgency=answer.urgency,
                topic=answer.topic,
                engine=engine[:32],
                release=answer.release and answer.release[:LONGEST_STAMP],
                reason=answer.reason and answer.reason[:LONGEST_STAMP],
                seconds=seconds,
            )
            if self._can(thread.channel).pulled:
                drafts.drop(connection, thread.message_id)
            outbox.enqueue(
                connection,
                self._store,
                line,
                message_id,
                parts(reply, split(reply.text, self._room(thread.channel, bool(reply.choices)))),
                urgent=_urgent(job, outcome),
                now=now,
                expires_at=now + self._reply_hours * 3600,
            )
        return True

    def _room(self, channel: str, choices: bool) -> int:
        return self._can(channel).text_limit - (CHOICES_ROOM if choices else 0)

    def _can(self, channel: str) -> Capabilities:
        known = self._channels.get(channel)
        return known.can if known else Capabilities(text_limit=1600)

    def _tell(
        self, job: Claimed, thread: Thread, outcome: Outcome, now: float, seconds: float
    ) -> None:
        answer = outcome.answer
        self._metrics.answered.labels(thread.channel, answer.source.value).inc()
        self._metrics.answering.labels(answer.source.value).observe(seconds)
        self._metrics.waiting.labels(str(job.urgent).lower()).observe(max(0, now - job.created_at))
        if answer.danger_sign:
            self._metrics.danger.labels(answer.danger_sign).inc()
        logs.event(
            "message.answered",
            job=job.id,
            conversation=thread.conversation_id,
            channel=thread.channel,
            source=answer.source.value,
            sign=answer.danger_sign,
            topic=answer.topic,
            reason=answer.reason,
            release=answer.release,
            attempt=job.attempts,
            seconds=round(seconds, 3),
            waited=round(now - job.created_at, 3),
        )


def _urgent(job: Claimed, outcome: Outcome) -> bool:
    """Also when triage failed as the message came in and found the sign only now."""
    return job.urgent or bool(outcome.answer.danger_sign)
