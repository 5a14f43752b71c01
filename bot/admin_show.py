"""What admins are shown of releases and running processes, in their language.

Knows the texts of these lines; reads and changes nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bot.texts import Texts
from inference.engine import BASE
from storage.instances import Serving
from storage.releases import Listed

#: A chat message, not a table: the newest releases, each with its main figures.
MOST_RELEASES = 12
MOST_FIGURES = 4
SHORT_ID = 17


def releases_list(
    texts: Texts,
    language: str,
    rows: Sequence[Listed],
    live: str | None,
    servings: Iterable[Serving],
) -> str:
    """The text of `/models`."""
    lines = [texts("admin-models", language, release=live or BASE)]
    lines += [_release(texts, language, row) for row in rows[:MOST_RELEASES]]
    if not rows:
        lines.append(texts("admin-models-none", language))
    return "\n".join([*lines, *instance_lines(texts, language, servings)])


def instance_lines(texts: Texts, language: str, servings: Iterable[Serving]) -> list[str]:
    """One line for each running process: what it serves, and what keeps it from more."""
    return [
        texts(
            "admin-instance",
            language,
            instance=serving.id[:SHORT_ID],
            engine=serving.engine,
            release=serving.release or "–",
            reason=f" ({serving.reason})" if serving.reason else "",
        )
        for serving in servings
    ]


def figures(row: Listed) -> str:
    """The main figures of a release: the evaluation's, else those of its training."""
    found: Mapping[str, Any] = row.report.get("metrics") or row.manifest.get("metrics") or {}
    numbers = ((name, value) for name, value in found.items() if isinstance(value, int | float))
    return ", ".join(f"{name} {value:.4g}" for name, value in list(numbers)[:MOST_FIGURES])


def spread(texts: Texts, language: str, release: str, servings: Sequence[Serving]) -> str:
    """How far a release has come: live here and there, and what is in its way elsewhere."""
    if not servings:
        return texts("admin-spread-none", language)
    there = sum(serving.release == release for serving in servings)
    key = "admin-spread" if there == len(servings) else "admin-spread-loading"
    head = texts(key, language, there=there, all=len(servings))
    behind = [serving for serving in servings if serving.release != release]
    return "\n".join([head, *instance_lines(texts, language, behind)])


def _release(texts: Texts, language: str, row: Listed) -> str:
    shown, state = figures(row), texts(f"admin-state-{row.state}", language)
    if row.forced:
        state = f"{state}, {texts('admin-state-forced', language)}"
    return texts(
        "admin-model",
        language,
        release=f"{row.label} ({row.name})" if row.label else row.name,
        state=state,
        figures=f": {shown}" if shown else "",
    )
