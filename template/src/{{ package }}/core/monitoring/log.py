"""The prediction log: what was asked and answered, as compressed JSON lines that outlive the process.

One line is one row: its request's id and its number therein (which later labels can be joined on), the time, the model,
the row's columns and the answer.

A request adds its lines to a buffer. When they are enough, every few seconds, and at the end, they are compressed into
a part; parts wait in memory, small, until the store has taken them. So neither a slow store nor one that cannot be
reached holds up an answer, and memory is bounded: in the end the oldest parts are given up, and counted.
"""

import asyncio
import contextlib
import gzip
import logging
import random
import uuid
from collections import deque
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, datetime
from functools import cached_property

import msgspec
import obstore
from obstore.store import ObjectStore

from ...settings import Settings
from ..bundles.storage import open_folder
from ..contract.columns import Column
from ..contract.signature import Row
from ..serving.telemetry import LOGGED
from ..task.answer import Prediction
from .record import SUFFIX, Record

logger = logging.getLogger(__name__)
MAX_BUFFER = 4_000_000
"""Lines are compressed and written when they reach this many bytes."""
MAX_WAITING = 16_000_000
"""How many bytes of compressed parts may wait for the store."""
PUT_SECONDS = 60
"""The longest that the store may take for one part."""
CLOSING_SECONDS = 10
"""The longest that the end of the process waits for the store."""


class Part(msgspec.Struct, frozen=True):
    """An object to be written; a name is kept when a write is tried again, so that nothing is written twice."""

    name: str
    content: bytes
    rows: int


class PredictionLog:
    """Collects lines in memory and writes them in the background."""

    def __init__(self, settings: Settings) -> None:
        self._uri = settings.prediction_log_uri
        self._sample = settings.prediction_log_sample
        self._hidden = frozenset(settings.prediction_log_exclude)
        self._seconds = settings.prediction_log_seconds
        self._rows_a_part = settings.prediction_log_rows
        self._encoder = msgspec.json.Encoder()
        self._lines = bytearray()
        self._rows = 0
        self._waiting: deque[Part] = deque()
        self._enough = asyncio.Event()
        self._packed = asyncio.Event()
        self._closing = False

    def draws(self) -> bool:
        """Tell whether to take note of a request: of all of them, of a sample, or of none."""
        return bool(self._uri) and random.random() < self._sample  # noqa: S311 (nothing secret depends on it)

    def add(
        self, request_id: str, model: str, columns: Sequence[Column], rows: list[Row], answers: Iterable[Prediction]
    ) -> None:
        """Take note of a request.

        Args:
            request_id: What later labels are joined on.
            model: The bundle's id.
            columns: The model's inputs.
            rows: Their values.
            answers: What was answered to each.
        """
        now = datetime.now(UTC)
        logged = [(i, column) for i, column in enumerate(columns) if column.name not in self._hidden]
        for number, (row, answer) in enumerate(zip(rows, answers, strict=True)):
            inputs = {column.name: column.to_log(row[i]) for i, column in logged}
            line = Record(request_id, number, now, model, inputs, answer)
            self._encoder.encode_into(line, self._lines, -1)
            self._lines += b"\n"
        self._rows += len(rows)
        if self._rows >= self._rows_a_part or len(self._lines) >= MAX_BUFFER:
            self._enough.set()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Write in the background for as long as the context lasts, and what is left at its end."""
        packing = asyncio.create_task(self._pack_regularly())
        writing = asyncio.create_task(self._write_regularly())
        try:
            yield
        finally:
            self._closing = True
            self._enough.set()
            await packing
            writing.cancel()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._write(), CLOSING_SECONDS)
            self._give_up(down_to=0)

    async def _pack_regularly(self) -> None:
        while not self._closing:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._enough.wait(), self._seconds)
            self._enough.clear()
            await self._pack()
        await self._pack()

    async def _pack(self) -> None:
        """Compress the lines into a part, in a thread, which lets go of the interpreter's lock meanwhile."""
        if not self._rows:
            return
        lines, rows, self._lines, self._rows = self._lines, self._rows, bytearray(), 0
        content = await asyncio.to_thread(gzip.compress, lines, compresslevel=1)
        name = f"{datetime.now(UTC):%Y-%m-%d/%H%M%S}-{uuid.uuid4().hex}{SUFFIX}"
        self._waiting.append(Part(name, content, rows))
        self._give_up(down_to=MAX_WAITING)
        self._packed.set()

    async def _write_regularly(self) -> None:
        while True:
            await self._packed.wait()
            self._packed.clear()
            while not await self._write():
                await asyncio.sleep(self._seconds)

    async def _write(self) -> bool:
        """Write what waits, oldest first, and tell whether the store has taken all of it."""
        while self._waiting:
            part = self._waiting[0]
            try:
                await asyncio.wait_for(obstore.put_async(self._store, part.name, part.content), PUT_SECONDS)
            except (OSError, ValueError, TimeoutError, obstore.exceptions.BaseError) as error:
                reason = str(error).partition("\n")[0] or f"no answer within {PUT_SECONDS} seconds"
                logger.warning("the prediction log cannot be written to %s: %s", self._uri, reason)
                return False
            LOGGED.labels("written").inc(part.rows)
            with contextlib.suppress(ValueError):  # it was given up while it was being written
                self._waiting.remove(part)
        return True

    @cached_property
    def _store(self) -> ObjectStore:
        return open_folder(self._uri)

    def _give_up(self, *, down_to: int) -> None:
        """Drop the oldest parts, until no more than so many bytes are left."""
        lost = 0
        while sum(len(part.content) for part in self._waiting) > down_to:
            lost += self._waiting.popleft().rows
        if lost:
            LOGGED.labels("lost").inc(lost)
            logger.warning("the prediction log has lost %d rows", lost)
