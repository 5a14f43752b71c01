"""The error tree. Foreign exceptions are mapped onto it at the border (channel, engine, store).

LafiyaError
 ├── SettingsError            a setting is missing or wrong; says which and what to do
 ├── StoreError               the store cannot be used
 │    └── WrongDataKey        this database was written with another DATA_KEY
 ├── BadRequest               an outside caller sent something that cannot be read (4xx)
 │    └── Forged              its signature or secret is missing or wrong (403)
 ├── SendError                a reply could not be handed to a provider
 │    ├── SendRefused         the provider will never take it (blocked, bad address, too long)
 │    ├── SendLater           it was certainly not taken; try again, perhaps after a given time
 │    └── SendDoubtful        nobody knows whether it was taken (time-out, reset, unreadable answer)
 ├── ReleaseRefused           a release may not be added, judged or made live; says why
 └── EngineError              the engine gave no answer
      ├── EngineAbsent        there is no model (library only), or it is not ready
      ├── EngineBusy          its queue is full
      ├── EngineTimeout       the deadline passed
      └── ReleaseUnusable     an adapter cannot be served; says which and why
"""


class LafiyaError(Exception):
    """Something this service knows how to name."""

    def __str__(self) -> str:
        return super().__str__() or (type(self).__doc__ or "").splitlines()[0]


class SettingsError(LafiyaError):
    """A setting is missing or wrong."""


class StoreError(LafiyaError):
    """The store cannot be used."""


class WrongDataKey(StoreError):
    """This database was written with another DATA_KEY."""


class BadRequest(LafiyaError):
    """The request cannot be read."""


class Forged(BadRequest):
    """The signature or secret is missing or wrong."""


class SendError(LafiyaError):
    """A reply could not be handed to the provider. `code` is the provider's own code."""

    retryable = False

    def __init__(self, message: str = "", *, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code


class SendRefused(SendError):
    """The provider will never take this message. `gone`: the person blocked or left us."""

    def __init__(self, message: str = "", *, code: str | None = None, gone: bool = False) -> None:
        super().__init__(message, code=code)
        self.gone = gone


class SendLater(SendError):
    """The provider certainly did not take it. `after` is the wait it asked for, in seconds."""

    retryable = True

    def __init__(
        self, message: str = "", *, code: str | None = None, after: float | None = None
    ) -> None:
        super().__init__(message, code=code)
        self.after = after


class SendDoubtful(SendError):
    """Nobody knows whether the provider took it."""

    retryable = True


class ReleaseRefused(LafiyaError):
    """A release may not be added, judged or made live.

    `code` is a stable word for the reason, `release` what it is about, for texts in any language.
    """

    def __init__(self, code: str, message: str, release: str = "") -> None:
        super().__init__(message)
        self.code, self.release = code, release


class EngineError(LafiyaError):
    """The engine gave no answer."""


class EngineAbsent(EngineError):
    """There is no model, or it is not ready."""


class EngineBusy(EngineError):
    """The engine's queue is full."""


class EngineTimeout(EngineError):
    """The deadline passed. `release` is the one whose words were told by then, if any were."""

    def __init__(self, message: str = "", release: str | None = None) -> None:
        super().__init__(message)
        self.release = release


class ReleaseUnusable(EngineError):
    """The engine cannot serve this release: says which and why, for the operator."""
