"""The types of `params.yaml`."""

import io
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from .errors import ProjectError
from .monitoring.profiles import Thresholds

PATH = Path("params.yaml")
Share = Annotated[float, msgspec.Meta(gt=0, lt=1)]
Positive = Annotated[float, msgspec.Meta(gt=0)]
Count = Annotated[int, msgspec.Meta(ge=0)]


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A section of the file; an unknown name in it is refused."""


class Data(Section, frozen=True):
    """Where the data come from."""

    source: str
    max_bad_rows: Count
    query: str = ""
    personal: tuple[str, ...] = ()
    max_explained: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.95


class Split(Section, frozen=True):
    """How rows are held out, and which share of the others a framework may stop early by."""

    holdout: Share
    validation: Share = 0.2


class Fairness(Section, frozen=True):
    """By what groups are compared, how large a gap may be, and whether a larger one refuses a model."""

    measure: str
    gap: Positive
    action: Literal["refuse", "report"]


class Gate(Section, frozen=True):
    """What a model must pass."""

    metric: str
    tolerance: Annotated[float, msgspec.Meta(ge=0)]
    resamples: Annotated[int, msgspec.Meta(ge=100)]
    parity: Positive
    fairness: Fairness | None = None


class Params(Section, frozen=True):
    """The whole file; what `weights` and `decision` may hold depends on the task, which need not have them."""

    data: Data
    split: Split
    seed: Count
    model: dict[str, Any]
    gate: Gate
    monitoring: Thresholds
    weights: dict[str, float] | str = {}
    decision: dict[str, Any] = {}


def load(path: Path = PATH) -> Params:
    """Read the parameters.

    Raises:
        ProjectError: the file is missing, is not YAML, or holds what it should not.
    """
    try:
        return msgspec.convert(YAML(typ="safe").load(path), Params)
    except FileNotFoundError as error:
        raise ProjectError(f"there is no {path} here; run this in the project's folder") from error
    except (YAMLError, msgspec.ValidationError) as error:
        raise ProjectError(f"{path}: {error}") from error


def save_model(model: dict[str, Any], path: Path = PATH) -> None:
    """Replace the values of the section `model`, leaving comments and everything else as they are."""
    yaml = YAML()
    yaml.preserve_quotes = True
    document = yaml.load(path)
    _update(document["model"], model)
    yaml.dump(document, path)


def to_yaml(values: dict[str, Any]) -> str:
    """Return values as they stand in the file."""
    text = io.StringIO()
    YAML().dump(values, text)
    return text.getvalue()


def _update(old: dict[str, Any], new: dict[str, Any]) -> None:
    for name, value in new.items():
        if isinstance(value, dict):
            _update(old.setdefault(name, {}), value)
        else:
            old[name] = value
