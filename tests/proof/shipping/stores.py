"""The object stores of three clouds, emulated on loopback, each behind a gate that is late, slow or silent at will."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.sax.saxutils import escape

from tests.proof.shipping.web import Answer, ask, free_port
from tests.tools import need

BUCKET = "models"
AZURITE = "devstoreaccount1"
AZURITE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="  # no secret
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}


class Store:
    """An emulated object store with one empty bucket; what is told to clients is the port of the gate."""

    scheme: str
    tool: str

    def command(self, port: int, folder: str) -> list[str]:
        """Return the command that emulates it."""
        raise NotImplementedError

    def environment(self, port: int) -> dict[str, str]:
        """Return the variables by which a client finds it, instead of the cloud."""
        raise NotImplementedError

    def prepare(self, port: int) -> Answer:
        """Make the bucket."""
        raise NotImplementedError

    def answer(self, port: int, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Pass a request on to the emulator."""
        return ask(port, method, path, body, headers)


class Amazon(Store):
    """S3, by moto."""

    scheme = "s3"
    tool = "moto_server"

    def command(self, port: int, folder: str) -> list[str]:
        return [self.tool, "-H", "127.0.0.1", "-p", str(port)]

    def environment(self, port: int) -> dict[str, str]:
        credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
        return credentials | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}", "AWS_ALLOW_HTTP": "true"}

    def prepare(self, port: int) -> Answer:
        return ask(port, "PUT", f"/{BUCKET}")


class Azure(Store):
    """Blob Storage, by azurite."""

    scheme = "az"
    tool = "azurite-blob"

    def command(self, port: int, folder: str) -> list[str]:
        places = ["--blobHost", "127.0.0.1", "--blobPort", str(port), "--location", folder]
        return [self.tool, *places, "--silent", "--skipApiVersionCheck"]

    def environment(self, port: int) -> dict[str, str]:
        account = {"AZURE_STORAGE_ACCOUNT_NAME": AZURITE, "AZURE_STORAGE_ACCOUNT_KEY": AZURITE_KEY}
        return account | {"AZURE_ENDPOINT": f"http://127.0.0.1:{port}/{AZURITE}", "AZURE_ALLOW_HTTP": "true"}

    def prepare(self, port: int) -> Answer:
        sent = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": "2021-08-06"}
        signed = [f"{name}:{value}" for name, value in sent.items()]
        signed += [f"/{AZURITE}/{AZURITE}/{BUCKET}", "restype:container"]
        text = "\n".join(["PUT", *[""] * 11, *signed])
        digest = hmac.digest(base64.b64decode(AZURITE_KEY), text.encode(), "sha256")
        sent["Authorization"] = f"SharedKey {AZURITE}:{base64.b64encode(digest).decode()}"
        return ask(port, "PUT", f"/{AZURITE}/{BUCKET}?restype=container", headers=sent)


