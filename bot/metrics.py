"""What Prometheus reads: outcomes and the times they took, labelled by kind, never by person."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from storage.reports import Load

SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120)


class Metrics:
    """One registry an app, so that two apps in one test do not share counts."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.received = Counter(
            "lafiya_messages_received", "Messages accepted", ["channel"], registry=self.registry
        )
        self.duplicates = Counter(
            "lafiya_messages_repeated", "Repeated deliveries", ["channel"], registry=self.registry
        )
        self.answered = Counter(
            "lafiya_messages_answered",
            "Answers by who worded them",
            ["channel", "source"],
            registry=self.registry,
        )
        self.danger = Counter(
            "lafiya_danger_signs", "Danger signs answered", ["sign"], registry=self.registry
        )
        self.answering = Histogram(
            "lafiya_answer_seconds",
            "Time to make an answer",
            ["source"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self.waiting = Histogram(
            "lafiya_wait_seconds",
            "Time from acceptance to the answer's commit",
            ["urgent"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self.sends = Counter(
            "lafiya_sends", "Sends by outcome", ["channel", "outcome"], registry=self.registry
        )
        self._queue = Gauge(
            "lafiya_jobs", "Messages that wait for an answer", ["status"], registry=self.registry
        )
        self._oldest = Gauge(
            "lafiya_oldest_job_seconds", "Age of the oldest of them", registry=self.registry
        )
        self._parts = Gauge(
            "lafiya_outbox", "Parts of replies by status", ["status"], registry=self.registry
        )

    def page(self, load: Load) -> bytes:
        """The text that /metrics serves, with the queues as they are now."""
        self._queue.labels("queued").set(load.queued)
        self._queue.labels("running").set(load.running)
        self._oldest.set(load.oldest_wait)
        self._parts.clear()
        for status, count in load.parts.items():
            self._parts.labels(status).set(count)
        return generate_latest(self.registry)
