"""Where a machine gets its identity token, and whose signature Fulcio will certify for it.

Four sources, the first that a worker is configured for: a file that the platform refreshes, a command that prints a
token, an OAuth 2.0 client-credentials endpoint, and what the platform offers by itself (GitHub Actions, GCP, GitLab,
Buildkite, CircleCI).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

import httpx
import id as ambient
from pydantic import SecretStr
from sigstore.oidc import IdentityError, IdentityToken

from baton.model.errors import Invalid, Missing, Refused, Unavailable
from baton.signers.secrets import read_secret
from baton.signers.token_command import command_words, token_from_command

if TYPE_CHECKING:
    from pathlib import Path

    from baton.settings import WorkerSettings

AUDIENCE = "sigstore"
"""The audience that every Sigstore instance demands of a token."""

TokenSource = Callable[[], SecretStr]
"""Gives a token that is valid now; called again when a new certificate is needed."""

_TIMEOUT = 30.0
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_BUSY = frozenset({408, 425, 429})


def token_source(settings: WorkerSettings) -> TokenSource:
    """The source that a worker is configured for.

    Raises:
        Missing: a token endpoint is set, but not the client or its secret.
        Invalid: the endpoint is no HTTPS address (on loopback HTTP will do), or the command has no words.
    """
    if settings.identity_token_file is not None:
        file = settings.identity_token_file
        return lambda: read_secret(file, "BATON_IDENTITY_TOKEN_FILE")
    if settings.identity_token_command is not None:
        words = command_words(settings.identity_token_command)
        return lambda: token_from_command(words)
    if settings.identity_token_url is None:
        return _ambient_token
    client_id, secret_file = settings.identity_client_id, settings.identity_client_secret_file
    if client_id is None or secret_file is None:
        raise Missing(
            "BATON_IDENTITY_TOKEN_URL needs BATON_IDENTITY_CLIENT_ID and BATON_IDENTITY_CLIENT_SECRET_FILE too"
        )
    url = _secure(settings.identity_token_url)
    return lambda: _client_credentials_token(url, client_id, secret_file)


@dataclass(frozen=True)
class TokenIdentity:
    """Whom Fulcio will certify for a token.

    Attributes:
        token: the token, as the sigstore library wants it.
        identity: the subject alternative name that the certificate will have.
        issuer: the issuer that it will name.
    """

    token: IdentityToken
    identity: str
    issuer: str

    @classmethod
    def of(cls, raw: SecretStr) -> TokenIdentity:
        """Read a token; its signature is for Fulcio to verify.

        Raises:
            Refused: it is no identity token, not for Sigstore, or not valid now.
        """
        try:
            token = IdentityToken(raw.get_secret_value(), client_id=AUDIENCE)
        except IdentityError as error:
            raise Refused(
                f"the identity token can't be used: {error}: {error.__cause__ or 'expired'}; "
                f"expected an OpenID Connect token for the audience {AUDIENCE} that is valid now"
            ) from None
        _, claims, _ = ambient.decode_oidc_token(raw.get_secret_value())
        return cls(token, certificate_identity(json.loads(claims)), token.federated_issuer)


_NAMES: tuple[tuple[tuple[str, ...], str], ...] = (
    (("job_workflow_ref",), "https://github.com/{}"),
    (("ci_config_ref_uri",), "https://{}"),
    (("organization_slug", "pipeline_slug"), "https://buildkite.com/{}/{}"),
    (
        ("oidc.circleci.com/project-id", "oidc.circleci.com/pipeline-definition-id"),
        "https://circleci.com/api/v2/projects/{}/pipeline-definitions/{}",
    ),
    (("email",), "{}"),
    (("sub",), "{}"),
)
"""From which claims Fulcio makes a certificate's name; the first that are all there.

See ``subject-alternative-name-template`` in Fulcio's config/identity/config.yaml.
"""


def certificate_identity(claims: Mapping[str, Any]) -> str:
    """The subject alternative name that Fulcio gives to a token with these claims, of the issuers it knows.

    Raises:
        Refused: there is no claim to make one of.
    """
    match claims.get("kubernetes.io"):
        case {"namespace": str(namespace), "serviceaccount": {"name": str(name)}}:
            return f"https://kubernetes.io/namespaces/{namespace}/serviceaccounts/{name}"
    for names, template in _NAMES:
        if all(isinstance(claims.get(name), str) for name in names):
            return template.format(*(claims[name] for name in names))
    raise Refused("the identity token says of nobody that it is theirs: it has neither `sub` nor `email`")


def _ambient_token() -> SecretStr:
    try:
        token = ambient.detect_credential(AUDIENCE)
    except ambient.IdentityError as error:
        raise Unavailable(f"this platform offers identity tokens, but gave none: {error}") from error
    if token is None:
        raise Missing(
            "this worker has no identity token to sign with: set BATON_IDENTITY_TOKEN_FILE, "
            "BATON_IDENTITY_TOKEN_COMMAND or BATON_IDENTITY_TOKEN_URL, or run it where the platform gives one "
            "(in GitHub Actions with `permissions: id-token: write`)"
        )
    return SecretStr(token)


def _client_credentials_token(url: httpx.URL, client_id: str, secret_file: Path) -> SecretStr:
    """RFC 6749, section 4.4, with the client's name and secret by Basic authentication (section 2.3.1)."""
    secret = read_secret(secret_file, "BATON_IDENTITY_CLIENT_SECRET_FILE")
    authentication = httpx.BasicAuth(quote_plus(client_id), quote_plus(secret.get_secret_value()))
    form = {"grant_type": "client_credentials", "audience": AUDIENCE}
    try:
        answer = httpx.post(url, data=form, auth=authentication, timeout=_TIMEOUT)
    except httpx.TransportError as error:
        raise Unavailable(f"the token endpoint {url} does not answer: {type(error).__name__}: {error}") from error
    if answer.is_server_error or answer.status_code in _BUSY:
        raise Unavailable(f"the token endpoint {url} answers {answer.status_code} {answer.reason_phrase}")
    if not answer.is_success:
        raise Refused(
            f"the token endpoint {url} refuses the client {client_id} with {answer.status_code}: {_refusal(answer)}; "
            "see BATON_IDENTITY_CLIENT_ID and BATON_IDENTITY_CLIENT_SECRET_FILE"
        )
    try:
        token = answer.json()["access_token"]
    except (ValueError, KeyError, TypeError):
        token = None
    if not isinstance(token, str):
        # Not chained: the answer may hold a token under another name.
        raise Invalid(f"the token endpoint {url} answers without `access_token` (RFC 6749, section 5.1)") from None
    return SecretStr(token)


def _refusal(answer: httpx.Response) -> str:
    """``error`` and ``error_description`` of RFC 6749, section 5.2."""
    try:
        said = answer.json()
        return f"{said['error']}: {said.get('error_description', '')}"[:300]
    except (ValueError, KeyError, TypeError, AttributeError):
        return "no reason given"


def _secure(address: str) -> httpx.URL:
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL as error:
        raise Invalid(f"BATON_IDENTITY_TOKEN_URL is no address: {error}") from error
    if url.scheme == "https" or (url.scheme == "http" and url.host in _LOOPBACK):
        return url
    raise Invalid(f"BATON_IDENTITY_TOKEN_URL is {url.scheme}://{url.host}/…; a secret goes there: expected https")
