"""Who we are to an object store, where its client does not find that out by itself.

`obstore` knows keys, the identities of pods on all clouds, and AWS as a whole. It does not know how CI logs in to
Google Cloud, nor that CI's login on Azure ends long before a training does.
"""

import json
import os
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from ..errors import ProjectError

if TYPE_CHECKING:
    from obstore.auth.azure import AzureCredentialProvider
    from obstore.auth.google import GoogleCredentialProvider

GOOGLE_SCOPE = "https://www.googleapis.com/auth/devstorage.read_write"
AZURE_AUDIENCE = "api://AzureADTokenExchange"
KNOWN_TO_OBSTORE = ("service_account", "authorized_user")
"""The types of Google's credential files that need nothing from here."""


def make_provider(uri: str) -> "GoogleCredentialProvider | AzureCredentialProvider | None":
    """Return what fetches tokens for a store, as often as one is needed; None where `obstore` does that itself.

    Args:
        uri: Where the store is; its scheme tells whose it is.

    Raises:
        ProjectError: the credentials cannot be read, or half of them is missing.
    """
    match urlsplit(uri).scheme:
        case "gs":
            return _google()
        case "az" | "azure" | "abfs" | "abfss" | "adl":
            return _azure()
    return None


def _google() -> "GoogleCredentialProvider | None":
    """Read what GOOGLE_APPLICATION_CREDENTIALS names: workload identity federation, impersonation and the like."""
    path = os.environ.get("GOOGLE_APPLICATION_CREDENTIALS")
    if not path:
        return None
    try:
        if json.loads(Path(path).read_bytes()).get("type") in KNOWN_TO_OBSTORE:
            return None
    except (OSError, ValueError, AttributeError) as error:
        raise ProjectError(f"GOOGLE_APPLICATION_CREDENTIALS: {path} is not a file of credentials") from error
    import google.auth
    from google.auth.credentials import with_scopes_if_required
    from google.auth.exceptions import GoogleAuthError
    from obstore.auth.google import GoogleCredentialProvider

    try:
        credentials, _ = google.auth.default()
    except GoogleAuthError as error:
        raise ProjectError(f"GOOGLE_APPLICATION_CREDENTIALS: {error}") from error
    scoped = with_scopes_if_required(credentials, [GOOGLE_SCOPE])  # type: ignore[no-untyped-call]
    return GoogleCredentialProvider(scoped)


def _azure() -> "AzureCredentialProvider | None":
    """Log in as CI, whose proof of identity lives for minutes, so that a new one is asked for each time."""
    env = os.environ
    who = {"tenant_id": env.get("AZURE_TENANT_ID", ""), "client_id": env.get("AZURE_CLIENT_ID", "")}
    on_github, on_azure = "ACTIONS_ID_TOKEN_REQUEST_URL" in env, "SYSTEM_OIDCREQUESTURI" in env
    if not all(who.values()) or not (on_github or on_azure):
        return None
    from azure.identity import AzurePipelinesCredential, ClientAssertionCredential
    from obstore.auth.azure import AzureCredentialProvider

    if on_github:
        return AzureCredentialProvider(ClientAssertionCredential(**who, func=_ask_github))
    connection, token = env.get("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", ""), env.get("SYSTEM_ACCESSTOKEN", "")
    if not connection or not token:
        raise ProjectError("set SYSTEM_ACCESSTOKEN and AZURESUBSCRIPTION_SERVICE_CONNECTION_ID to log in to Azure")
    return AzureCredentialProvider(
        AzurePipelinesCredential(**who, service_connection_id=connection, system_access_token=token)
    )


def _ask_github() -> str:
    """Return a new proof of who this job is."""
    request = urllib.request.Request(  # noqa: S310 (the runner says where)
        f"{os.environ['ACTIONS_ID_TOKEN_REQUEST_URL']}&audience={AZURE_AUDIENCE}",
        headers={"Authorization": f"Bearer {os.environ['ACTIONS_ID_TOKEN_REQUEST_TOKEN']}"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        return cast(str, json.load(answer)["value"])
