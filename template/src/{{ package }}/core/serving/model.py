"""The model of a service: a verified bundle, loaded and ready to answer."""

import asyncio
import concurrent.futures
import functools
import logging
import threading
from collections.abc import Callable
from typing import TypeVar

from ...settings import Settings
from ..bundles.bundle import Bundle, fetch_async
from ..bundles.predictor import load
from ..errors import ProjectError
from ..explanation.explainer import Explainer
from ..monitoring.profiles import load_reference
from .decoder import RequestDecoder

logger = logging.getLogger(__name__)
MAX_PAUSE = 60.0
"""The longest pause, in seconds, between two tries to load the model; each is twice as long as the one before."""
T = TypeVar("T")


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


async def load_model(uri: str, settings: Settings, failed: Callable[[str], None]) -> Model:
    """Fetch, verify and load a bundle, trying again for as long as it takes.

    Args:
        uri: Where the bundle is.
        settings: How long a try, and the pause after it, may take.
        failed: Is told the reason after each try that fails.
    """
    seconds, pause = settings.model_load_seconds, settings.model_retry_seconds
    while True:
        try:
            async with asyncio.timeout(seconds):
                bundle = await fetch_async(uri, settings.model_cache)
                return await in_daemon_thread(functools.partial(Model, bundle, settings))
        except Exception as error:  # whatever it was, it must be told, and the next try may succeed
            reason = str(error) or f"the model could not be loaded within {seconds:g} seconds"
            expected = isinstance(error, ProjectError | TimeoutError)
            logger.warning("the model at %s is not loaded: %s", uri, reason, exc_info=not expected)
            failed(reason)
            await asyncio.sleep(pause)
            pause = min(2 * pause, MAX_PAUSE)


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
