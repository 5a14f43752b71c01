"""Messages of many chats, delivered as providers do: in order per chat, repeated until a 2xx.

Knows how to write and deliver them, and how to tell what became of each from what the providers
saw. Knows nothing of the inside of the service.
"""

import http.client
import random
import re
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from tests.acceptance.service import Request, Service, Upset, telegram, whatsapp
from tests.providers import UNCLEAR, Providers, Sent

MARK = re.compile(r"lamba (\d+)-(\d+)\b")
#: Within this time before a kill or a crash, what was sent may not be on record yet.
IN_HAND = 1.0


@dataclass(frozen=True)
class Note:
    """One message of one chat: `number` counts within the chat."""

    channel: str
    chat: int
    number: int
    copies: int

    @property
    def key(self) -> tuple[int, int]:
        """What the reply is recognised by."""
        return self.chat, self.number

    @property
    def address(self) -> str:
        """The chat as the provider knows it."""
        return str(self.chat) if self.channel == "telegram" else f"+{self.chat}"

    @property
    def text(self) -> str:
        """A question, with the mark that an echo brings back."""
        return f"Ina da tambaya a kan lafiyar iyalina, lamba {self.chat}-{self.number}"

    def request(self) -> Request:
        """The authentic webhook call."""
        if self.channel == "telegram":
            return telegram(self.chat % 10**6 * 100 + self.number, self.chat, self.text)
        return whatsapp(self.chat * 100 + self.number, self.address, self.text)


def write(deliveries: int, *, per_chat: int = 4, twice: float = 0.2, seed: int = 0) -> list[Note]:
    """So many deliveries, half of either channel, a share of them sent twice."""
    draw = random.Random(seed)
    distinct = round(deliveries / (1 + twice))
    repeated = set(draw.sample(range(distinct), deliveries - distinct))
    notes = []
    for index in range(distinct):
        pair, channel = divmod(index, 2)
        chat, number = divmod(pair, per_chat)
        base = 2348000100000 if channel else 771000000
        name = "whatsapp" if channel else "telegram"
        notes.append(Note(name, base + chat, number, 2 if index in repeated else 1))
    return notes


@dataclass
class Deliverer:
    """Delivers chats side by side, each in order, at most `rate` deliveries a second in all."""

    service: Service
    rate: float = 100.0
    threads: int = 8
    accepted: int = 0
    refused: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    due: float = field(default_factory=time.monotonic)
    workers: list[threading.Thread] = field(default_factory=list)
    faults: list[Exception] = field(default_factory=list)

    def begin(self, notes: Iterable[Note]) -> None:
        """Start delivering in the background; chats take turns."""
        lanes: list[list[Note]] = [[] for _ in range(self.threads)]
        for note in sorted(notes, key=lambda n: n.number):
            lanes[note.chat % self.threads].append(note)
        for lane in lanes:
            worker = threading.Thread(target=self._run, args=(lane,), daemon=True)
            self.workers.append(worker)
            worker.start()

    def finish(self, seconds: float = 300) -> None:
        """Wait until everything was answered with a 2xx."""
        until = time.monotonic() + seconds
        for worker in self.workers:
            worker.join(max(0.0, until - time.monotonic()))
        assert not self.faults, self.faults[0]
        assert not any(worker.is_alive() for worker in self.workers), "deliveries are stuck"

    def _run(self, lane: Sequence[Note]) -> None:
        line = Line(self.service)
        try:
            for note in lane:
                for _ in range(note.copies):
                    self._wait_turn()
                    self._deliver(line, note.request())
        except Exception as error:
            self.faults.append(error)
        finally:
            line.close()

    def _wait_turn(self) -> None:
        with self.lock:
            now = time.monotonic()
            self.due = max(self.due + 1 / self.rate, now - 1)
            wait = self.due - now
        if wait > 0:
            time.sleep(wait)

    def _deliver(self, line: "Line", request: Request) -> None:
        pause = 0.0
        for _ in range(1000):
            status = line.post(request)
            if 200 <= status < 300:
                with self.lock:
                    self.accepted += 1
                return
            assert status == 0 or status >= 500, f"an authentic delivery got {status}"
            with self.lock:
                self.refused += 1
            time.sleep(pause)
            pause = min(0.2, pause + 0.05)
        raise AssertionError("the service never came back")


class Line:
    """One kept-alive connection, made again when it breaks."""

    def __init__(self, service: Service) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)

    def post(self, request: Request) -> int:
        """The status; 0 when there was no answer."""
        path, body, headers = request
        try:
            self._connection.request("POST", path, body, headers)
            response = self._connection.getresponse()
            response.read()
            return response.status
        except (OSError, http.client.HTTPException):
            self._connection.close()
            return 0

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


