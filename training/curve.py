"""A run's losses as a picture: what a health worker looks at before anything else."""

from importlib import import_module
from pathlib import Path
from typing import Any

from training.folder import RunFolder
from training.rows import DataError

_FORMATS = (".png", ".svg", ".pdf")


class NoPlotter(DataError):
    """What draws is not installed here: it comes with the extra `train`."""


def draw(run: RunFolder, picture: Path) -> None:
    """Draw training and held-out loss against the step.

    Raises DataError when there is none yet, NoPlotter where matplotlib is missing.
    """
    if picture.suffix.lower() not in _FORMATS:
        raise DataError(f"{picture}: the name must end in {', '.join(_FORMATS)}")
    lines = list(run.progress())
    learnt = [(line["step"], line["loss"]) for line in lines if "loss" in line]
    graded = [(line["step"], line["held_out_loss"]) for line in lines if "held_out_loss" in line]
    if not learnt:
        raise DataError(f"{run.name}: no step has been trained yet")
    _figure(run.name, learnt, graded).savefig(picture)


def plotter() -> Any:
    """Matplotlib's class of figures. Raises NoPlotter."""
    # Without pyplot: it keeps figures and a window system for the whole process.
    try:
        return import_module("matplotlib.figure").Figure
    except ImportError:
        raise NoPlotter("matplotlib is missing: install lafiya with the extra `train`") from None


def _figure(name: str, learnt: list[tuple[int, float]], graded: list[tuple[int, float]]) -> Any:
    figure = plotter()(figsize=(7.2, 4.5), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    axes.plot(*zip(*learnt, strict=True), color="#7aa6a1", linewidth=1.2, label="training")
    if graded:
        axes.plot(
            *zip(*graded, strict=True), color="#b3541e", marker="o", linewidth=1.8, label="held out"
        )
        axes.annotate(
            f"{graded[-1][1]:.2f}",
            graded[-1],
            textcoords="offset points",
            xytext=(0, 8),
            ha="right",
            color="#b3541e",
        )
    axes.set(xlabel="step", ylabel="loss (nats a token)", title=name)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    return figure
