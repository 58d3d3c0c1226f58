"""`POST /v1/predict`: an ASGI application of its own, because FastAPI's part would take longer than the model's.

It also bounds what is under way. The bytes of all requests that are being read, wait or are answered have a limit, and
a request beyond it gets 503 at once, with `Retry-After`, before its body is read: so neither the memory nor the time
that an accepted request waits depends on how many clients there are. Predictions take a part of each turn of the event
loop, and those that are left wait for the next one, so that `/healthz` is answered between them.

`POST /v1/explain` takes the same rows, but thousands of predictions for each of them. So it works in threads of its
own, of which there are few, and a request that finds all of them taken gets 503 at once, too.
"""

import asyncio
import functools
import re
import secrets
import time
from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import msgspec
from starlette.types import Receive, Scope, Send

from .decoder import Finding, RequestDecoder
from .model import in_daemon_thread
from .service import NotReadyError, Service
from .telemetry import count

PREDICT = "/v1/predict"
EXPLAIN = "/v1/explain"
REQUEST_ID = re.compile(rb"[!-~]{1,128}")
"""What a client may send as `X-Request-ID`: it is answered in a header, and logged."""
FIXED_COST = 4_000
"""What a request counts beyond its bytes: one of a single row takes as long as some kilobytes of a large one."""
LONG_BYTES = 16_000
"""A request of more bytes comes in several pieces."""
TURN_SECONDS = 0.05
"""How long predictions may take in one turn of the event loop, before other things have theirs."""
HEADERS = {405: [(b"allow", b"POST")], 503: [(b"retry-after", b"1")]}
"""What an answer with such a status has in addition."""


class Refusal(Exception):  # noqa: N818 (an answer, and no error of the service)
    """An answer other than 200: its status, and the `detail` in its body."""

    def __init__(self, status: int, detail: str | list[Finding]) -> None:
        super().__init__(status, detail)
        self.status = status
        self.detail = detail


def to_refusal(
    headers: Mapping[bytes, bytes], body: bytearray, error: msgspec.DecodeError, decoder: RequestDecoder
) -> Refusal:
    """Return the refusal of a request that could not be decoded."""
    if b"content-encoding" in headers:
        return Refusal(415, "a request must not be compressed")
    return Refusal(422, decoder.faults(body, error))


class Endpoint:
    """An ASGI application at one path, to which rows are posted."""

    path: ClassVar[str]

    def __init__(self, service: Service) -> None:
        self._service = service
        self._settings = service.settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, and take note of it."""
        start, status = time.perf_counter(), 500
        headers = dict(scope["headers"])
        request_id = headers.get(b"x-request-id", b"")
        if not REQUEST_ID.fullmatch(request_id):
            request_id = secrets.token_hex(16).encode()
        try:
            try:
                if scope["method"] != "POST":
                    raise Refusal(405, "only POST is answered here")
                content = await self._answer(headers, receive, request_id.decode())
                status = 200
            except Refusal as refusal:
                content = msgspec.json.encode({"detail": refusal.detail})
                status = refusal.status
            head = [
                (b"content-type", b"application/json"),
                (b"content-length", str(len(content)).encode()),
                (b"x-request-id", request_id),
                *HEADERS.get(status, ()),
            ]
            await send({"type": "http.response.start", "status": status, "headers": head})
            await send({"type": "http.response.body", "body": content})
        finally:
            count(self.path, status, time.perf_counter() - start)

    @abstractmethod
    async def _answer(self, headers: Mapping[bytes, bytes], receive: Receive, request_id: str) -> bytes:
        """Read a request and answer it."""

    async def _read_in_time(self, receive: Receive) -> bytearray:
        seconds = self._settings.request_seconds
        try:
            async with asyncio.timeout(seconds):
                return await self._read(receive)
        except TimeoutError:
            raise Refusal(408, f"the request did not arrive within {seconds:g} seconds") from None

    async def _read(self, receive: Receive) -> bytearray:
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Refusal(400, "the request ended early")
            body += message.get("body", b"")
            if len(body) > self._settings.max_request_bytes:
                raise Refusal(413, f"a request may have at most {self._settings.max_request_bytes} bytes")
            if not message.get("more_body"):
                return body


class PredictEndpoint(Endpoint):
    """The ASGI application at `PREDICT`."""

    path = PREDICT

    def __init__(self, service: Service) -> None:
        super().__init__(service)
        self._pending = 0
        self._spent = 0.0

    async def _answer(self, headers: Mapping[bytes, bytes], receive: Receive, request_id: str) -> bytes:
        """Read a request if there is room for it, and answer it when it is its turn."""
        largest = self._settings.max_request_bytes
        size = min(int(headers.get(b"content-length", largest)), largest)
        # A short body comes with its head; a long one takes up room while it is being read, so it has to hurry.
        body = await self._read(receive) if size <= LONG_BYTES else None
        cost = FIXED_COST + size
        if self._pending and self._pending + cost > self._settings.max_pending_bytes:
            raise Refusal(503, "too many requests are under way; try again later")
        self._pending += cost
        try:
            if body is None:
                body = await self._read_in_time(receive)
            while self._spent > TURN_SECONDS:
                await asyncio.sleep(0)
            return self._predict(headers, body, request_id)
        finally:
            self._pending -= cost

    def _predict(self, headers: Mapping[bytes, bytes], body: bytearray, request_id: str) -> bytes:
        start = time.perf_counter()
        if not self._spent:
            asyncio.get_running_loop().call_soon(self._end_turn)
        try:
            return self._service.predict(body, request_id)
        except NotReadyError as error:
            raise Refusal(503, str(error)) from None
        except msgspec.DecodeError as error:
            raise to_refusal(headers, body, error, self._service.ready().decoder) from None
        finally:
            self._spent += time.perf_counter() - start

    def _end_turn(self) -> None:
        self._spent = 0.0


class ExplainEndpoint(Endpoint):
    """The ASGI application at `EXPLAIN`."""

    path = EXPLAIN

    def __init__(self, service: Service) -> None:
        super().__init__(service)
        self._under_way = 0

    async def _answer(self, headers: Mapping[bytes, bytes], receive: Receive, request_id: str) -> bytes:
        """Read a request if a thread is free for it, and answer it in there."""
        if self._under_way >= self._settings.max_explanations:
            raise Refusal(503, "too many explanations are under way; try again later")
        self._under_way += 1
        try:
            body = await self._read_in_time(receive)
            return await in_daemon_thread(functools.partial(self._explain, headers, body, request_id))
        finally:
            self._under_way -= 1

    def _explain(self, headers: Mapping[bytes, bytes], body: bytearray, request_id: str) -> bytes:
        try:
            return self._service.explain(body, request_id)
        except NotReadyError as error:
            raise Refusal(503, str(error)) from None
        except TimeoutError:
            seconds = self._settings.explain_seconds
            raise Refusal(503, f"explaining took longer than {seconds:g} seconds; ask for fewer rows") from None
        except msgspec.DecodeError as error:
            raise to_refusal(headers, body, error, self._service.ready().explain_decoder) from None
