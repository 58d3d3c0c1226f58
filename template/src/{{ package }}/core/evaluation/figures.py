"""The figures of the model card, as SVG files."""

from pathlib import Path

from matplotlib import rc_context
from matplotlib.figure import Figure

from ..contract.columns import Answer
from ..task import figures
from .measure import Examples


def draw(held_out: Examples, answer: Answer, importances: dict[str, float], folder: Path) -> dict[str, str]:
    """Draw everything; the same input gives the same bytes.

    Returns:
        The path of each figure, relative to the folder's parent, by its title.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = {}
    with rc_context({"svg.hashsalt": "plots", "axes.spines.top": False, "axes.spines.right": False}):
        drawn = figures.draw(held_out, answer)
        if len(importances) > 1:
            drawn |= {"Importance": _importance(importances)}
        for title, figure in drawn.items():
            name = f"{title.lower().replace(' ', '_')}.svg"
            figure.savefig(folder / name, metadata={"Date": None})
            paths[title] = f"{folder.name}/{name}"
    return paths


def _importance(importances: dict[str, float]) -> Figure:
    top = sorted(importances.items(), key=lambda item: item[1])[-15:]
    figure = Figure(figsize=(7, 5), layout="constrained")
    axes = figure.subplots()
    axes.barh([name for name, _ in top], [value for _, value in top])
    axes.set(xlabel="Loss of the gate's metric when the column is shuffled", title="Importance")
    return figure
