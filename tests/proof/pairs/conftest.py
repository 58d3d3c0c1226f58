"""What the tests of a pair share beside its project."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.proof.project import Project, Service


@pytest.fixture(scope="module")
def service(champion: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Return a running service of the champion, which must be able to end in order after all that is done to it."""
    with champion.with_env(PREDICTION_LOG_URI=tmp_path_factory.mktemp("log")).served() as running:
        yield running
        assert running.metrics("http_requests_total", status="500") == 0
