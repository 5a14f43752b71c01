"""What every vendor's text needs on its way in and out. Pure; knows no vendor."""

from collections.abc import Sequence

from core.messages import Choice


def clean(value: object) -> str:
    """The value as text that any database can hold; "" for anything that is not text.

    JSON may carry half a surrogate pair, and both SQLite's driver and PostgreSQL refuse it, as
    PostgreSQL refuses NUL: each becomes the replacement character, so that nothing else is lost.
    """
    if not isinstance(value, str):
        return ""
    whole = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole.replace("\0", "\ufffd")


def numbered(text: str, choices: Sequence[Choice]) -> str:
    """The text with its buttons written out as numbered lines, for where there are no buttons."""
    lines = [f"{number}. {choice.label}" for number, choice in enumerate(choices, 1)]
    return "\n\n".join(part for part in (text, "\n".join(lines)) if part)
