"""Explanations as text for a terminal."""

from collections.abc import Iterable, Sequence
from typing import Any

from .explainer import Explanation


def show(explanations: Iterable[Explanation]) -> str:
    """Return explanations as text: of each the number, what contributes to it, and what would change it."""
    return "\n\n".join(_show(number, explanation) for number, explanation in enumerate(explanations))


def _show(number: int, explanation: Explanation) -> str:
    output, reasons = explanation.output, explanation.reasons
    lines = [f"Row {number}: {output} is {explanation.value:.4g}, and {explanation.base:.4g} on average"]
    others = len(explanation.contributions) - len(reasons)
    rest = sum(explanation.contributions.values()) - sum(reason.contribution for reason in reasons)
    contributions = [(f"{r.contribution:+.4g}", _equate(r.column, r.value), r.description) for r in reasons]
    if others:
        contributions.append((f"{rest:+.4g}", f"{others} more", ""))
    lines += _align(contributions)
    if explanation.changes:
        changes = [(f"{c.becomes:.4g}", _equate(c.column, c.value), c.description) for c in explanation.changes]
        lines += [f"Each of these alone would change it, to a {output} of", *_align(changes)]
    return "\n".join(lines)


def _equate(column: str, value: Any) -> str:
    return f"{column} = {'missing' if value is None else f'{value:g}' if isinstance(value, float) else value}"


def _align(rows: Sequence[tuple[str, str, str]]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(2)]
    return [f"  {row[0]:>{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]}".rstrip() for row in rows]