def marks(providers: Providers) -> list[tuple[tuple[int, int], Sent]]:
    """Every send of an echo, in order, with the (chat, number) it repeats."""
    with providers.lock:
        sent = list(providers.sent)
    found = ((MARK.search(item.text), item) for item in sent)
    return [((int(mark[1]), int(mark[2])), item) for mark, item in found if mark]


@dataclass(frozen=True)
class Verdict:
    """What became of a run's messages."""

    distinct: int
    answered: int
    lost: int
    #: Those of the lost with a send that was left in doubt: the service gave them up, and knows it.
    lost_in_doubt: int
    out_of_order: int
    repeated: int
    repeated_without_doubt: int
    #: Repeats after a send that the provider answered, but too late for the service: a machine
    #: under load. Believed of a few messages only.
    repeated_late: int
    sends: int
    faulty: int
    #: Each reply that came twice without doubt: its sends, and how long after the upsets they were.
    unexplained: tuple[str, ...]

    @property
    def fine(self) -> bool:
        """Nothing lost, nothing out of order, nothing twice without a doubtful send."""
        believed = self.repeated_late <= max(2, self.distinct // 20)
        return believed and not (self.lost or self.out_of_order or self.repeated_without_doubt)


def judge(
    notes: Sequence[Note],
    providers: Providers,
    upsets: Sequence[Upset],
    doubts: Mapping[tuple[int, int], int] = MappingProxyType({}),
) -> Verdict:
    """Compare what was written with what people received; `upsets` may leave a send in doubt.

    `doubts` is how often the service itself was in doubt about each reply.
    """
    tries: dict[tuple[int, int], list[Sent]] = defaultdict(list)
    first: dict[int, list[int]] = defaultdict(list)
    everything = marks(providers)
    for key, sent in everything:
        if sent.taken and not any(s.taken for s in tries[key]):
            first[key[0]].append(key[1])
        tries[key].append(sent)
    missing = [n for n in notes if not any(s.taken for s in tries[n.key])]
    in_doubt = [n for n in missing if any(doubtful(s, upsets) for s in tries[n.key])]
    wrong = {key: unexcused(seen, upsets) for key, seen in tries.items()}
    late = {key: min(wrong[key], _unseen(tries[key], doubts.get(key, 0), upsets)) for key in wrong}
    copies = [[s.taken for s in seen].count(True) - 1 for seen in tries.values()]
    return Verdict(
        distinct=len(notes),
        answered=len(notes) - len(missing),
        lost=len(missing),
        lost_in_doubt=len(in_doubt),
        out_of_order=sum(order != sorted(order) for order in first.values()),
        repeated=sum(count for count in copies if count > 0),
        repeated_without_doubt=sum(wrong.values()) - sum(late.values()),
        repeated_late=sum(late.values()),
        sends=len(everything),
        faulty=sum(sent.outcome != "ok" for _, sent in everything),
        unexplained=tuple(_story(t, upsets) for t in tries.values() if unexcused(t, upsets)),
    )


def _story(tries: Sequence[Sent], upsets: Sequence[Upset]) -> str:
    """What happened to one reply, for whoever looks into a failed run."""
    parts = []
    for sent in tries:
        near = [f"{sent.at - u.begun:+.2f}..{sent.at - u.ended:+.2f} {u.what}" for u in upsets]
        parts.append(f"{sent.outcome} taken={sent.taken} ({'; '.join(near)})")
    return " | ".join(parts)


def doubtful(sent: Sent, upsets: Sequence[Upset]) -> bool:
    """Whether the service could not know what became of a send."""
    return sent.outcome in UNCLEAR or any(u.begun - IN_HAND < sent.at <= u.ended for u in upsets)


def _unseen(tries: Sequence[Sent], doubts: int, upsets: Sequence[Upset]) -> int:
    """How many of the service's doubts the provider knows nothing of: its answer came too late."""
    return max(0, doubts - sum(doubtful(sent, upsets) for sent in tries))


def unexcused(tries: Sequence[Sent], upsets: Sequence[Upset]) -> int:
    """How many receipts followed another one with no doubtful send since."""
    wrong, received, doubt = 0, False, False
    for sent in tries:
        if sent.taken:
            wrong += received and not doubt
            received, doubt = True, False
        doubt = doubt or doubtful(sent, upsets)
    return wrong
