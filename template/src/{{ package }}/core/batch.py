"""Batch prediction: a table of any size in, a folder of Parquet parts out, in bounded memory.

A part is written whole or not at all, and holds the same rows whenever the input is the same: a rerun replaces parts.
Several workers share a batch by `shards.py`.
"""

import io
from collections.abc import Iterator

import msgspec
import numpy as np
import obstore
import polars as pl
from obstore.store import ObjectStore

from .. import source as files
from . import shards
from .bundles.predictor import Predictor
from .bundles.storage import open_folder
from .contract.tables import blank, to_columns, unreadable
from .data.sources import hide
from .errors import ProjectError
from .shards import Manifest, Shard
from .task.answer import flatten


class Summary(msgspec.Struct):
    """What was done; `invalid` rows break the contract and get no prediction, `missing` shards are not whole yet."""

    rows: int = 0
    invalid: int = 0
    unseen: dict[str, int] = {}
    parts: int = 0
    missing: int = 0


def predict(
    predictor: Predictor, source: str, target: str, rows_a_part: int, bundle: str = "", shard: Shard | None = None
) -> Summary:
    """Predict every row of a table, or of a shard of it.

    Args:
        predictor: The model; give it a thread for each core.
        source: A path or URI of a file of CSV, Parquet or JSON lines, or a pattern that names several.
        target: A folder's path or URI; gets `part-00000.parquet` and so on. Each row keeps the columns that are no
            inputs (its id, say) and gains those of the answer.
        rows_a_part: How many rows a part holds, and so how much memory is used.
        bundle: The model's id, for the manifest of a shard.
        shard: What to take of the table; its parts are `shard-00000-of-00008-part-00000.parquet` and so on.

    Raises:
        ProjectError: the source cannot be read or lacks columns, or the target cannot be written or is another batch's.
    """
    summary = Summary()
    try:
        store = open_folder(target)
        shards.begin(store, target, shard, source, bundle)
        names = []
        for part in _parts(_scan(source, shard, predictor), rows_a_part):
            content = io.BytesIO()
            _predict(predictor, part, summary).write_parquet(content)
            names.append(_name(shard, summary.parts))
            obstore.put(store, names[-1], content.getvalue())
            summary.parts += 1
        _remove_later_parts(store, shard, summary.parts)
        if shard:
            summary.missing = shards.finish(store, shard, Manifest(source, bundle, summary.rows, names))
    except (OSError, pl.exceptions.PolarsError, obstore.exceptions.BaseError) as error:
        raise ProjectError(f"{source} cannot be predicted into {target}: {hide(str(error), source)}") from error
    return summary


def _scan(source: str, shard: Shard | None, predictor: Predictor) -> pl.LazyFrame | None:
    frame = shards.take(source, shard) if shard else files.scan(source)
    if frame is None:
        return None
    names = frame.collect_schema().names()
    if missing := [column.name for column in predictor.signature.inputs if column.name not in names]:
        raise ProjectError(f"{source} has no column {', '.join(missing)}, which the model needs")
    return frame


def _parts(frame: pl.LazyFrame | None, rows: int) -> Iterator[pl.DataFrame]:
    """Yield a table in parts of so many rows, whatever the pieces in which it arrives."""
    if frame is None:
        return
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


def _name(shard: Shard | None, part: int) -> str:
    return f"{shard}-part-{part:05}.parquet" if shard else f"part-{part:05}.parquet"


def _remove_later_parts(store: ObjectStore, shard: Shard | None, parts: int) -> None:
    """Remove what an earlier run with more rows has left."""
    paths = [meta["path"] for objects in obstore.list(store, "") for meta in objects]
    prefix = f"{shard}-part-" if shard else "part-"
    later = [path for path in paths if path.startswith(prefix) and path >= _name(shard, parts)]
    if later:
        obstore.delete(store, later)
