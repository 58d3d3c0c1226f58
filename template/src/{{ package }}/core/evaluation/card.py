"""The model card: how good the model is, for whom less so, and how it was made (after M. Mitchell et al., 2019)."""

from importlib.metadata import metadata

from ...metrics import METRICS
from ...schema import AUDIT, LABELS, TARGET
from ..contract.signature import Signature
from ..params import Params
from .report import CONFIDENCE, Report

NAME = __name__.partition(".")[0]


def write(report: Report, signature: Signature, params: Params, data: str, trained_rows: int) -> str:
    """Return the card as Markdown.

    Args:
        report: What the model is worth.
        signature: What it takes and gives.
        params: How it was made.
        data: The SHA-256 of the snapshot that it was made from.
        trained_rows: How many rows it was trained on.
    """
    audit = ", ".join(f"`{column.name}`" for column in AUDIT) or "none"
    metrics = _table(
        ("Metric", "Model", "Without a model", "What it says"),
        [(name, str(e), f"{report.naive[name]:.3f}", METRICS[name].meaning) for name, e in report.metrics.items()],
    )
    slices = _table(
        ("Column", "Group", "Rows", params.gate.metric),
        [(s.column, s.group, str(s.rows), str(s.estimate or "too few rows to say")) for s in report.slices],
    )
    inputs = _table(
        ("Column", "Kind", "Meaning"),
        [(c.name, type(c).__name__.lower(), c.description) for c in signature.inputs],
    )
    return f"""# Model card: {NAME}

{metadata(NAME)["Summary"]}

The model says how probable each value of `{TARGET}` is: {", ".join(f"`{label}`" for label in LABELS)}.
It was trained on {trained_rows} rows and measured on {report.rows} others, which no training has seen.

## How good it is

Intervals hold the true value {CONFIDENCE:.0%} of the time: where those of two models overlap widely, chance may
explain the difference.

{metrics}

![ROC curve](plots/roc.svg) ![Calibration](plots/calibration.svg)

## For whom it is less good

`{params.gate.metric}` for groups of rows. Columns that the model does not see, kept for this table only: {audit}.

{slices}

## What it looks at

![Importances](plots/importances.svg)

{inputs}

## What it is not for

It knows no more than the data that it was made from, and nothing of what has changed since: `monitor` compares the two.
A difference between groups in the table above is a reason to look closer before anything is decided about people.

## How it was made

Data snapshot `{data[:16]}`; every parameter is in `params.json`, the SHA-256 of every file in `manifest.json`.
"""


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Return a Markdown table."""
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [head, ("---",) * len(head), *rows])
