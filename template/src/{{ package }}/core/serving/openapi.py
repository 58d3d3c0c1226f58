"""The OpenAPI document: what FastAPI knows, and the routes that take rows as the model's signature describes them."""

from importlib.metadata import version
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from ..bundles.bundle import Manifest
from ..contract.signature import Signature
from .decoder import Finding
from .endpoint import EXPLAIN, PREDICT
from .model import Model
from .service import ExplainResponse, PredictResponse

SCHEMA = "#/components/schemas/{name}"


class ModelInfo(msgspec.Struct, frozen=True):
    """What is known of the model that is being served."""

    model: str
    manifest: Manifest
    signature: Signature


class Problem(msgspec.Struct, frozen=True):
    """The answer to a request that cannot be served."""

    detail: str


class Invalid(msgspec.Struct, frozen=True):
    """The answer to a request that is not what the signature asks for: all that is wrong with it, up to a bound."""

    detail: list[Finding]


def answer(description: str, type_: type) -> dict[str, Any]:
    """Return how OpenAPI describes an answer."""
    return {"description": description, "content": json_of({"$ref": SCHEMA.format(name=type_.__name__)})}


def json_of(schema: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return how OpenAPI describes a body of JSON."""
    return {"application/json": {"schema": schema, **more}}


NOT_READY: dict[int | str, dict[str, Any]] = {503: answer("No model is loaded yet", Problem)}
MODEL: dict[int | str, dict[str, Any]] = NOT_READY | {200: answer("What is being served", ModelInfo)}


def document(app: FastAPI, model: Model | None) -> dict[str, Any]:
    """Return the OpenAPI document; the types of a request and its example come from the model's signature."""
    openapi = get_openapi(title=app.title, version=version(app.title), routes=app.routes)
    requests = (model.decoder.request, model.explain_decoder.request) if model else ()
    types = (PredictResponse, ExplainResponse, ModelInfo, Problem, Invalid, *requests)
    _, schemas = msgspec.json.schema_components(types, ref_template=SCHEMA)
    predict = {
        "summary": "Predict",
        "description": "Predict rows; a value of a category that training did not see is accepted, with a warning.",
        "operationId": "predict",
        **_exchange("PredictRequest", model, answer("Predictions", PredictResponse)),
    }
    explain = {
        "summary": "Explain",
        "description": "Predict a few rows, and tell what each input contributes and what would change the prediction.",
        "operationId": "explain",
        **_exchange("ExplainRequest", model, answer("Explanations", ExplainResponse)),
    }
    openapi["paths"] = {PREDICT: {"post": predict}, EXPLAIN: {"post": explain}} | openapi["paths"]
    openapi.setdefault("components", {}).setdefault("schemas", {}).update(schemas)
    return openapi


def _exchange(request: str, model: Model | None, response: dict[str, Any]) -> dict[str, Any]:
    """Return how OpenAPI describes a request for rows, and all answers to it."""
    body = json_of({"type": "object"})
    if model:
        body = json_of({"$ref": SCHEMA.format(name=request)}, example={"instances": [model.signature.example]})
    return {
        "requestBody": {"required": True, "content": body},
        "responses": {
            "200": response,
            "408": answer("The request did not arrive in time", Problem),
            "413": answer("The request has too many bytes", Problem),
            "415": answer("The request is compressed", Problem),
            "422": answer("The request is not what the model asks for", Invalid),
            "503": answer("No model is loaded yet, or too many requests are under way", Problem),
        },
    }
