"""The service asks each cloud who it is in the way in which that cloud tells its pods, so that no key lies anywhere."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.proof.shipping.images import Image
from tests.proof.shipping.web import free_port, wait

PLACE = "/identity"
TOKEN = "the-pods-own-token"
ANSWERS = {
    "AccessKeyId": "id",
    "SecretAccessKey": "secret",
    "Token": "session",
    "Expiration": "2100-01-01T00:00:00Z",
    "access_token": "access",
    "expires_in": 3600,
    "token_type": "Bearer",
}
"""What every one of the three is content with."""


@dataclass
class Identity:
    """What stands where the cloud tells pods who they are: a port, and what has been asked there."""

    port: int
    asked: list[str] = field(default_factory=list)


@contextmanager
def identity() -> Iterator[Identity]:
    """Answer for as long as the context lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            known.asked.append(f"{self.command} {self.path}\n{self.headers}\n{body}")
            content = json.dumps(ANSWERS).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET  # noqa: N815 (the name is http.server's)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    known = Identity(server.server_address[1])
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield known
    finally:
        server.shutdown()
        server.server_close()


def variables(cloud: str, identity: int, store: int) -> dict[str, str]:
    """Return what a pod has in its environment that its cloud knows, and where a closed store is.

    EKS and AKS set these when a pod starts whose service account they know; on GKE a pod asks a host of a known name.
    """
    asked, closed = f"127.0.0.1:{identity}", f"https://127.0.0.1:{store}"
    return {
        "aws": {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://{asked}/v1/credentials",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": f"{PLACE}/token",
            "AWS_REGION": "eu-west-1",
            "AWS_ENDPOINT_URL": closed,
        },
        "gcp": {"GCE_METADATA_HOST": asked, "GOOGLE_BASE_URL": closed},
        "azure": {
            "AZURE_CLIENT_ID": "client",
            "AZURE_TENANT_ID": "tenant",
            "AZURE_FEDERATED_TOKEN_FILE": f"{PLACE}/token",
            "AZURE_AUTHORITY_HOST": f"http://{asked}/",
            "AZURE_ALLOW_HTTP": "true",  # in a cloud that host speaks HTTPS
            "AZURE_STORAGE_ACCOUNT_NAME": "account",
            "AZURE_ENDPOINT": closed,
        },
    }[cloud]


@pytest.mark.parametrize(
    ("cloud", "scheme", "wanted"),
    [
        ("aws", "s3", ("GET /v1/credentials", f"authorization: {TOKEN}")),
        ("gcp", "gs", ("GET /computeMetadata/v1/instance/service-accounts/default/token", "metadata-flavor: Google")),
        ("azure", "az", ("POST /tenant/oauth2/v2.0/token", "client_id=client", f"client_assertion={TOKEN}")),
    ],
)
def test_a_pod_learns_from_its_cloud_who_it_is(
    service: Image, tmp_path: Path, cloud: str, scheme: str, wanted: tuple[str, ...]
) -> None:
    (tmp_path / "token").write_text(TOKEN, encoding="utf-8")
    tmp_path.chmod(0o755)
    command = ("serve", "--host", "127.0.0.1", "--port", str(free_port()))
    with identity() as known:
        env = variables(cloud, known.port, free_port()) | {"MODEL_URI": f"{scheme}://models/{'0123456789abcdef' * 4}"}
        with service.run(*command, env=env, mounts={tmp_path: PLACE}) as container:
            wait(lambda: "cannot be fetched" in container.log.read_text(), "it does not try")
            assert any(all(text in asked for text in wanted) for asked in known.asked), known.asked
