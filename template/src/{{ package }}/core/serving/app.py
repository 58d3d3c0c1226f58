"""The HTTP service.

FastAPI is the face, with its page at `/docs`; behind it a request is decoded once, straight into columns, because a
validated object for each row would cost more than the model does. The service starts without a model and becomes ready
when a verified bundle is loaded, so that a first deployment waits instead of crashing.
"""

import asyncio
import concurrent.futures
import contextlib
import functools
import gc
import logging
import re
import secrets
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from importlib.metadata import version
from typing import Any, TypeVar

import msgspec
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel
from starlette.requests import ClientDisconnect

from ...settings import Settings
from ..bundles.bundle import Bundle, Manifest, fetch_async
from ..bundles.predictor import load
from ..contract.signature import RequestDecoder, Signature
from ..errors import ProjectError
from ..monitoring.log import PredictionLog
from ..task.answer import Prediction, outcome, to_predictions
from .telemetry import MODEL, ROWS, UNSEEN, Telemetry, exposition

logger = logging.getLogger(__name__)
PREDICT = "/v1/predict"
NAME = __name__.partition(".")[0]
FIRST_TRY_SECONDS = 5
"""How long a worker waits for its model before it takes requests without one."""
MAX_PAUSE = 60.0
"""The longest pause, in seconds, between two tries to load the model; each is twice as long as the one before."""
REQUEST_ID = re.compile(r"[!-~]{1,128}")
"""What a client may send as `X-Request-ID`: it is answered in a header, and logged."""
T = TypeVar("T")


class PredictResponse(msgspec.Struct, frozen=True):
    """The answer to a request; later labels can be joined on its id and the number of the row."""

    request_id: str
    model: str
    predictions: list[Prediction]


class ModelInfo(msgspec.Struct, frozen=True):
    """What is known of the model that is being served."""

    model: str
    manifest: Manifest
    signature: Signature


class Problem(BaseModel):
    """The answer to a request that cannot be served."""

    detail: str


class Flaw(BaseModel):
    """What is wrong with a request, and where: the names of fields and the numbers of rows that lead there."""

    loc: list[str | int]
    msg: str


class Invalid(BaseModel):
    """The answer to a request that is not what the signature asks for."""

    detail: list[Flaw]


NOT_READY: dict[int | str, dict[str, Any]] = {503: {"model": Problem, "description": "No model is loaded yet"}}
REFUSED: dict[int | str, dict[str, Any]] = {
    413: {"model": Problem, "description": "The request has too many bytes"},
    415: {"model": Problem, "description": "The request is compressed"},
    422: {"model": Invalid, "description": "The request is not what the model asks for"},
}


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
        self.names = [column.name for column in self.signature.inputs]
        self.decoder = RequestDecoder(self.signature, settings.max_request_rows)


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
        """Return the model, or answer 503 with the reason why there is none."""
        if self.model is None:
            raise HTTPException(503, self.reason)
        return self.model

    async def body(self, request: Request) -> bytes:
        """Read a request's body, or answer 413 as soon as it is too large."""
        body = bytearray()
        try:
            async for chunk in request.stream():
                body += chunk
                if len(body) > self.settings.max_request_bytes:
                    raise HTTPException(413, f"a request may have at most {self.settings.max_request_bytes} bytes")
        except ClientDisconnect as error:
            raise HTTPException(400, "the request ended early") from error
        return bytes(body)

    def predict(self, body: bytes, request_id: str) -> bytes:
        """Answer a request, count it and log it.

        Raises:
            msgspec.DecodeError: the request is not what the signature asks for.
        """
        model = self.ready()
        rows = model.decoder.rows(body)
        columns = model.decoder.columns(rows)
        predictions = to_predictions(model.predictor.predict(columns))
        outcomes = [outcome(prediction) for prediction in predictions]
        for name in set(outcomes):
            ROWS.labels(name).inc(outcomes.count(name))
        for column, count in model.signature.unseen(columns).items():
            UNSEEN.labels(column).inc(count)
        self.log.add(request_id, model.bundle.id, model.names, rows, predictions)
        return msgspec.json.encode(PredictResponse(request_id, model.bundle.id, predictions))


