"""How a candidate becomes the champion: by passing the gate, on today's held-out rows."""

from ...schema import INPUTS
from ...settings import Settings
from ..bundles import predictor, registry
from ..bundles.bundle import Bundle, features_sha256
from ..contract.tables import to_columns
from ..data import snapshots
from ..errors import GateRefusedError
from ..params import Params
from . import report
from .report import Decision


def judge(candidate: Bundle, params: Params, settings: Settings) -> Decision:
    """Let a candidate meet the naive baseline and then, where there is one, the champion.

    Both are scored on the held-out rows of the newest snapshot, which neither has been trained on.

    Raises:
        ProjectError: there are no data, or a bundle cannot be loaded.
    """
    fitting, holdout = snapshots.split(snapshots.load(snapshots.latest()), params.split)
    columns, target = to_columns(holdout, INPUTS), snapshots.to_target(holdout)
    challenger = predictor.load(candidate).predict(columns)
    decision = report.beats_naive(target, challenger, snapshots.to_target(fitting), params.gate)
    if decision.verdict == "refused" or registry.pointer("champion", settings) is None:
        return decision
    champion = registry.fetch("champion", settings)
    if reason := _incomparable(candidate, champion):
        return Decision("incomparable", reason, params.gate.metric)
    return report.compare(target, challenger, predictor.load(champion).predict(columns), params.gate)


def promote(candidate: Bundle, params: Params, settings: Settings, *, new_baseline: bool) -> Decision:
    """Make a candidate the champion if the gate lets it pass.

    Args:
        candidate: A bundle of the store.
        params: The gate.
        settings: Where the store is.
        new_baseline: Accept a candidate that cannot be compared with the champion; the card will say so.

    Raises:
        GateRefusedError: it does not.
    """
    decision = judge(candidate, params, settings)
    enforce(decision, new_baseline=new_baseline)
    baseline = "a new baseline, because " if decision.verdict == "incomparable" else ""
    registry.crown(candidate, f"{baseline}{decision.reason}", settings)
    return decision


def enforce(decision: Decision, *, new_baseline: bool = False) -> None:
    """Raise GateRefusedError unless the decision lets a candidate pass."""
    if decision.verdict == "refused":
        raise GateRefusedError(f"the gate refuses the model: {decision}")
    if decision.verdict == "incomparable" and not new_baseline:
        raise GateRefusedError(
            f"the gate refuses the model: {decision.reason}, so the two cannot be compared; if that is intended, "
            "promote with --new-baseline"
        )


def _incomparable(candidate: Bundle, champion: Bundle) -> str:
    """Say why two models cannot be scored on the same rows; nothing if they can."""
    if not candidate.signature().is_comparable(champion.signature()):
        return f"the champion {champion.id} has other columns or labels"
    if champion.manifest.features != features_sha256():
        return f"the champion {champion.id} was trained with another features.py"
    return ""
