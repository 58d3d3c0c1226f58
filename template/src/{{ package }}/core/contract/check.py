"""The check of `schema.py` for itself, before anything is done: every slip is one sentence, with file and line."""

import ast
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..errors import ProjectError
from ..yours import FOLDER, describe, did_you_mean, load, show
from .columns import Category, Column, Date, Kind, Number

SCHEMA = FOLDER / "schema.py"
EXAMPLE_DAY = "2026-01-31"


class Slip(msgspec.Struct, frozen=True):
    """A slip in one of the names that `schema.py` defines; `text` is what is wrong there, if it can be quoted."""

    name: str
    sentence: str
    text: object = None


def check() -> None:
    """Check `schema.py`.

    Raises:
        ProjectError: it cannot be imported, or holds slips; each is a sentence.
    """
    values = vars(load("schema"))
    from ..task.check import find_slips as find_task_slips

    slips = [*_undefined(values)] or [*find_slips(values), *find_task_slips(values)]
    slips = slips or [*_uncomputed(values, load("features").features)]
    if slips:
        tree = ast.parse(SCHEMA.read_bytes())
        raise ProjectError("\n".join(f"{show(SCHEMA)}:{line_of(tree, slip)}: {slip.sentence}" for slip in slips))


def find_slips(values: Mapping[str, Any]) -> Iterator[Slip]:
    """Yield what is wrong with the names that `schema.py` defines.

    Args:
        values: What it defines, by name.
    """
    groups = {name: values[name] for name in ("INPUTS", "FEATURES", "AUDIT")}
    malformed = [slip for name, columns in groups.items() for slip in _malformed(name, columns)]
    if malformed:
        yield from malformed
        return
    for name, columns in groups.items():
        names = [column.name for column in columns]
        for twice in sorted({column for column in names if names.count(column) > 1}):
            yield Slip(name, f"{name} holds {twice!r} more than once", twice)
    inputs, audit = ({column.name for column in groups[name]} for name in ("INPUTS", "AUDIT"))
    for name in ("INPUTS", "FEATURES"):
        if not groups[name]:
            yield Slip(name, f"{name} is empty")
    for name in sorted(inputs & audit):
        yield Slip("AUDIT", f"AUDIT holds {name!r}, which is among INPUTS: the model would see it", name)
    for role in ("ROW_ID", "TARGET"):
        column = getattr(values[role], "name", values[role])
        for group in ("INPUTS", "AUDIT"):
            if column in {one.name for one in groups[group]}:
                yield Slip(group, f"{group} holds {column!r}, which is {role}: take it out", column)
    columns = {column.name: column for column in (*groups["INPUTS"], *groups["AUDIT"])}
    yield from _role_slips(values, columns)
    if values["ROW_ID"] == getattr(values["TARGET"], "name", values["TARGET"]):
        yield Slip("ROW_ID", f"ROW_ID and TARGET are both {values['ROW_ID']!r}", values["ROW_ID"])
    for feature in groups["FEATURES"]:
        if feature.matrix is None:
            kind = type(feature).__name__.lower()
            yield Slip(
                "FEATURES",
                f"FEATURES holds {feature.name!r}, a {kind}, which no model takes: leave it out and derive numbers or "
                "categories from it in features.py",
                feature.name,
            )
    yield from _missing_slips(values.get("MISSING", ("",)), groups)
    yield from [*_slice_slips(values["SLICES"], columns)] or _protected_slips(values)
    yield from _changeable_slips(values.get("CHANGEABLE", ()), {column.name: column for column in groups["INPUTS"]})


def line_of(tree: ast.Module, slip: Slip) -> int:
    """Return the line in which a name is assigned, or rather that in which the text of the slip stands there."""
    for node in tree.body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        if slip.name in [target.id for target in targets if isinstance(target, ast.Name)]:
            quoted = [c.lineno for c in ast.walk(node) if isinstance(c, ast.Constant) and c.value == slip.text]
            return max(quoted) if slip.text is not None and quoted else node.lineno
    return 1


def _undefined(values: Mapping[str, Any]) -> Iterator[Slip]:
    for name in ("ROW_ID", "TARGET", "INPUTS", "FEATURES", "AUDIT", "SLICES"):
        if name not in values:
            yield Slip(name, f"it does not define {name}{did_you_mean(name, values)}")


def _malformed(name: str, columns: object) -> Iterator[Slip]:
    """Yield what keeps a tuple of columns from being one."""
    if not isinstance(columns, tuple | list):
        yield Slip(name, f"{name} must be a tuple of columns, as in ({type(columns).__name__}(…),): mind the comma")
        return
    for column in columns:
        if not isinstance(column, Kind):
            yield Slip(name, f"{name} holds {column!r}, which is no column such as Number or Category", column)
            continue
        try:
            msgspec.convert(msgspec.to_builtins(column), type(column))
        except (msgspec.ValidationError, TypeError) as error:
            yield Slip(name, f"{column.name!r} in {name} is not as it must be: {error}", column.name)
            continue
        match column:
            case Number(minimum=float() | int() as low, maximum=float() | int() as high) if low > high:
                yield Slip(name, f"{column.name!r} in {name} has a minimum above its maximum", column.name)


