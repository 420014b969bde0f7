"""Proving to Azure DevOps who asks: a personal access token, or a token of Microsoft Entra ID."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

import httpx
from pydantic import SecretStr

from baton.builders.azure_tls import tls
from baton.builders.credential import credential_in
from baton.model.errors import Invalid, Refused, Unavailable
from baton.model.outside_azure import EntraCredential, PatCredential

if TYPE_CHECKING:
    from baton.model.outside_azure import AzureCredential

AZURE_DEVOPS = "499b84ac-1321-427f-aa17-267ca6975798"
"""The application id of Azure DevOps, the same in every directory."""

_TIMEOUT = httpx.Timeout(15, connect=10)
_BUSY = frozenset({408, 425, 429})


def authorization(credential: AzureCredential) -> SecretStr:
    """The value of the ``Authorization`` header, valid for the next minutes.

    Raises:
        Missing: the worker's environment does not have the secret.
        Refused: Microsoft Entra ID does not accept it.
        Unavailable: it could not be reached.
        Invalid: its answer holds no token.
    """
    match credential:
        case PatCredential():
            # Basic authentication with an empty name: "Use personal access tokens" in the Azure DevOps documentation.
            pair = f":{credential_in(credential.token_from).get_secret_value()}".encode()
            return SecretStr(f"Basic {b64encode(pair).decode()}")
        case EntraCredential():
            return SecretStr(f"Bearer {_entra_token(credential)}")


def named(credential: AzureCredential) -> str:
    """Where the secret comes from, for messages."""
    return credential.token_from if isinstance(credential, PatCredential) else credential.secret_from


def _entra_token(credential: EntraCredential) -> str:
    """The client credentials flow: RFC 6749, section 4.4, as Microsoft's identity platform 2.0 has it."""
    url = f"{credential.authority}/{credential.tenant}/oauth2/v2.0/token"
    form = {
        "grant_type": "client_credentials",
        "client_id": credential.client,
        "client_secret": credential_in(credential.secret_from).get_secret_value(),
        "scope": f"{AZURE_DEVOPS}/.default",
    }
    try:
        answer = httpx.post(url, data=form, timeout=_TIMEOUT, verify=tls())
    except httpx.HTTPError as error:
        problem = type(error).__name__
    else:
        return _token(answer, url, credential)
    # Raised out here, so that it carries no request with the secret along.
    raise Unavailable(f"{url} could not be reached for a token: {problem}")


def _token(answer: httpx.Response, url: str, credential: EntraCredential) -> str:
    if answer.is_server_error or answer.status_code in _BUSY:
        raise Unavailable(f"{url} answers {answer.status_code} to the request for a token")
    try:
        said = answer.json()
    except ValueError:
        said = None
    if not isinstance(said, dict):
        said = {}
    if not answer.is_success:
        raise Refused(
            f"{url} gives the application {credential.client} no token: {answer.status_code} "
            f"{str(said.get('error', 'no reason given'))[:100]}; look whether its secret in {credential.secret_from} "
            "is still valid"
        )
    token = said.get("access_token")
    if not isinstance(token, str) or not token:
        raise Invalid(f"{url} answers without `access_token` (RFC 6749, section 5.1)")
    return token
