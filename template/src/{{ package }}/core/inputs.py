"""What a step is made of: the SHA-256 of its code, of the packages below it, and of what it is given.

What a step makes has it in its record. While it is the same, the step would make the same again.
"""

import hashlib
import sys
from functools import cache
from importlib.metadata import Distribution, distributions, metadata

import msgspec

from .bundles.fingerprint import PACKAGE, fingerprint
from .params import Params


def identify_snapshot(rows: str, params: Params) -> str:
    """Return what a snapshot is made of, of whose source the rows have this SHA-256."""
    return _identify("core.data.reading", rows, params.data, params.split)


def identify_bundle(snapshot: str, params: Params) -> str:
    """Return what a bundle is made of that is trained on a snapshot of this SHA-256."""
    card = (PACKAGE / "card.md").read_text(encoding="utf-8")
    return _identify("core.training.run", snapshot, params, card, metadata(PACKAGE.name)["Summary"])


def identify_champion(bundle: str, snapshot: str, params: Params) -> str:
    """Return what makes the bundle of this id the champion, judged on a snapshot of this SHA-256."""
    return _identify("core.evaluation.gate", bundle, snapshot, params.split, params.gate)


def identify_search(snapshot: str, params: Params) -> str:
    """Return what a search for parameters is made of, on the snapshot of this SHA-256."""
    given = (params.split, params.seed, params.model, params.weights, params.gate.metric)
    return _identify("core.training.tuning", snapshot, given)


def _identify(module: str, *given: object) -> str:
    """Return the SHA-256 of a step, which begins in a module."""
    code = fingerprint(PACKAGE, module, everything=True)
    everything = msgspec.json.encode([code, sys.version, _packages(), given], order="deterministic")
    return hashlib.sha256(everything).hexdigest()


@cache
def _packages() -> list[str]:
    """Return the packages that are installed, each with its version, and with its files if it comes from no index."""
    return sorted(f"{found.name} {found.version} {_files(found)}" for found in distributions())


def _files(package: Distribution) -> str:
    """Return the SHA-256 of each file of a package of a path or repository: its version may stay as its code changes.

    Of an editable one there is nothing here; its modules count as they are imported.
    """
    origin = msgspec.json.decode(package.read_text("direct_url.json") or "{}")
    is_editable = origin.get("dir_info", {}).get("editable", False)
    return (package.read_text("RECORD") or "") if origin and not is_editable else ""