def _role_slips(values: Mapping[str, Any], columns: Mapping[str, Column]) -> Iterator[Slip]:
    roles: dict[str, Any] = {name: values.get(name) for name in ("ROW_ID", "GROUP", "TIME")}
    target = getattr(values["TARGET"], "name", values["TARGET"])
    for name, value in roles.items():
        if value is not None and (not isinstance(value, str) or not value):
            yield Slip(name, f"{name} must be the name of a column, as text, or None")
        elif name in ("GROUP", "TIME") and value == target:
            yield Slip(name, f"{name} and TARGET are both {value!r}", value)
        if value in columns and columns[value].nullable:
            yield Slip(name, f"{name} names {value!r}, which is nullable: every row needs one", value)
    time = roles["TIME"]
    if time and roles["GROUP"]:
        yield Slip("TIME", "TIME and GROUP are both given: rows are held out by one of them")
    if time and time == roles["ROW_ID"]:
        yield Slip("TIME", f"TIME and ROW_ID are both {time!r}: as a day names no row, set ROW_ID to None", time)
    if time in columns and not isinstance(columns[time], Date):
        yield Slip("TIME", f"TIME names {time!r}, which is a {type(columns[time]).__name__} and not a Date", time)


def _missing_slips(missing: object, groups: Mapping[str, tuple[Column, ...]]) -> Iterator[Slip]:
    if not isinstance(missing, tuple | list) or not all(isinstance(text, str) for text in missing):
        yield Slip("MISSING", "MISSING must be a tuple of texts, as in ('', 'NA')")
        return
    for name in ("INPUTS", "AUDIT"):
        for column in groups[name]:
            for value in getattr(column, "values", ()):
                if value in missing:
                    yield Slip(name, f"{value!r} of {column.name!r} in {name} is also in MISSING", value)


def _slice_slips(slices: object, columns: Mapping[str, Column]) -> Iterator[Slip]:
    if not isinstance(slices, dict):
        yield Slip("SLICES", "SLICES must map a column's name to bounds, as in {'age': (25.0, 60.0), 'sex': ()}")
        return
    for name, bounds in slices.items():
        column = columns.get(name)
        if column is None:
            sentence = (
                f"SLICES names {name!r}, which is neither in INPUTS nor in AUDIT{did_you_mean(str(name), columns)}"
            )
            yield Slip("SLICES", sentence, name)
        elif isinstance(column, Category) and bounds:
            yield Slip(
                "SLICES", f"SLICES gives bounds to {name!r}, a category: its groups are its values, write ()", name
            )
        elif isinstance(column, Number) and not _ascends(bounds):
            yield Slip("SLICES", f"SLICES must give {name!r}, a number, ascending bounds, as in (25.0, 60.0)", name)
        elif not isinstance(column, Number | Category):
            yield Slip("SLICES", f"SLICES names {name!r}, which is neither a number nor a category", name)


def _protected_slips(values: Mapping[str, Any]) -> Iterator[Slip]:
    return _name_slips("PROTECTED", values.get("PROTECTED", ()), "SLICES", values["SLICES"])


def _changeable_slips(changeable: Any, inputs: Mapping[str, Column]) -> Iterator[Slip]:
    yield from (slips := list(_name_slips("CHANGEABLE", changeable, "INPUTS", inputs)))
    for name in () if slips else changeable:
        if not isinstance(inputs[name], Number | Category):
            yield Slip("CHANGEABLE", f"CHANGEABLE names {name!r}, which is neither a number nor a category", name)


def _name_slips(group: str, names: object, whole: str, known: Collection[str]) -> Iterator[Slip]:
    """Yield what is wrong with a group of names that must all be among those of another."""
    if not isinstance(names, tuple | list):
        yield Slip(group, f"{group} must be a tuple of columns' names, as in ('age', 'amount')")
        return
    for name in names:
        if name not in known:
            sentence = f"{group} names {name!r}, which is not in {whole}{did_you_mean(str(name), known)}"
            yield Slip(group, sentence, name)


def _ascends(bounds: object) -> bool:
    if not isinstance(bounds, tuple | list) or not all(isinstance(bound, int | float) for bound in bounds):
        return False
    return bool(bounds) and list(bounds) == sorted(set(bounds))


def _uncomputed(values: Mapping[str, Any], features: Any) -> Iterator[Slip]:
    """Yield which features `features.py` does not compute, or not as what they are declared, for a made-up row."""
    try:
        with np.errstate(all="ignore"):
            computed = features({column.name: _made_up(column) for column in values["INPUTS"]})
    except Exception as error:
        raise ProjectError(f"features() fails for a row that is made up: {describe(error)}") from error
    if not isinstance(computed, dict):
        raise ProjectError(f"{show(FOLDER / 'features.py')}: features() must return a dict of columns")
    for feature in values["FEATURES"]:
        if feature.name not in computed:
            sentence = f"FEATURES holds {feature.name!r}, which features() does not return"
            yield Slip("FEATURES", sentence + did_you_mean(feature.name, computed), feature.name)
            continue
        array = np.asarray(computed[feature.name])
        if array.shape[:1] != (1,):
            yield Slip("FEATURES", f"features() returns {feature.name!r} with another number of rows", feature.name)
        elif array.shape[1:] != feature.shape:
            sentence = f"features() returns {feature.name!r} in the shape {array.shape[1:]}, not {feature.shape}"
            yield Slip("FEATURES", sentence, feature.name)
        elif (array.dtype.kind in "biuf") != (feature.matrix != "texts"):
            kind = type(feature).__name__.lower()
            yield Slip(
                "FEATURES", f"features() returns {feature.name!r} as {array.dtype}, not as a {kind}", feature.name
            )


def _made_up(column: Column) -> NDArray[Any]:
    """Return a value of a column that its contract allows, shape (1,)."""
    match column:
        case Number(minimum=low, maximum=high):
            return column.array([low if low is not None else high if high is not None else 1.0])
        case Category(values=(first, *_)):
            return column.array([first])
        case Date():
            return column.array([EXAMPLE_DAY])
        case _:
            return column.array(["example"])