class Google(Store):
    """Cloud Storage, by gcp-storage-emulator.

    The emulator speaks JSON, and half of the XML interface that obstore uses; the other half is put here.
    """

    scheme = "gs"
    tool = "gcp-storage-emulator"

    def command(self, port: int, folder: str) -> list[str]:
        return [self.tool, "start", "--host=127.0.0.1", f"--port={port}", "--in-memory"]

    def environment(self, port: int) -> dict[str, str]:
        nobody = {"client_email": "", "private_key": "", "private_key_id": "", "disable_oauth": True}
        key = nobody | {"gcs_base_url": f"http://127.0.0.1:{port}"}
        return {"GOOGLE_SERVICE_ACCOUNT_KEY": json.dumps(key), "GOOGLE_ALLOW_HTTP": "true"}

    def prepare(self, port: int) -> Answer:
        body = json.dumps({"name": BUCKET}).encode()
        return ask(port, "POST", "/storage/v1/b?project=test", body, {"Content-Type": "application/json"})

    def answer(self, port: int, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        parts = urlsplit(path)
        if method == "GET" and parts.path.strip("/") == BUCKET:
            return self._list(port, parse_qs(parts.query).get("prefix", [""])[0])
        if method == "DELETE":
            return ask(port, method, f"/storage/v1/b/{BUCKET}/o/{parts.path.removeprefix(f'/{BUCKET}/')}")
        plain = {name: value for name, value in headers.items() if name.lower() != "range"}
        answer = ask(port, "GET" if method == "HEAD" else method, path, body, plain)
        content = body if method == "PUT" else answer.body
        known = {"etag": f'"{hashlib.md5(content).hexdigest()}"', "last-modified": formatdate(usegmt=True)}
        asked = next((value for name, value in headers.items() if name.lower() == "range"), "")
        if answer.status != 200 or not asked:
            return Answer(answer.status, dict(answer.headers) | known, answer.body)
        first, _, last = asked.removeprefix("bytes=").partition("-")
        start = int(first) if first else max(0, len(content) - int(last))  # without a first, so many at the end
        end = min(int(last or len(content)) if first else len(content), len(content) - 1)
        known["content-range"] = f"bytes {start}-{end}/{len(content)}"
        return Answer(206, dict(answer.headers) | known, content[start : end + 1])

    def _list(self, port: int, prefix: str) -> Answer:
        found = json.loads(ask(port, "GET", f"/storage/v1/b/{BUCKET}/o?prefix={quote(prefix, safe='')}").body)
        rows = "".join(
            f"<Contents><Key>{escape(unquote(item['name']))}</Key><Size>{item['size']}</Size>"
            f"<LastModified>{item['timeCreated']}</LastModified><ETag>{item.get('etag', 'none')}</ETag></Contents>"
            for item in found.get("items", [])
        )
        text = f"<ListBucketResult><IsTruncated>false</IsTruncated>{rows}</ListBucketResult>"
        return Answer(200, {"content-type": "application/xml"}, text.encode())


STORES = {store.scheme: store for store in (Amazon(), Google(), Azure())}


@dataclass
class Gate:
    """What clients reach instead of the emulator."""

    store: Store
    emulator: int
    port: int = field(default_factory=free_port)
    bytes_a_second: float = float("inf")
    """How fast it answers."""
    silent: bool = False
    """Whether it takes requests and answers none."""

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables by which a client finds the store behind it."""
        return self.store.environment(self.port)

    @property
    def uri(self) -> str:
        """Return the URI of the bucket."""
        return f"{self.store.scheme}://{BUCKET}"

    @contextmanager
    def open(self) -> Iterator[None]:
        """Listen for as long as the context lasts; before, nobody is there."""
        gate = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except OSError:  # the client has gone
                    self.close_connection = True

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                while gate.silent:
                    time.sleep(0.05)
                answer = gate.store.answer(gate.emulator, self.command, self.path, body, dict(self.headers))
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    if name not in HOP_BY_HOP:
                        self.send_header(name, value)
                length = answer.headers.get("content-length") if self.command == "HEAD" else None
                self.send_header("Content-Length", length or str(len(answer.body)))
                self.end_headers()
                if self.command != "HEAD":
                    for start in range(0, len(answer.body), 8192):
                        chunk = answer.body[start : start + 8192]
                        self.wfile.write(chunk)
                        time.sleep(len(chunk) / gate.bytes_a_second)

            do_HEAD = do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815 (the names are http.server's)

            def log_message(self, format: str, *args: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()


@contextmanager
def emulate(store: Store) -> Iterator[Gate]:
    """Run an emulator with an empty bucket for as long as the context lasts, behind a gate that is still closed."""
    need(store.tool)
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        quiet = subprocess.DEVNULL
        emulator = subprocess.Popen(store.command(port, folder), stdout=quiet, stderr=quiet, cwd=folder)
        try:
            _prepare(store, port, emulator)
            yield Gate(store, port)
        finally:
            emulator.terminate()
            emulator.wait()


def _prepare(store: Store, port: int, emulator: subprocess.Popen[bytes]) -> None:
    """Wait for an emulator and make its bucket."""
    end = time.monotonic() + 60
    while True:
        assert emulator.poll() is None, f"{store.tool} ended at once"
        assert time.monotonic() < end, f"{store.tool} does not start"
        try:
            answer = store.prepare(port)
        except OSError:
            time.sleep(0.1)
            continue
        assert answer.status in (200, 201), answer
        return
