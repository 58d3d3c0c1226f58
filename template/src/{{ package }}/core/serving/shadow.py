"""A shadow model: it gets the requests of the served model, and its answers are logged, not sent.

So `monitor` judges a candidate on live traffic before it becomes the champion. It gets the requests that are logged,
after the served model has answered them, in a thread: no request waits for it or fails because of it. What waits for it
is bounded: a request that comes while it cannot keep up is dropped and counted.
"""

import asyncio
import contextlib
import functools
import logging
from collections import deque
from collections.abc import AsyncIterator

import msgspec

from ...settings import Settings
from ..contract.signature import Row
from ..monitoring.log import PredictionLog
from ..task.answer import Prediction, to_predictions
from .model import Model, in_daemon_thread, load_model
from .telemetry import SHADOW, SHADOW_MODEL

logger = logging.getLogger(__name__)
MAX_WAITING = 16_000_000
"""How many bytes of requests may wait for the shadow's answer."""
CLOSING_SECONDS = 5
"""How long the end of the process waits for the answers to what waits."""


class Shadow:
    """The shadow of one worker; without `SHADOW_URI` it does nothing."""

    def __init__(self, settings: Settings, log: PredictionLog) -> None:
        self._settings = settings
        self._log = log
        self._model: Model | None = None
        self._waiting: deque[tuple[str, bytes | bytearray]] = deque()
        self._size = 0
        self._asked = asyncio.Event()
        self._closing = False

    def ask(self, served: str, request_id: str, body: bytes | bytearray) -> None:
        """Give it a request that the served model has answered; none before it is loaded, nor if it is the same model.

        Args:
            served: The served bundle's id.
            request_id: What it is logged under, beside the served model's answer.
            body: The request.
        """
        if self._model is None or self._model.bundle.id == served:
            return
        if self._size + len(body) > MAX_WAITING:
            SHADOW.labels("dropped").inc()
            return
        self._waiting.append((request_id, body))
        self._size += len(body)
        self._asked.set()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Answer in the background for as long as the context lasts, and what is left at its end."""
        if not self._settings.shadow_uri:
            yield
            return
        answering = asyncio.create_task(self._answer_regularly())
        try:
            yield
        finally:
            self._closing = True
            self._asked.set()
            if self._model:
                await asyncio.wait([answering], timeout=CLOSING_SECONDS)
            answering.cancel()

    async def _answer_regularly(self) -> None:
        settings = self._settings
        model = await load_model(settings.shadow_uri, settings, lambda _: None)  # its log has told the reason
        SHADOW_MODEL.labels(model.bundle.id).set(1)
        self._model = model
        while self._waiting or not self._closing:
            await self._asked.wait()
            self._asked.clear()
            await self._answer(model)

    async def _answer(self, model: Model) -> None:
        """Answer what waits, one request after the other."""
        while self._waiting:
            request_id, body = self._waiting.popleft()
            self._size -= len(body)
            try:
                rows, predictions = await in_daemon_thread(functools.partial(predict, model, body))
            except msgspec.DecodeError:
                SHADOW.labels("refused").inc()  # it has other inputs than the served model
            except Exception:
                SHADOW.labels("failed").inc()
                logger.exception("the shadow %s cannot answer", model.bundle.id)
            else:
                SHADOW.labels("answered").inc()
                self._log.add(request_id, model.bundle.id, model.signature.inputs, rows, predictions)


def predict(model: Model, body: bytes | bytearray) -> tuple[list[Row], list[Prediction]]:
    """Answer a request, and return its rows, too.

    Raises:
        msgspec.DecodeError: the request is not what the signature asks for.
    """
    rows = model.decoder.rows(body)
    return rows, to_predictions(model.predictor.predict(model.decoder.columns(rows)))
