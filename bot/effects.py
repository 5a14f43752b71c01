"""What an answer changes, as values: decided in the conversation, applied by the worker.

Each is one small fact; applying it is one write in the reply's transaction.
"""

from dataclasses import dataclass, field

from core.messages import Answer


@dataclass(frozen=True, slots=True)
class SetLanguage:
    """The person chose a language."""

    language: str


@dataclass(frozen=True, slots=True)
class SetStopped:
    """The person stopped or started again."""

    stopped: bool


@dataclass(frozen=True, slots=True)
class Consented:
    """The person said yes or no to the "service" or "training" use of their messages."""

    kind: str
    granted: bool


@dataclass(frozen=True, slots=True)
class Hold:
    """This message waits for the person's consent, with those that wait already."""


@dataclass(frozen=True, slots=True)
class Unhold:
    """No question waits any more."""


@dataclass(frozen=True, slots=True)
class SetTopic:
    """The library topic that "ƙari" will be about."""

    topic: str | None


@dataclass(frozen=True, slots=True)
class Noticed:
    """The notice was shown."""


@dataclass(frozen=True, slots=True)
class AskedTraining:
    """The training consent was asked for."""


@dataclass(frozen=True, slots=True)
class Erase:
    """Everything up to this message is erased."""


@dataclass(frozen=True, slots=True)
class HandOver:
    """The person's data are put into the reply: as a document, or behind a link."""


@dataclass(frozen=True, slots=True)
class Alert:
    """The health workers are told of a danger sign."""

    sign: str
    urgency: str


@dataclass(frozen=True, slots=True)
class Used:
    """An admin used an order (`bot.admin`, `/status`); `actor` is how the audit names them."""

    order: str
    actor: str


@dataclass(frozen=True, slots=True)
class Begun:
    """An admin began a run outside any chat: theirs is told so, in these words, and how it ends."""

    run: str
    text: str
    actor: str


@dataclass(frozen=True, slots=True)
class Watch:
    """This conversation is told how a run or an examination goes on (`training.jobs.Jobs.key`)."""

    run: str


@dataclass(frozen=True, slots=True)
class WantsYes:
    """The other admins are told that a release waits for their yes; `actor` has said theirs."""

    release: str
    there: int
    needed: int
    actor: str


@dataclass(frozen=True, slots=True)
class Forced:
    """Somebody put a release live on the command line, or wants to, without a passed gate.

    `counter` is the pointer's: the same release forced again is another thing to tell.
    """

    release: str
    reason: str
    there: int
    needed: int
    counter: int

    @property
    def live(self) -> bool:
        """Whether as many have agreed as are needed."""
        return self.there >= self.needed


@dataclass(frozen=True, slots=True)
class Show:
    """An admin is shown others' words, each in a message that is forgotten soon."""

    texts: tuple[str, ...] = field(repr=False)


Effect = (
    SetLanguage
    | SetStopped
    | Consented
    | Hold
    | Unhold
    | SetTopic
    | Noticed
    | AskedTraining
    | Erase
    | HandOver
    | Alert
    | Used
    | Watch
    | WantsYes
    | Show
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """An answer and what it changes."""

    answer: Answer
    effects: tuple[Effect, ...] = ()

    def then(self, *more: Effect) -> "Outcome":
        """The same outcome with more effects."""
        return Outcome(self.answer, (*self.effects, *more))
