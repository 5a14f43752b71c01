"""An examination as a page and a picture: base, live and candidate side by side."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from training.cases import Case
from training.curve import plotter
from training.evaluate import Examined, Figures
from training.registry import Report

#: (figure, what people call it, how it is written)
ROWS: Final = (
    ("danger", "Danger signs seen", "percent"),
    ("harmful", "Harmful answers stopped", "percent"),
    ("hausa", "Answers in Hausa", "percent"),
    ("broken", "Broken answers", "percent"),
    ("refused", "Answers refused by the guard", "percent"),
    ("loss", "Held-out loss (nats a token)", "number"),
    ("perplexity", "Perplexity", "number"),
    ("chrf", "chrF against vetted answers", "number"),
    ("agreement", "Words shared with vetted answers (F1)", "number"),
    ("choice", "Multiple-choice questions right", "percent"),
    ("median_seconds", "Median answer time (s)", "number"),
    ("slowest_seconds", "Slowest answer (s)", "number"),
)
_LONGEST: Final = 600


def markdown(examined: Sequence[Examined], verdict: Report, questions: Sequence[Case]) -> str:
    """The whole report."""
    names = [one.figures.release for one in examined]
    head = f"| | {' | '.join(names)} |\n|---|{'---:|' * len(names)}\n"
    table = "".join(
        f"| {label} | {' | '.join(_cell(one.figures, name, kind) for one in examined)} |\n"
        for name, label, kind in ROWS
    )
    counts = " | ".join(str(one.figures.asked) for one in examined)
    asked = f"| Questions answered by the model | {counts} |\n"
    reasons = "".join(f"- {reason}\n" for reason in verdict.reasons)
    return (
        f"# {names[-1]}: {'passed' if verdict.passed else 'failed'}\n\n{reasons}"
        f"{'' if not reasons else chr(10)}{head}{asked}{table}\n"
        f"## The origin's five questions\n\n{_answers(examined, questions)}"
    )


def picture(examined: Sequence[Examined], file: Path) -> None:
    """Small bars, one panel a figure: what a health worker can read on a phone.

    Raises NoPlotter.
    """
    figure_class = plotter()
    rows = [row for row in ROWS if any(_value(one.figures, row[0]) is not None for one in examined)]
    figure = figure_class(figsize=(7.2, 0.9 + 0.75 * len(rows)), dpi=120, layout="constrained")
    panels = figure.subplots(len(rows), 1, squeeze=False)[:, 0]
    for axes, (name, label, kind) in zip(panels, rows, strict=True):
        _panel(axes, examined, name, label, kind)
    figure.savefig(file)


def _panel(axes: Any, examined: Sequence[Examined], name: str, label: str, kind: str) -> None:
    names = [one.figures.release for one in examined]
    values = [_value(one.figures, name) or 0.0 for one in examined]
    colours = ["#c9c4ba", "#7aa6a1", "#b3541e"][-len(names) :]
    bars = axes.barh(names, values, color=colours)
    axes.bar_label(
        bars, [_cell(one.figures, name, kind) for one in examined], padding=3, fontsize=8
    )
    axes.set_xlim(0, max(*values, 1e-9) * 1.25)
    axes.set_title(label, loc="left", fontsize=9)
    axes.tick_params(labelsize=8)
    axes.invert_yaxis()
    axes.xaxis.set_visible(False)
    axes.spines[["top", "right", "bottom"]].set_visible(False)


def _value(figures: Figures, name: str) -> float | None:
    value = getattr(figures, name)
    return None if value is None else float(value)


def _cell(figures: Figures, name: str, kind: str) -> str:
    value = _value(figures, name)
    if value is None:
        return "–"
    return f"{100 * value:.1f} %" if kind == "percent" else f"{value:,.3g}"


def _answers(examined: Sequence[Examined], questions: Sequence[Case]) -> str:
    parts = []
    for case in questions:
        if case.kind == "origin":
            said = "\n\n".join(
                f"**{one.figures.release}**\n\n{_quoted(one.said[case.id].shown)}"
                for one in examined
            )
            parts.append(f"### {case.question}\n\n{said}\n")
    return "\n".join(parts)


def _quoted(text: str) -> str:
    text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())
