"""The environment: what differs between a laptop, a cluster's staging and its production, and nothing else."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, PositiveFloat, PositiveInt
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    """Read from environment variables of the same names; every default works on a laptop with no network."""

    store_uri: Annotated[str, Field(min_length=1)] = "artifacts/store"
    """Where bundles, and the pointers to the candidate and the champion, are kept."""
    model_uri: str = ""
    """The bundle to serve."""
    release_image: str = ""
    """The image that runs, as its release names it; `/readyz` tells it."""
    model_cache: Path = Path("artifacts/cache")
    """Where a remote bundle is unpacked."""
    model_retry_seconds: PositiveFloat = 5
    """How long to wait before a bundle that could not be loaded is tried again; then ever longer, up to a minute."""
    model_load_seconds: PositiveFloat = 300
    """How long one try may take."""

    max_request_bytes: PositiveInt = 2_000_000
    """A larger request is refused."""
    max_request_rows: PositiveInt = 1_000
    """A request with more rows is refused."""
    max_pending_bytes: PositiveInt = 32_000_000
    """How many bytes of requests may be under way in one process; a request beyond that is answered with 503 at once.

    It bounds memory and the time that a request waits: 32 MB of full requests take about two seconds of one core.
    """
    request_seconds: PositiveFloat = 10
    """How long the body of a request may take to arrive."""

    prediction_log_uri: str = "artifacts/predictions"
    """Where predictions are logged; nowhere if empty."""
    prediction_log_sample: Annotated[float, Field(ge=0, le=1)] = 1
    """The share of requests that are logged."""
    prediction_log_exclude: list[str] = []
    """Columns that are never logged, as a JSON list."""
    prediction_log_seconds: PositiveFloat = 30
    """The longest that a prediction waits in memory."""
    prediction_log_rows: PositiveInt = 10_000
    """How many rows are written together at the latest; fewer where they are large."""

    mlflow_tracking_uri: str = "sqlite:///artifacts/mlflow.db"
    """Where training runs are tracked."""