class PlainRoute(APIRoute):
    """A route whose function takes the request as it is.

    FastAPI's own way, which solves dependencies and reads the body by itself, costs a fifth of the time of a request.
    So dependencies do not work here; middleware does.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the function itself."""
        return self.endpoint


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


def explain(error: msgspec.DecodeError) -> list[dict[str, Any]]:
    """Return what is wrong with a request in FastAPI's own form, which names the row and the field."""
    found = re.fullmatch(r"(.*?)(?: - at `\$\.(instances)(?:\[(\d{1,9})\](?:\.(.+))?)?`)?", str(error), re.DOTALL)
    message, instances, row, field = found.groups()  # type: ignore[union-attr]  # a field may be named like "a.b [c]"
    steps = (instances, row and int(row), field)
    return [{"loc": ["body", *(step for step in steps if step is not None)], "msg": message}]


def document(app: FastAPI, model: Model | None) -> dict[str, Any]:
    """Return the OpenAPI document; the types of a request and a real example come from the model's signature."""
    openapi = get_openapi(title=NAME, version=version(NAME), routes=app.routes)
    if model is None:
        return openapi
    types = (model.decoder.request, PredictResponse, ModelInfo)
    (request, response, info), schemas = msgspec.json.schema_components(
        types, ref_template="#/components/schemas/{name}"
    )
    openapi.setdefault("components", {}).setdefault("schemas", {}).update(schemas)
    example = {"instances": [model.signature.example]}
    post = openapi["paths"][PREDICT]["post"]
    post["requestBody"] = {"required": True, "content": {"application/json": {"schema": request, "example": example}}}
    post["responses"]["200"]["content"] = {"application/json": {"schema": response}}
    openapi["paths"]["/v1/model"]["get"]["responses"]["200"]["content"] = {"application/json": {"schema": info}}
    return openapi


def create_app(settings: Settings | None = None) -> FastAPI:
    """Return the application; without settings they come from the environment."""
    service = Service(settings or Settings())

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        loading = asyncio.create_task(service.load())
        # Of several workers, one that is new must not take requests that the others could answer.
        await asyncio.wait([asyncio.create_task(service.tried.wait())], timeout=FIRST_TRY_SECONDS)
        async with service.log.running():
            yield
        loading.cancel()

    # Routes are tried in their order: the one that counts comes first, and pages that nobody needs are left out.
    app = FastAPI(title=NAME, lifespan=lifespan, redoc_url=None, swagger_ui_oauth2_redirect_url=None)
    app.openapi = lambda: document(app, service.model)  # type: ignore[method-assign]
    app.add_middleware(Telemetry)

    async def predict(request: Request) -> Response:
        """Predict rows; a value of a category that training did not see is accepted, and counted."""
        request_id = request.headers.get("x-request-id", "")
        if not REQUEST_ID.fullmatch(request_id):
            request_id = secrets.token_hex(16)
        try:
            answer = service.predict(await service.body(request), request_id)
        except msgspec.DecodeError as error:
            if "content-encoding" in request.headers:
                raise HTTPException(415, "a request must not be compressed") from error
            raise HTTPException(422, explain(error)) from error
        return Response(answer, media_type="application/json", headers={"x-request-id": request_id})

    app.router.add_api_route(
        PREDICT, predict, methods=["POST"], responses=REFUSED | NOT_READY, route_class_override=PlainRoute
    )

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        """Tell that the process is alive."""
        return {"status": "alive"}

    @app.get("/readyz", responses=NOT_READY)
    async def readyz() -> dict[str, str]:
        """Tell whether a verified model is loaded; if not, why not."""
        return {"status": "ready", "model": service.ready().bundle.id, "image": service.settings.release_image}

    @app.get("/metrics", response_class=Response)
    async def metrics() -> Response:
        """Return metrics for Prometheus."""
        return Response(exposition(), media_type=CONTENT_TYPE_LATEST)

    @app.get("/v1/model", responses=NOT_READY)
    async def model() -> Response:
        """Return what is known of the model that is being served."""
        loaded = service.ready()
        known = ModelInfo(loaded.bundle.id, loaded.bundle.manifest, loaded.signature)
        return Response(msgspec.json.encode(known), media_type="application/json")

    return app
