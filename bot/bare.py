"""An answer without the lines that the service puts around it.

For teaching, for correcting, and for the memory of a model that was taught so.

What a person was asked or told beside their answer is stored with it. A model that is taught it
would ask for consent by itself, excuse itself for being late, or name the hospital of another town.
"""

from bot.nearby import MARK
from bot.texts import LANGUAGES, Texts

#: Each is a paragraph of its own, before an answer or behind it (`bot.flow`, `bot.conversation`).
AROUND = ("notice", "training-ask", "late-note", "attachment-note", "edited-note", "nearby-tell")


def bare(answer: str, texts: Texts) -> str:
    """The paragraphs that are the answer itself."""
    around = {texts(key, language) for key in AROUND for language in LANGUAGES}
    parts = answer.split("\n\n")
    return "\n\n".join(p for p in parts if p not in around and not _facilities(p, texts))


def _facilities(part: str, texts: Texts) -> bool:
    """Whether a paragraph is the list of what is near one person (`bot.nearby`)."""
    head, *rows = part.splitlines() or [""]
    listed = bool(rows) and all(row.startswith(MARK) for row in rows)
    heads = (texts("nearby-list", language, place="\n").split("\n") for language in LANGUAGES)
    return listed and any(head.startswith(one) and head.endswith(end) for one, end in heads)
