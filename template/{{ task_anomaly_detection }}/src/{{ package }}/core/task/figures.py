"""The figures that show what an anomaly detector is worth."""

import numpy as np
from matplotlib.figure import Figure

from ..contract.columns import Answer
from ..evaluation.measure import Examples, Target
from .answer import THRESHOLD, decided


def draw(held_out: Examples, answer: Answer) -> dict[str, Figure]:
    """Return the scores of normal rows and of anomalies, and what each alert budget finds, by their titles."""
    target = held_out.target
    return {"Scores": _draw_scores(target, answer), "Alert budget": _draw_budget(target, answer)}


def _draw_scores(target: Target, answer: Answer) -> Figure:
    score = answer["score"]
    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.subplots()
    bins = np.linspace(score.min(), score.max(), 41).tolist()
    axes.hist([score[~target], score[target]], bins=bins, histtype="step", log=True, label=["normal", "anomaly"])
    axes.axvline(np.max(answer.get("threshold", THRESHOLD)), color="black", linestyle="dashed", label="threshold")
    axes.set(xlabel="Score", ylabel="Rows", title="Scores")
    axes.legend()
    return figure


def _draw_budget(target: Target, answer: Answer) -> Figure:
    """Draw precision and recall where more and more rows are flagged, those with the highest scores first."""
    found, flagged = np.cumsum(target[np.argsort(-answer["score"], kind="stable")]), np.arange(1, len(target) + 1)
    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.subplots()
    for shares, label in ((found / flagged, "precision"), (found / found[-1], "recall")):
        axes.plot(flagged / len(target), shares, label=label)
    axes.axvline(decided(answer).mean(), color="black", linestyle="dashed", label="flagged at the threshold")
    axes.set(xlabel="Share of rows flagged", ylabel="Precision, recall", title="Alert budget", xscale="log")
    figure.legend(loc="outside lower center", ncols=3)
    return figure
