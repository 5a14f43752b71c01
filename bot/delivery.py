"""The way out: one part at a time from the outbox to its provider, and what became of it.

At-least-once: a part is marked as being sent right before the request. Certain failures are tried
again until the reply expires; each doubtful outcome earns one repeat, a few at most; a refusal ends
it. Knows error kinds, not vendors.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace

from bot.channels.base import Channel
from bot.limiter import Limiter
from bot.metrics import Metrics
from core import logs
from core.errors import SendDoubtful, SendError, SendLater, SendRefused, StoreError
from core.messages import Delivery, DeliveryReport, Reply
from storage import early_reports, outbox
from storage.outbox import Parcel
from storage.store import Store

BACKOFF_CAP = 300.0
#: A provider that says "later, at once" is not asked in a circle.
LEAST_WAIT = 0.5
#: So many parts are read at a time, and so often, when chats must wait for their turn.
LOOK_AHEAD, LOOKS = 8, 4
#: Waits between tries to record an outcome; in all less than the part's lease.
RECORD_PAUSES = (0.1, 0.3, 1.0, 2.0, 4.0)
#: A part that the provider took and could not pass on goes again after this time.
AGAIN_AFTER = 60.0
OUTSIDE_WINDOW = "63016"
#: So long a provider's word waits for its message; after that the message is not ours.
EARLY_WORDS = 3600.0


def backoff(attempts: int) -> float:
    """Seconds before try number `attempts` + 1: 1, 2, 4 ... up to five minutes."""
    return min(BACKOFF_CAP, 2.0 ** min(max(0, attempts - 1), 16))


class Sender:
    """Hands parts over. `send_next` may be called from several threads."""

    def __init__(
        self,
        store: Store,
        channels: Mapping[str, Channel],
        metrics: Metrics,
        *,
        lease: str,
        lease_seconds: float = 25.0,
        template: bool = False,
        link: Callable[[int], str] = lambda part: "",
    ) -> None:
        """`template`: there is an approved template to use outside a provider's window.

        `link` is where a provider that fetches documents finds that of a part.
        """
        self._store, self._channels, self._metrics = store, channels, metrics
        self._lease, self._lease_seconds, self._template = lease, lease_seconds, template
        self._link = link
        self._limiter = Limiter()
        self._picking = (threading.Lock(), threading.Lock())
        self._turns = (deque(channels), deque(channels))

    def send_next(self, now: float, *, urgent_only: bool = False) -> bool:
        """Send one part that may go now; False when there is none."""
        # A lane each: an urgent part does not stand behind an ordinary pick that gives way.
        with self._picking[urgent_only]:
            parcel = self._pick(now, urgent_only)
        if parcel is None:
            return False
        self._hand_over(parcel, now)
        return True

    def _pick(self, now: float, urgent_only: bool) -> Parcel | None:
        """The first part that the limits let through, marked as being sent."""
        turns = self._turns[urgent_only]
        for _ in self._channels:
            # Whose turn it was goes last: with work for all, each look finds some.
            name = turns[0]
            turns.rotate(-1)
            if self._limiter.channel_wait(name, self._channels[name].can, now):
                continue
            parcel = self._first(name, now, urgent_only)
            if parcel:
                return parcel
        return None

    def _first(self, name: str, now: float, urgent_only: bool) -> Parcel | None:
        for _ in range(LOOKS):
            seen = 0
            for parcel in outbox.ready(
                self._store, name, now=now, limit=LOOK_AHEAD, urgent_only=urgent_only
            ):
                if self._may_go(parcel, now):
                    return parcel
                seen += 1
            if seen < LOOK_AHEAD:
                return None
        return None

    def _may_go(self, parcel: Parcel, now: float) -> bool:
        can = self._channels[parcel.channel].can
        wait = self._limiter.chat_wait(parcel.conversation_id, can, now)
        # What a life may hang on is not held back by our own pace; the provider's 429 is obeyed.
        if wait and not parcel.urgent:
            outbox.postpone(self._store, parcel.id, until=now + wait)
            return False
        if not outbox.start(
            self._store, parcel, lease=self._lease, now=now, lease_seconds=self._lease_seconds
        ):
            return False
        self._limiter.take(parcel.channel, parcel.conversation_id, can, now)
        return True

    def _hand_over(self, parcel: Parcel, now: float) -> None:
        can = self._channels[parcel.channel].can
        if now > parcel.expires_at:
            return self._end(parcel, "expired", now, code="expired")
        closed = can.window_hours and now > parcel.last_in_at + can.window_hours * 3600
        if closed and not parcel.template:
            return self._outside_window(parcel, now)
        started = time.monotonic()
        taken = self._send(parcel)
        now += time.monotonic() - started
        if isinstance(taken, SendError):
            return self._failed(parcel, taken, now)
        return self._end(parcel, "sent", now, provider_id=taken.provider_id[:64] or None)

    def _send(self, parcel: Parcel) -> Delivery | SendError:
        """The provider's answer, or what kind of failure it was; one unforeseen is a doubt."""
        channel, reply = self._channels[parcel.channel], parcel.reply
        if reply.document and channel.can.fetches:
            reply = replace(reply, link=self._link(parcel.id))
        try:
            return channel.send(parcel.address, reply, template=parcel.template)
        except SendError as error:
            return error
        except Exception as error:
            logs.crash("send.failed", error, part=parcel.id)
            return SendDoubtful(code=type(error).__name__)

    def _failed(self, parcel: Parcel, error: SendError, now: float) -> None:
        """A refusal or one doubt too many ends the part; anything else is tried again."""
        code = (error.code or type(error).__name__)[:32]
        attempts = parcel.attempts + 1
        match error:
            case SendRefused() if code == OUTSIDE_WINDOW and not parcel.template:
                self._outside_window(parcel, now)
            case SendRefused():
                self._end(parcel, "refused", now, code=code)
            case SendLater(after=after):
                wait = backoff(attempts) if after is None else max(after, LEAST_WAIT)
                self._again(parcel, now, wait, code)
            case _ if parcel.doubts >= outbox.MOST_DOUBTS:
                self._end(parcel, "doubtful", now, code=code)
            case _:
                self._again(parcel, now, backoff(attempts), code, doubts=parcel.doubts + 1)

    def _again(
        self, parcel: Parcel, now: float, wait: float, code: str, *, doubts: int | None = None
    ) -> None:
        if now + wait > parcel.expires_at:
            return self._end(parcel, "expired", now, code=code)
        values = {"not_before": now + wait, "code": code}
        if doubts is not None:
            values["doubts"] = doubts
        return self._settle(parcel, "queued", now, **values)

    def _outside_window(self, parcel: Parcel, now: float) -> None:
        """Hold the text until the person writes and invite them by template, or record the end."""
        if not self._template:
            return self._end(parcel, "expired", now, code=OUTSIDE_WINDOW)
        self._settle(parcel, "waiting", now, code=OUTSIDE_WINDOW)
        return outbox.invite(self._store, parcel.id, now=now)

    def _end(self, parcel: Parcel, status: str, now: float, **values: object) -> None:
        self._settle(parcel, status, now, **values)

    def _settle(self, parcel: Parcel, status: str, now: float, **values: object) -> None:
        self._record(
            lambda: outbox.settle(
                self._store, parcel.id, lease=self._lease, status=status, now=now, **values
            )
        )
        outcome = "retry" if status == "queued" else status
        self._metrics.sends.labels(parcel.channel, outcome).inc()
        logs.event(
            "part.sent" if status == "sent" else "part.not_sent",
            part=parcel.id,
            channel=parcel.channel,
            outcome=outcome,
            attempt=parcel.attempts + 1,
            code=str(values.get("code") or "") or None,
        )

    def _record(self, write: Callable[[], None]) -> None:
        """Write what is known; a database that is away a moment must not turn it into a doubt."""
        for pause in RECORD_PAUSES:
            try:
                return write()
            except StoreError:
                time.sleep(pause)
        return write()

    def note(self, word: DeliveryReport, now: float) -> None:
        """A provider's later word on a part; one that says "outside the window" is acted on."""
        part = outbox.report(self._store, word)
        if part is None and not early_reports.keep(self._store, word, now=now):
            # No news, or its message was recorded between the two looks.
            part = outbox.report(self._store, word)
        known = part is not None
        if known:
            self._metrics.sends.labels(word.channel, f"report_{word.status}"[:32]).inc()
        logs.event(
            "part.report", channel=word.channel, status=word.status, code=word.code, ok=known
        )
        if part is None:
            return
        if word.send_again:
            outbox.again(self._store, part, until=now + AGAIN_AFTER)
        elif word.code == OUTSIDE_WINDOW and self._template:
            outbox.hold(self._store, part)
            outbox.invite(self._store, part, now=now)

    def note_early(self, now: float) -> int:
        """Act on the words that came before their message was recorded. How many."""
        words = early_reports.due(self._store)
        for word in words:
            # Dropped last: what a crash lets happen twice changes nothing.
            self.note(word, now)
            early_reports.drop(self._store, word)
        return len(words)

    def forget_early(self, now: float) -> None:
        """Forget the words on messages that are not ours."""
        early_reports.forget(self._store, before=now - EARLY_WORDS)


def parts(reply: Reply, texts: list[str]) -> list[Reply]:
    """The parts of a long reply: buttons and document go with the last."""
    *first, last = texts or [reply.text]
    return [*(Reply(text) for text in first), Reply(last, reply.choices, reply.document)]
