"""The model card: `card.md` with what a run has found out put in (M. Mitchell et al., "Model cards", 2019)."""

from collections.abc import Iterable, Sequence
from importlib.metadata import metadata
from pathlib import Path
from string import Template

from ...metrics import METRICS
from ...schema import AUDIT
from ..contract.signature import Signature
from ..errors import ProjectError
from ..params import Params
from .fairness import find_measure
from .intervals import CONFIDENCE
from .report import Report, to_text

NAME = __name__.partition(".")[0]
WORDS = Path(__file__).parents[2] / "card.md"


def write(
    report: Report, signature: Signature, params: Params, data: str, trained_rows: int, figures: dict[str, str]
) -> str:
    """Return the card as Markdown.

    Args:
        report: What the model is worth.
        signature: What it takes and gives.
        params: How it was made.
        data: The SHA-256 of the snapshot that it was made from.
        trained_rows: How many rows it was trained on.
        figures: The path of each figure, by its title.

    Raises:
        ProjectError: `card.md` asks for something that is not known.
    """
    values = {
        "name": NAME,
        "summary": metadata(NAME)["Summary"],
        "data": data,
        "trained_rows": trained_rows,
        "rows": report.rows,
        "confidence": f"{CONFIDENCE:.0%}",
        "gate_metric": params.gate.metric,
        "metrics": _table(
            ("Metric", "Model", "Naive baseline", "Meaning"),
            [(name, str(e), f"{report.naive[name]:.3f}", METRICS[name].meaning) for name, e in report.metrics.items()],
        ),
        "tables": "\n\n".join(f"### {title}\n\n{_table(*to_text(table))}" for title, table in report.tables.items()),
        "figures": "\n".join(f"![{title}]({path})" for title, path in figures.items()),
        "audit": ", ".join(f"`{column.name}`" for column in AUDIT) or "none",
        "slices": _table(
            ("Column", "Group", "Rows", params.gate.metric),
            [(s.column, s.group, str(s.rows), str(s.estimate or "too few rows to tell")) for s in report.slices],
        ),
        "fairness": _tell_fairness(report, params),
        "inputs": _table(
            ("Column", "Kind", "Meaning"),
            [(c.name, type(c).__name__.lower(), c.description) for c in signature.inputs],
        ),
        "outputs": _table(
            ("Output", "Kind", "Meaning"),
            [(c.name, type(c).__name__.lower(), c.description) for c in signature.outputs],
        ),
    }
    try:
        return Template(WORDS.read_text(encoding="utf-8")).substitute(values)
    except (KeyError, ValueError) as error:
        raise ProjectError(f"{WORDS.name} cannot be filled in: {error}; it may use ${', $'.join(values)}") from error


def _tell_fairness(report: Report, params: Params) -> str:
    """Return how each group fares, or why nothing is known of it."""
    if params.gate.fairness is None or not report.fairness:
        return "No groups were compared: `PROTECTED` in `schema.py` and `gate.fairness` in `params.yaml` say which."
    table = _table(
        ("Column", "Group", "Rows", "Group's value", "All others'", "Gap", "Verdict"),
        [
            (g.column, g.group, str(g.rows), f"{g.value:.3f}", f"{g.others:.3f}", str(g.gap or ""), str(g))
            for g in report.fairness
        ],
    )
    rule = params.gate.fairness
    return f"{find_measure(rule).meaning}. The limit of a gap is {rule.gap:g}, either way.\n\n{table}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [head, ("---",) * len(head), *rows])
