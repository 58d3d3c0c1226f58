"""The environment: what differs between a laptop, a cluster's staging and its production, and nothing else."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    """Read from environment variables of the same names; every default works on a laptop with no network."""

    store_uri: Annotated[str, Field(min_length=1)] = "artifacts/store"
    """Where bundles, and the pointers to the candidate and the champion, are kept."""
    model_uri: str = ""
    """The bundle to serve."""
    shadow_uri: str = ""
    """A second bundle that gets the same requests; its answers are logged and not sent."""
    release_image: str = ""
    """The running image, as the release names it; `/readyz` reports it."""
    model_cache: Path = Path("artifacts/cache")
    """Where a downloaded bundle is kept."""
    model_retry_seconds: PositiveFloat = 5
    """How long to wait before another attempt to load the bundle; doubled each time, up to a minute."""
    model_load_seconds: PositiveFloat = 300
    """The longest that one attempt to load the bundle may take."""

    max_request_bytes: PositiveInt = 2_000_000
    """Larger requests are refused."""
    max_request_rows: PositiveInt = 1_000
    """Requests with more rows are refused."""
    max_pending_bytes: PositiveInt = 32_000_000
    """How many bytes of requests one process handles at a time; beyond that, requests get 503 at once.

    This bounds memory and waiting time: 32 MB of full requests take about two seconds of one core.
    """
    request_seconds: PositiveFloat = 10
    """The longest that the body of a request may take to arrive."""
    max_explained_rows: PositiveInt = 10
    """Requests for explanations of more rows are refused; a row takes up to some 4000 predictions."""
    max_explanations: PositiveInt = 2
    """How many requests for explanations one process handles at a time; beyond that, they get 503 at once."""
    explain_seconds: PositiveFloat = 5
    """The longest that the explanations of a request may take."""

    prediction_log_uri: str = "artifacts/predictions"
    """Where predictions are logged; empty to log none."""
    prediction_log_sample: Annotated[float, Field(ge=0, le=1)] = 1
    """The share of requests that are logged."""
    prediction_log_exclude: list[str] = []
    """Columns that are never logged, as a JSON list."""
    prediction_log_seconds: PositiveFloat = 30
    """Write logged predictions at least this often."""
    prediction_log_rows: PositiveInt = 10_000
    """Write after this many rows; earlier if they are large."""

    job_completion_index: NonNegativeInt | None = None
    """Which shard of a batch to predict; Kubernetes tells it to each pod of an Indexed Job."""
    job_completions: PositiveInt | None = None
    """How many shards that Job has."""

    mlflow_tracking_uri: str = "sqlite:///artifacts/mlflow.db"
    """Where training runs are tracked."""
