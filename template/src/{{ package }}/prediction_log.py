"""The prediction log: what was asked and answered, as compressed JSON lines that outlive the process.

One line is one row: its request's id and its number therein (which later labels can be joined on), the time, the model,
the row's columns and the probabilities.
"""

import asyncio
import contextlib
import gzip
import logging
import random
import uuid
from collections.abc import AsyncIterator
from datetime import datetime

import msgspec
import numpy as np
import obstore
from numpy.typing import NDArray

from .settings import Settings
from .signature import Signature
from .storage import open_folder

logger = logging.getLogger(__name__)
KEPT_WRITES = 10
"""How many full writes stay in memory while the store cannot be reached; then the oldest are dropped."""


class Entry(msgspec.Struct, frozen=True):
    """One request and its answer."""

    request_id: str
    time: datetime
    model: str
    signature: Signature
    body: bytes
    probabilities: NDArray[np.float32]

    def rows(self, hidden: frozenset[str]) -> list[dict[str, object]]:
        """Return the lines of the log, one for each row, without the hidden columns.

        The body is decoded once more, because as bytes it waits in a tenth of the memory.
        """
        names = [column.name for column in self.signature.inputs if column.name not in hidden]
        instances = msgspec.json.decode(self.body)["instances"]
        return [
            {
                "request_id": self.request_id,
                "row": row,
                "time": self.time,
                "model": self.model,
                "inputs": {name: instance.get(name) for name in names},
                "probabilities": dict(zip(self.signature.labels, probabilities, strict=True)),
            }
            for row, (instance, probabilities) in enumerate(zip(instances, self.probabilities.tolist(), strict=True))
        ]


class PredictionLog:
    """Collects entries in memory; writes them when there are enough of them, every few seconds, and at the end."""

    def __init__(self, settings: Settings) -> None:
        self._uri = settings.prediction_log_uri
        self._sample = settings.prediction_log_sample
        self._hidden = frozenset(settings.prediction_log_exclude)
        self._seconds = settings.prediction_log_seconds
        self._rows_a_write = settings.prediction_log_rows
        self._entries: list[Entry] = []
        self._rows = 0
        self._unwritten: list[Entry] = []
        self._wake = asyncio.Event()
        self._closing = False

    def add(self, entry: Entry) -> None:
        """Take note of a request, or of a sample of them."""
        if not self._uri or random.random() >= self._sample:  # noqa: S311 (nothing secret depends on it)
            return
        self._entries.append(entry)
        self._rows += len(entry.probabilities)
        if self._rows >= self._rows_a_write:
            self._wake.set()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Write in the background for as long as the context lasts, and once more at its end."""
        task = asyncio.create_task(self._write_regularly())
        try:
            yield
        finally:
            self._closing = True
            self._wake.set()
            await task

    async def _write_regularly(self) -> None:
        while not self._closing:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), self._seconds)
            self._wake.clear()
            entries, self._entries, self._rows = [*self._unwritten, *self._entries], [], 0
            self._unwritten = await asyncio.to_thread(self._write, entries)

    def _write(self, entries: list[Entry]) -> list[Entry]:
        """Write entries as one object, named so that names sort by time; return those to be tried again."""
        if not entries:
            return []
        lines = msgspec.json.Encoder().encode_lines([row for entry in entries for row in entry.rows(self._hidden)])
        name = f"{entries[0].time:%Y-%m-%d/%H%M%S}-{uuid.uuid4().hex}.jsonl.gz"
        try:
            obstore.put(open_folder(self._uri), name, gzip.compress(lines, compresslevel=6))
        except (OSError, obstore.exceptions.BaseError) as error:
            logger.warning("the prediction log cannot be written: %s", str(error).partition("\n")[0])
            return self._newest(entries)
        return []

    def _newest(self, entries: list[Entry]) -> list[Entry]:
        """Return the newest entries that may stay in memory."""
        rows = np.cumsum([len(entry.probabilities) for entry in reversed(entries)])
        kept = int((rows <= KEPT_WRITES * self._rows_a_write).sum())
        if kept < len(entries):
            logger.warning("the prediction log has lost %d requests", len(entries) - kept)
        return entries[len(entries) - kept :]
