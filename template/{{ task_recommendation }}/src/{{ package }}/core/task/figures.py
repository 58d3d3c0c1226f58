"""The figures that show what recommendations are worth."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from ...metrics import count_shown, find_hits
from ...schema import TOP
from ..contract.columns import Answer
from ..evaluation.measure import Examples


def draw(held_out: Examples, answer: Answer) -> dict[str, Figure]:
    """Return the recall by how many items are shown, and how often each item is, by their titles."""
    return {"Recall": _draw_recall(held_out, answer), "Exposure": _draw_exposure(answer)}


def _draw_recall(held_out: Examples, answer: Answer) -> Figure:
    """Draw the recall of the model beside that of the items which most held-out users have, without those they know."""
    figure = Figure(figsize=(5, 4), layout="constrained")
    axes = figure.subplots()
    sizes = np.array([len(text.split()) for text in held_out.target])[:, None]
    for label, told in (("model", answer["items"]), ("most popular", _find_popular(held_out))):
        shares = np.cumsum(find_hits(held_out.target, told), axis=1) / np.maximum(sizes, 1)
        axes.plot(range(1, told.shape[1] + 1), shares.mean(axis=0), marker=".", label=label)
    axes.set(xlabel="Items shown", ylabel="Share of the next items found", ylim=(0, None))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend()
    return figure


def _find_popular(held_out: Examples) -> NDArray[np.object_]:
    histories = [text.split() for text in held_out.columns["history"]]
    items, counts = np.unique([item for items in histories for item in items], return_counts=True)
    ranked = items[np.argsort(-counts, kind="stable")].tolist()
    rows = [[item for item in ranked if item not in known][:TOP] for known in map(set, histories)]
    return np.array([[*row, *[""] * (TOP - len(row))] for row in rows], dtype=object)


def _draw_exposure(answer: Answer) -> Figure:
    figure = Figure(figsize=(5, 4), layout="constrained")
    axes = figure.subplots()
    counts = count_shown(answer)
    axes.step(np.arange(1, len(counts) + 1), counts / len(answer["items"]), where="mid")
    axes.set(xlabel="Items, by how often they are shown", ylabel="Share of users who are shown it", ylim=(0, None))
    return figure
