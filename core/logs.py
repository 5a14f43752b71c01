"""JSON log lines: one per outcome, with ids and durations, never what a person wrote.

`event` is the only way our code logs: its fields are names and numbers. A field whose name could
carry a person's words, name or address is refused: a slip fails in a test instead of leaking.
"""

import json
import logging
import sys
import time
import traceback
from typing import TextIO

#: Never a field of a log line (invariant 9).
FORBIDDEN = frozenset(
    [
        "text",
        "body",
        "message",
        "name",
        "address",
        "sender",
        "phone",
        "chat_id",
        "token",
        "question",
        "answer",
        "at",  # the line's own
    ]
)
#: waitress warns whenever a request waits for a thread: in a burst that is every one.
NOISY, NOISY_PAUSE = frozenset({"waitress.queue"}), 60.0
_logger = logging.getLogger("lafiya")

Value = str | int | float | bool | None


def event(action: str, *, level: int = logging.INFO, **fields: Value) -> None:
    """Log one outcome. Raises ValueError for a field that may carry personal data."""
    wrong = FORBIDDEN & fields.keys()
    if wrong:
        raise ValueError(f"these may not be logged: {', '.join(sorted(wrong))}")
    _logger.log(level, action, extra={"fields": fields})


def crash(action: str, error: BaseException, **fields: Value) -> None:
    """Log an unforeseen error by type and place; its own message may quote a person and is left."""
    frames = traceback.extract_tb(error.__traceback__)
    where = " < ".join(f"{_place(f.filename)}:{f.lineno}" for f in reversed(frames[-4:]))
    event(action, level=logging.ERROR, error=type(error).__name__, where=where, **fields)


def _place(path: str) -> str:
    """A file with its folder: several files are called telegram.py."""
    return "/".join(path.replace("\\", "/").rsplit("/", 2)[-2:])


class _Seldom(logging.Filter):
    """Lets one line a minute through of a library that warns at every request in a burst."""

    def __init__(self) -> None:
        super().__init__()
        self._next: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name not in NOISY:
            return True
        due = record.created >= self._next.get(record.name, 0.0)
        if due:
            self._next[record.name] = record.created + NOISY_PAUSE
        return due


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        row: dict[str, Value] = {"at": _clock(record), "level": record.levelname.lower()}
        row["action"] = _action(record)
        row.update(getattr(record, "fields", {}))
        return json.dumps(row, ensure_ascii=False)


class _PlainLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields = " ".join(f"{k}={v}" for k, v in getattr(record, "fields", {}).items())
        return f"{_clock(record)} {record.levelname.lower():7} {_action(record)} {fields}".rstrip()


def _clock(record: logging.LogRecord) -> str:
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
    return f"{stamp}.{int(record.msecs):03d}Z"


def _action(record: logging.LogRecord) -> str:
    """Our own action; of a library's line only who spoke: its text may hold a token or number."""
    return record.msg if record.name == "lafiya" else f"{record.name}.{record.levelname.lower()}"


def configure(level: str = "INFO", form: str = "json", stream: TextIO | None = None) -> None:
    """Send the log to `stream` (standard error by default) and silence libraries below WARNING.

    httpx logs every URL, and Telegram's URLs hold the bot token: it may not speak at INFO.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_JsonLines() if form == "json" else _PlainLines())
    handler.addFilter(_Seldom())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    _logger.setLevel(level)
