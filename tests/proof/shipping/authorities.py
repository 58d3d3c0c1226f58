"""Token services and buckets that refuse: each demands what the one before it has given, and nothing lives for long.

CI mints an assertion for whoever shows the job's own token; a cloud exchanges an assertion that is fresh and made out
for it; the bucket answers whoever shows the very token that came out, while it is valid. A pod has nothing to do here.
"""

from __future__ import annotations

import json
import secrets
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.proof.shipping.web import Answer

JOB_TOKEN = "the-jobs-own-token"
CONNECTION = "id-of-TRAIN"
POOL = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/churn-ci/providers/ci"
ACCOUNT = "churn-ci-train@acme.iam.gserviceaccount.com"
AUDIENCES = {"google": f"https:{POOL}", "azure": "api://AzureADTokenExchange"}
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
JWT = "urn:ietf:params:oauth:token-type:jwt"
BUCKET = "models"


@dataclass
class Authority:
    """A cloud with its CI; nothing that it gives is good for longer than it says."""

    port: int = 0
    secure_port: int = 0
    assertion_seconds: float = 1
    token_seconds: float = 600
    pool_audience: str = AUDIENCES["google"]
    """For whom the assertions have to be that Google's pool accepts: `ci_audience` in infra/."""
    closed: bool = False
    """Whether the bucket refuses everybody."""
    objects: dict[str, bytes] = field(default_factory=dict)
    given: dict[str, tuple[str, float]] = field(default_factory=dict)
    """What each token is good for, and until when."""
    log: list[str] = field(default_factory=list)

    def give(self, purpose: str, seconds: float) -> str:
        """Return a new token."""
        token = secrets.token_hex(16)
        self.given[token] = (purpose, time.monotonic() + seconds)
        return token

    def accepts(self, token: str, purpose: str) -> bool:
        """Tell whether a token was given for this purpose, and not too long ago."""
        given, until = self.given.get(token, ("", 0.0))
        return given == purpose and time.monotonic() < until

    def assertion(self, audience: str) -> str:
        """Return a proof of identity, as CI writes it to a file."""
        return self.give(f"assertion for {audience}", self.assertion_seconds)

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Answer a request, and write down what it was and what came of it."""
        parts = urlsplit(path)
        bearer = headers.get("authorization", "").removeprefix("Bearer ")
        path = unquote(parts.path)
        answer = self._route(method, path, parse_qs(parts.query), bearer, headers, body)
        self.log.append(f"{method} {path} {answer.status}")
        return answer

    def _route(
        self,
        method: str,
        path: str,
        query: Mapping[str, list[str]],
        bearer: str,
        headers: Mapping[str, str],
        body: bytes,
    ) -> Answer:
        if path == "/github":
            return self._mint(bearer, {"value": self.assertion(query.get("audience", [""])[0])})
        if path == "/azure-pipelines":
            if method != "POST" or query.get("serviceConnectionId") != [CONNECTION] or "api-version" not in query:
                return reply(400, {"message": "no such connection"})
            return self._mint(bearer, {"oidcToken": self.assertion(AUDIENCES["azure"])})
        form = {name: values[0] for name, values in parse_qs(body.decode("latin-1")).items()}
        if path == "/v1/token":
            return self._exchange_google(form)
        if path.endswith(":generateAccessToken"):
            return self._impersonate(path, bearer, json.loads(body))
        if path.endswith("/oauth2/v2.0/token"):
            return self._exchange_azure(path, form)
        return self._store(method, path, bearer, headers, body)

    def _mint(self, bearer: str, content: Any) -> Answer:
        return reply(200, content) if bearer == JOB_TOKEN else reply(401, {"message": "not this job"})

    def _exchange_google(self, form: Mapping[str, str]) -> Answer:
        known = [
            form.get("grant_type") == EXCHANGE,
            form.get("audience") == POOL,
            form.get("subject_token_type") == JWT,
        ]
        if not all(known) or not self.accepts(form.get("subject_token", ""), f"assertion for {self.pool_audience}"):
            return reply(400, {"error": "invalid_grant", "error_description": "The subject token is not accepted."})
        content = {"access_token": self.give("federated", 60), "token_type": "Bearer", "expires_in": 60}
        return reply(200, content | {"issued_token_type": "urn:ietf:params:oauth:token-type:access_token"})

    def _impersonate(self, path: str, bearer: str, wanted: Mapping[str, Any]) -> Answer:
        if not self.accepts(bearer, "federated"):
            return reply(401, {"error": {"status": "UNAUTHENTICATED", "message": "not federated"}})
        if path != f"/v1/projects/-/serviceAccounts/{ACCOUNT}:generateAccessToken":
            return reply(403, {"error": {"status": "PERMISSION_DENIED", "message": "not this account"}})
        if not wanted.get("scope"):
            return reply(400, {"error": {"status": "INVALID_ARGUMENT", "message": "no scope"}})
        until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + self.token_seconds))
        return reply(200, {"accessToken": self.give("storage", self.token_seconds), "expireTime": until})

    def _exchange_azure(self, path: str, form: Mapping[str, str]) -> Answer:
        if not path.startswith("/tenant/") or form.get("client_id") != "client":
            return reply(400, {"error": "unauthorized_client", "error_description": "AADSTS700016: not known"})
        if form.get("client_assertion_type") != BEARER or not self.accepts(
            form.get("client_assertion", ""), f"assertion for {AUDIENCES['azure']}"
        ):
            text = "AADSTS700024: Client assertion is not within its valid time range."
            return reply(401, {"error": "invalid_client", "error_description": text})
        if form.get("scope") != "https://storage.azure.com/.default":
            return reply(400, {"error": "invalid_scope"})
        token = self.give("storage", self.token_seconds)
        return reply(200, {"access_token": token, "token_type": "Bearer", "expires_in": int(self.token_seconds)})

    def _store(self, method: str, path: str, bearer: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Be Cloud Storage's XML interface, or Blob Storage, as far as bundles need them."""
        if self.closed or not self.accepts(bearer, "storage"):
            return Answer(403 if self.closed else 401, {}, b"<Error><Code>AccessDenied</Code></Error>")
        if not path.startswith(f"/{BUCKET}/"):
            return Answer(404, {}, b"<Error><Code>NoSuchBucket</Code></Error>")
        if method == "PUT":
            self.objects[path] = body
            return Answer(201 if "x-ms-version" in headers else 200, {"ETag": '"1"'}, b"")
        if path not in self.objects:
            return Answer(404, {}, b"<Error><Code>NoSuchKey</Code></Error>")
        content, known = self.objects[path], {"ETag": '"1"', "Last-Modified": formatdate(usegmt=True)}
        if asked := headers.get("range") or headers.get("x-ms-range"):
            start, _, end = asked.removeprefix("bytes=").partition("-")
            last = min(int(end or len(content)), len(content) - 1)
            known["Content-Range"] = f"bytes {start}-{last}/{len(content)}"
            return Answer(206, known, content[int(start) : last + 1])
        return Answer(200, known, content)


def reply(status: int, content: Any) -> Answer:
    """Return an answer in JSON."""
    return Answer(status, {"Content-Type": "application/json"}, json.dumps(content).encode())


@contextmanager
def authority(folder: Path) -> Iterator[Authority]:
    """Answer on two ports of loopback, one of them with TLS, whose certificate is `folder/ca.pem`."""
    known = Authority()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self._body()
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = known.answer(self.command, self.path, headers, body)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body)

        do_HEAD = do_PUT = do_POST = do_GET  # noqa: N815 (the names are http.server's)

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            content = b""
            while size := int(self.rfile.readline(), 16):
                content += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return content

        def log_message(self, format: str, *args: object) -> None:
            pass

    servers = [ThreadingHTTPServer(("127.0.0.1", 0), Handler) for _ in range(2)]
    known.port, known.secure_port = (server.server_address[1] for server in servers)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate(folder))
    servers[1].socket = context.wrap_socket(servers[1].socket, server_side=True)
    for server in servers:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield known
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


def certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate of this machine's loopback and return the paths of it and of its key."""
    cert, key = folder / "ca.pem", folder / "key.pem"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *names]
    subprocess.run([*command, "-out", cert, "-keyout", key], check=True, capture_output=True)
    return cert, key
