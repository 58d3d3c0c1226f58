"""The state of one worker: its model and its prediction log.

The service starts without a model and becomes ready when a verified bundle is loaded, so that a first deployment waits
instead of crashing.
"""

import asyncio
import gc

import msgspec

from ...settings import Settings
from ..explanation.explainer import Explanation
from ..monitoring.log import PredictionLog
from ..task.answer import Prediction, outcome, to_predictions
from .decoder import MAX_FINDINGS, Finding
from .model import Model, load_model
from .shadow import Shadow
from .telemetry import MODEL, UNSEEN, count_rows


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


class Service:
    """The state of one worker."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.log = PredictionLog(settings)
        self.shadow = Shadow(settings, self.log)
        self.model: Model | None = None
        self.reason = "the model is being loaded"
        self.tried = asyncio.Event()

    async def load(self) -> None:
        """Load the bundle at `MODEL_URI`, trying again for as long as it takes."""
        if not self.settings.model_uri:
            self._wait("MODEL_URI names no bundle")
            return
        self.model = await load_model(self.settings.model_uri, self.settings, self._wait)
        MODEL.labels(self.model.bundle.id).set(1)
        gc.collect()
        gc.freeze()  # what is there now, stays: the collector need not look at it again while requests wait
        self.tried.set()

    def _wait(self, reason: str) -> None:
        self.reason = reason  # `/readyz` tells it
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
        if self.log.draws():
            self.log.add(request_id, model.bundle.id, model.signature.inputs, rows, predictions)
            self.shadow.ask(model.bundle.id, request_id, body)
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
