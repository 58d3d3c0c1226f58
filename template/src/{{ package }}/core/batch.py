"""Batch prediction: a table of any size in, a folder of Parquet parts out, in bounded memory.

A part is written whole or not at all, and holds the same rows whenever the input is the same: a rerun replaces parts.
"""

import io
from collections.abc import Iterator

import msgspec
import numpy as np
import obstore
import polars as pl
from obstore.store import ObjectStore

from .. import source as files
from .bundles.predictor import Predictor
from .bundles.storage import open_folder
from .contract.tables import blank, to_columns, unreadable
from .data.sources import hide
from .errors import ProjectError
from .task.answer import flatten


class Summary(msgspec.Struct):
    """What was done; `invalid` rows break the contract and get no prediction."""

    rows: int = 0
    invalid: int = 0
    unseen: dict[str, int] = {}
    parts: int = 0


def predict(predictor: Predictor, source: str, target: str, rows_a_part: int) -> Summary:
    """Predict every row of a table.

    Args:
        predictor: The model; give it a thread for each core.
        source: A path or URI of a CSV or Parquet file, or a pattern that names several.
        target: A folder's path or URI; gets `part-00000.parquet` and so on. Each row keeps the columns that are no
            inputs (its id, say) and gains those of the answer.
        rows_a_part: How many rows a part holds, and so how much memory is used.

    Raises:
        ProjectError: the source cannot be read or lacks columns, or the target cannot be written.
    """
    summary = Summary()
    try:
        store = open_folder(target)
        for part in _parts(_scan(source, predictor), rows_a_part):
            content = io.BytesIO()
            _predict(predictor, part, summary).write_parquet(content)
            obstore.put(store, _name(summary.parts), content.getvalue())
            summary.parts += 1
        _remove_later_parts(store, summary.parts)
    except (OSError, pl.exceptions.PolarsError, obstore.exceptions.BaseError) as error:
        raise ProjectError(f"{source} cannot be predicted into {target}: {hide(str(error), source)}") from error
    return summary


def _scan(source: str, predictor: Predictor) -> pl.LazyFrame:
    frame = files.scan(source)
    names = frame.collect_schema().names()
    if missing := [column.name for column in predictor.signature.inputs if column.name not in names]:
        raise ProjectError(f"{source} has no column {', '.join(missing)}, which the model needs")
    return frame


def _parts(frame: pl.LazyFrame, rows: int) -> Iterator[pl.DataFrame]:
    """Yield a table in parts of so many rows, whatever the pieces in which it arrives."""
    waiting: list[pl.DataFrame] = []
    for batch in frame.collect_batches(chunk_size=min(rows, 50_000), maintain_order=True):
        waiting.append(batch)
        while sum(piece.height for piece in waiting) >= rows:
            together = pl.concat(waiting)
            yield together[:rows]
            waiting = [together[rows:]]
    if sum(piece.height for piece in waiting):
        yield pl.concat(waiting)


def _predict(predictor: Predictor, part: pl.DataFrame, summary: Summary) -> pl.DataFrame:
    signature = predictor.signature
    known = blank(part, signature.inputs, signature.missing)
    columns = to_columns(known, signature.inputs)
    invalid = np.any([signature.invalid(columns), *(unreadable(known, column) for column in signature.inputs)], axis=0)
    answer = flatten(predictor.predict(columns))
    summary.rows += part.height
    summary.invalid += int(invalid.sum())
    for name, rows in signature.unseen(columns).items():
        summary.unseen[name] = summary.unseen.get(name, 0) + len(rows)
    kept, valid = part.drop(column.name for column in signature.inputs), pl.Series(~invalid)
    outputs = [pl.Series(name, array.tolist() if array.dtype == object else array) for name, array in answer.items()]
    return kept.with_columns(pl.when(valid).then(series).alias(series.name) for series in outputs)


def _name(part: int) -> str:
    return f"part-{part:05}.parquet"


def _remove_later_parts(store: ObjectStore, parts: int) -> None:
    """Remove what an earlier run with more rows has left."""
    paths = [meta["path"] for objects in obstore.list(store, "") for meta in objects]
    later = [path for path in paths if path.startswith("part-") and path >= _name(parts)]
    if later:
        obstore.delete(store, later)
