"""The pipeline: data, train and promote; a step that would make what is there already is skipped.

There is no record but those of what was made: `inputs.py` says what they have to hold. The source is always read, as
only its rows tell whether they have changed. A step that is skipped imports nothing of what it needs.
"""

from collections.abc import Iterator

import msgspec

from ..settings import Settings
from . import inputs
from .bundles import registry
from .data import reading
from .params import Params


class Step(msgspec.Struct, frozen=True):
    """What a step came to, for a script and for a person."""

    name: str
    report: dict[str, object]
    text: str


def run(params: Params, settings: Settings, *, force: bool, new_baseline: bool) -> Iterator[Step]:
    """Yield each step when it is done; `promote` when the gate has judged, and again when the model is the champion.

    Args:
        params: The parameters.
        settings: Where the store is.
        force: Skip nothing.
        new_baseline: Accept a model that cannot be compared with the champion.

    Raises:
        ProjectError: a step fails, or the gate refuses the model.
    """
    snapshot = reading.make_snapshot(params, force=force)
    text = reading.show(snapshot) if snapshot.is_new else f"data: skipped, {snapshot.path} has the same rows"
    yield Step("data", {"skipped": not snapshot.is_new, **reading.to_report(snapshot)}, text)

    made_of = inputs.identify_bundle(snapshot.sha256, params)
    bundle = None if force else registry.find_made("candidate", made_of, settings)
    if bundle:
        uri = registry.find(bundle, settings)
        text = f"train: skipped, the candidate {uri} is made of the same"
        yield Step("train", {"skipped": True, "bundle": bundle, "uri": uri}, text)
    else:
        from .evaluation import report
        from .training.run import train

        trained = train(snapshot.path, params, settings)
        made = {"bundle": trained.bundle, "uri": trained.uri, "report": trained.report}
        yield Step("train", {"skipped": False, **made}, f"candidate {trained.uri}\n{report.show(trained.report)}")
        bundle = trained.bundle

    led_to_it = inputs.identify_champion(bundle, snapshot.sha256, params)
    if not force and registry.find_made("champion", led_to_it, settings) == bundle:
        yield Step("promote", {"skipped": True, "bundle": bundle}, f"promote: skipped, {bundle} is the champion")
        return
    from .evaluation import gate

    candidate = registry.fetch(bundle, settings)
    decision = gate.judge(candidate, snapshot.path, params, settings)
    judged = {"skipped": False, "bundle": bundle, "decision": decision}
    yield Step("promote", judged, f"{bundle}: {decision}")
    gate.promote(candidate, decision, led_to_it, settings, new_baseline=new_baseline)
    yield Step("promote", judged, f"{bundle} is the champion")
