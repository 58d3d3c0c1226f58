"""The gate: how a candidate becomes the champion, on today's held-out rows."""

from pathlib import Path
from typing import Literal

import msgspec

from ...metrics import METRICS, naive
from ...settings import Settings
from ..bundles import predictor, registry
from ..bundles.bundle import Bundle, FormatError
from ..bundles.fingerprint import features_sha256
from ..contract.columns import Answer
from ..data import published, snapshots
from ..errors import GateRefusedError
from ..params import Gate, Params
from ..task import examples
from . import fairness
from .intervals import Estimate, estimate, estimate_gain
from .measure import Examples
from .report import gate_metric


class Decision(msgspec.Struct, frozen=True):
    """What the gate says of a challenger, and why; `gain` is positive where the challenger is the better one."""

    verdict: Literal["passed", "refused", "incomparable"]
    reason: str
    metric: str
    gain: Estimate | None = None

    def __str__(self) -> str:
        return f"{self.verdict}, {self.reason}" + (f" ({self.metric} gain {self.gain})" if self.gain else "")


def judge(candidate: Bundle, snapshot: Path, params: Params, settings: Settings) -> Decision:
    """Compare a candidate with the naive baseline, its metrics' ranges, its groups and, if there is one, the champion.

    Both are scored on the held-out rows of a snapshot, which neither has been trained on.

    Raises:
        ProjectError: the data will not do, or a bundle cannot be loaded.
    """
    training, held_out = examples.split(snapshots.load(snapshot), params.split)
    challenger = predictor.load(candidate).predict(held_out.columns)
    decision = beat_naive(held_out, challenger, naive(training, held_out), params.gate)
    if decision.verdict == "passed":
        decision = keep_within(held_out, challenger, params.gate) or decision
        decision = keep_fair(held_out, challenger, params.gate) or decision
    if decision.verdict == "refused" or registry.pointer("champion", settings) is None:
        return decision
    try:
        champion = registry.fetch("champion", settings)
    except FormatError as error:
        return Decision("incomparable", str(error), params.gate.metric)
    if reason := _incomparable(candidate, champion):
        return Decision("incomparable", reason, params.gate.metric)
    return compare(held_out, challenger, predictor.load(champion).predict(held_out.columns), params.gate)


def promote(candidate: Bundle, decision: Decision, led_to_it: str, settings: Settings, *, new_baseline: bool) -> None:
    """Make a candidate the champion if the gate lets it pass.

    Args:
        candidate: A bundle of the store.
        decision: What the gate says of it.
        led_to_it: The SHA-256 of what it was judged by, as `inputs.py` says it.
        settings: Where the store is.
        new_baseline: Accept a candidate that cannot be compared with the champion; the card will say so.

    Raises:
        GateRefusedError: it does not.
    """
    enforce(decision, new_baseline=new_baseline)
    baseline = "a new baseline, because " if decision.verdict == "incomparable" else ""
    snapshot = snapshots.SNAPSHOTS / f"{candidate.manifest.data}.parquet"
    if snapshot.is_file():  # where the store had not taken the bundle after training
        published.publish(snapshot, settings)
    registry.crown(candidate, f"{baseline}{decision.reason}", settings, led_to_it)


def enforce(decision: Decision, *, new_baseline: bool = False) -> None:
    """Raise GateRefusedError unless the decision lets a candidate pass."""
    if decision.verdict == "refused":
        raise GateRefusedError(f"the gate refuses the model: {decision}")
    if decision.verdict == "incomparable" and not new_baseline:
        raise GateRefusedError(
            f"the gate refuses the model: {decision.reason}, so the two cannot be compared; if that is intended, "
            "promote with --new-baseline"
        )


def compare(held_out: Examples, challenger: Answer, champion: Answer, gate: Gate) -> Decision:
    """Compare a challenger with the champion on the same held-out rows.

    It is refused when it is worse than the tolerance allows and chance does not explain it: when the whole interval of
    the paired difference lies below −tolerance. A bare threshold would refuse every fifth honest challenger.
    """
    gain = _gain(held_out, challenger, champion, gate)
    if gain.high < -gate.tolerance:
        return Decision("refused", f"worse than the champion by more than {gate.tolerance}", gate.metric, gain)
    return Decision("passed", "not worse than the champion", gate.metric, gain)


def beat_naive(held_out: Examples, challenger: Answer, baseline: Answer, gate: Gate) -> Decision:
    """Compare a challenger with the naive baseline, which it must beat beyond chance."""
    gain = _gain(held_out, challenger, baseline, gate)
    if gain.low > 0:
        return Decision("passed", "better than the naive baseline", gate.metric, gain)
    return Decision("refused", "not better than the naive baseline", gate.metric, gain)


def keep_within(held_out: Examples, challenger: Answer, gate: Gate) -> Decision | None:
    """Refuse a challenger one of whose metrics is out of its range beyond chance; None where there is none."""
    for name, metric in METRICS.items():
        if metric.within is None:
            continue
        low, high = metric.within
        found = estimate(metric, held_out.target, challenger, held_out.units, gate.resamples)
        if found.high < low or found.low > high:
            return Decision("refused", f"{name} is {found} instead of {low:g} to {high:g}", gate.metric)
    return None


def keep_fair(held_out: Examples, challenger: Answer, gate: Gate) -> Decision | None:
    """Refuse a challenger by which a group fares differently from all others, beyond chance; None where there is none.

    It is refused for the largest gap of those whose whole interval is beyond `gate.fairness.gap`.
    """
    if gate.fairness is None or gate.fairness.action == "report":
        return None
    gaps = fairness.compare_groups(held_out, challenger, gate)
    unfair = [gap for gap in gaps if gap.gap and gap.verdict == "beyond the limit"]
    if not unfair:
        return None
    worst = max(unfair, key=lambda gap: abs(gap.value - gap.others))
    reason = (
        f"unfair to a group: {fairness.find_measure(gate.fairness).meaning} is {worst.value:.2f} for {worst.column} "
        f"{worst.group} and {worst.others:.2f} for all others, a gap of {worst.gap} over {worst.rows} rows, where "
        f"gate.fairness.gap allows {gate.fairness.gap:g}"
    )
    return Decision("refused", reason, gate.fairness.measure)


def _gain(held_out: Examples, new: Answer, old: Answer, gate: Gate) -> Estimate:
    return estimate_gain(gate_metric(gate), held_out.target, new, old, held_out.units, gate.resamples)


def _incomparable(candidate: Bundle, champion: Bundle) -> str:
    """Say why two models cannot be scored on the same rows; nothing if they can."""
    if not candidate.signature().is_comparable(champion.signature()):
        return f"the champion {champion.id} has other inputs or outputs"
    if champion.manifest.features != features_sha256():
        return f"the champion {champion.id} was trained with another features.py"
    return ""
