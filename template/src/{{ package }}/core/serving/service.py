"""The state of one worker: its model and its prediction log.

The service starts without a model and becomes ready when a verified bundle is loaded, so that a first deployment waits
instead of crashing.
"""

import asyncio
import concurrent.futures
import functools
import gc
import logging
import threading
from collections.abc import Callable
from typing import TypeVar

import msgspec

from ...settings import Settings
from ..bundles.bundle import Bundle, fetch_async
from ..bundles.predictor import load
from ..errors import ProjectError
from ..explanation.explainer import Explainer, Explanation
from ..monitoring.log import PredictionLog
from ..monitoring.profiles import load_reference
from ..task.answer import Prediction, outcome, to_predictions
from .decoder import MAX_FINDINGS, Finding, RequestDecoder
from .telemetry import MODEL, UNSEEN, count_rows

logger = logging.getLogger(__name__)
MAX_PAUSE = 60.0
"""The longest pause, in seconds, between two tries to load the model; each is twice as long as the one before."""
T = TypeVar("T")


class PredictResponse(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer to a request; later labels can be joined on its id and the number of the row.

    `warnings` are there if values of a category are, which training did not see: their rows' predictions are guesses.
    """

    request_id: str
    model: str
    predictions: list[Prediction]
    warnings: list[Finding] = []


class ExplainResponse(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer to a request for explanations; `warnings` are those of a prediction."""

    request_id: str
    model: str
    explanations: list[Explanation]
    warnings: list[Finding] = []


class NotReadyError(Exception):
    """No model is loaded; the message says why."""


class Model:
    """A loaded bundle, ready to answer."""

    def __init__(self, bundle: Bundle, settings: Settings) -> None:
        """Load a verified bundle.

        Raises:
            ProjectError: it was made with other features, or cannot be read.
        """
        self.bundle = bundle
        self.predictor = load(bundle)
        self.signature = self.predictor.signature
        self.decoder = RequestDecoder(self.signature, settings.max_request_rows)
        self.explain_decoder = self.decoder.limited("ExplainRequest", settings.max_explained_rows)
        self.explainer = Explainer(self.predictor, load_reference(bundle.path).profiles)


class Service:
    """The state of one worker."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.log = PredictionLog(settings)
        self.model: Model | None = None
        self.reason = "the model is being loaded"
        self.tried = asyncio.Event()

    async def load(self) -> None:
        """Fetch, verify and load the bundle at `MODEL_URI`, trying again for as long as it takes."""
        seconds, pause = self.settings.model_load_seconds, self.settings.model_retry_seconds
        while self.model is None:
            try:
                if not self.settings.model_uri:
                    raise ProjectError("MODEL_URI names no bundle")
                async with asyncio.timeout(seconds):
                    bundle = await fetch_async(self.settings.model_uri, self.settings.model_cache)
                    self.model = await in_daemon_thread(functools.partial(Model, bundle, self.settings))
            except Exception as error:  # whatever it was, /readyz must tell it, and the next try may succeed
                self.reason = str(error) or f"the model could not be loaded within {seconds:g} seconds"
                expected = isinstance(error, ProjectError | TimeoutError)
                logger.warning("not ready: %s", self.reason, exc_info=not expected)
                self.tried.set()
                await asyncio.sleep(pause)
                pause = min(2 * pause, MAX_PAUSE)
        MODEL.labels(self.model.bundle.id).set(1)
        gc.collect()
        gc.freeze()  # what is there now, stays: the collector need not look at it again while requests wait
        self.tried.set()

    def ready(self) -> Model:
        """Return the model.

        Raises:
            NotReadyError: there is none.
        """
        if self.model is None:
            raise NotReadyError(self.reason)
        return self.model

    def predict(self, body: bytes | bytearray, request_id: str) -> bytes:
        """Answer a request, count it and log it.

        Raises:
            NotReadyError: no model is loaded.
            msgspec.DecodeError: the request is not what the signature asks for.
        """
        model = self.ready()
        rows = model.decoder.rows(body)
        columns = model.decoder.columns(rows)
        predictions = to_predictions(model.predictor.predict(columns))
        outcomes = [outcome(prediction) for prediction in predictions]
        for name in set(outcomes):
            count_rows(name, outcomes.count(name))
        unseen = model.signature.unseen(columns)
        for column, numbers in unseen.items():
            UNSEEN.labels(column).inc(len(numbers))
        self.log.add(request_id, model.bundle.id, model.signature.inputs, rows, predictions)
        response = PredictResponse(request_id, model.bundle.id, predictions, to_warnings(unseen))
        return msgspec.json.encode(response)

    def explain(self, body: bytes | bytearray, request_id: str) -> bytes:
        """Answer a request for explanations; it is not logged, because it asks for no prediction that is used.

        Raises:
            NotReadyError: no model is loaded.
            msgspec.DecodeError: the request is not what the signature asks for.
            TimeoutError: it takes too long.
        """
        model = self.ready()
        columns = model.explain_decoder(body)
        explanations = model.explainer.explain(columns, self.settings.explain_seconds)
        warnings = to_warnings(model.signature.unseen(columns))
        return msgspec.json.encode(ExplainResponse(request_id, model.bundle.id, explanations, warnings))


def to_warnings(unseen: dict[str, list[int]]) -> list[Finding]:
    """Return the warnings about rows, by column, whose value training did not see."""
    said = "Training did not see this value"
    found = [Finding(("body", "instances", i, column), said) for column, rows in unseen.items() for i in rows]
    return found[:MAX_FINDINGS]


def in_daemon_thread(function: Callable[[], T]) -> asyncio.Future[T]:
    """Run a function in a thread that, unlike one of `asyncio.to_thread`, keeps no process alive when it hangs."""
    future: concurrent.futures.Future[T] = concurrent.futures.Future()
    future.set_running_or_notify_cancel()

    def run() -> None:
        try:
            future.set_result(function())
        except BaseException as error:  # it is raised where the result is awaited
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return asyncio.wrap_future(future)
