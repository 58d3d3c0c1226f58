"""The HTTP service: FastAPI, with its page at `/docs`, and in front of it the routes that take rows."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import msgspec
from fastapi import FastAPI, HTTPException, Response
from fastapi.responses import RedirectResponse
from fastapi_offline import FastAPIOffline
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.types import ASGIApp, Receive, Scope, Send

from ...settings import Settings
from .endpoint import EXPLAIN, PREDICT, ExplainEndpoint, PredictEndpoint
from .model import Model
from .openapi import MODEL, NOT_READY, ModelInfo, document
from .service import NotReadyError, Service
from .telemetry import Telemetry, exposition

NAME = __name__.partition(".")[0]
PING = "/ping"
INVOCATIONS = "/invocations"
"""What SageMaker calls `/readyz` and `/v1/predict`."""
FIRST_TRY_SECONDS = 5
"""How long a worker waits for its model before it takes requests without one."""


def create_app(settings: Settings | None = None) -> ASGIApp:
    """Return the application; without settings they come from the environment."""
    service = Service(settings or Settings())
    predict, explain, face = PredictEndpoint(service), ExplainEndpoint(service), create_face(service)
    endpoints: dict[object, ASGIApp] = {PREDICT: predict, INVOCATIONS: predict, EXPLAIN: explain}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await endpoints.get(scope.get("path"), face)(scope, receive, send)

    return app


def create_face(service: Service) -> FastAPI:
    """Return all but predictions and explanations: health, metrics, what is served, and the documentation."""

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        loading = asyncio.create_task(service.load())
        # Of several workers, one that is new must not take requests that the others could answer.
        await asyncio.wait([asyncio.create_task(service.tried.wait())], timeout=FIRST_TRY_SECONDS)
        async with service.log.running(), service.shadow.running():
            yield
        loading.cancel()

    # The page's scripts come from a package: it works where there is no Internet.
    app = FastAPIOffline(title=NAME, lifespan=lifespan, redoc_url=None)
    app.openapi = lambda: document(app, service.model)  # type: ignore[method-assign]
    app.add_middleware(Telemetry)

    def ready() -> Model:
        try:
            return service.ready()
        except NotReadyError as error:
            raise HTTPException(503, str(error)) from None

    @app.get("/", include_in_schema=False)
    async def root() -> RedirectResponse:
        """Lead to the documentation."""
        return RedirectResponse("docs")

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        """Tell that the process is alive."""
        return {"status": "alive"}

    @app.get(PING, include_in_schema=False)
    @app.get("/readyz", responses=NOT_READY)
    async def readyz() -> dict[str, str]:
        """Tell whether a verified model is loaded; if not, why not."""
        return {"status": "ready", "model": ready().bundle.id, "image": service.settings.release_image}

    @app.get("/metrics", response_class=Response)
    async def metrics() -> Response:
        """Return metrics for Prometheus."""
        return Response(exposition(), media_type=CONTENT_TYPE_LATEST)

    @app.get("/v1/model", responses=MODEL)
    async def model() -> Response:
        """Return what is known of the model that is being served."""
        loaded = ready()
        known = ModelInfo(loaded.bundle.id, loaded.bundle.manifest, loaded.signature)
        return Response(msgspec.json.encode(known), media_type="application/json")

    return app
