"""A re-ranker that obeys: for tests, beside its port."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Event


@dataclass
class FakeReranker:
    """Prefers what holds `favourite`; or gives `given`, waits for `gate`, raises `fault`."""

    favourite: str = ""
    given: Sequence[float] | None = None
    gate: Event | None = None
    fault: Exception | None = None
    asked: list[str] = field(default_factory=list)

    def scores(self, question: str, passages: Sequence[str]) -> Sequence[float]:
        """One number a passage."""
        self.asked.append(question)
        if self.gate is not None:
            self.gate.wait()
        if self.fault is not None:
            raise self.fault
        if self.given is not None:
            return self.given
        return [float(self.favourite in passage) for passage in passages]
