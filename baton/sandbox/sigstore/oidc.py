"""The OpenID Connect issuer: a person signs in at a page, a machine shows its secret, and a token comes back.

People sign in by the authorization code flow (RFC 6749 section 4.1) with PKCE (RFC 7636), and nothing checks that they
are who they say. Machines use the client credentials grant (RFC 6749 section 4.4).
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
import urllib.parse
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from baton.sandbox.sigstore import ISSUER
from baton.sandbox.sigstore.errors import OAuthError, faults
from baton.sandbox.sigstore.tokens import ALGORITHM, AUDIENCE, TOKEN_LIFETIME, TokenIssuer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from baton.sandbox.sigstore.clock import Clock
    from baton.sandbox.sigstore.machines import Machines

OUT_OF_BAND: Final = "urn:ietf:wg:oauth:2.0:oob"
"""The redirect URI of a client that has no browser at hand: the person carries the code over by hand."""

_CODE_LIFETIME: Final = timedelta(minutes=5)
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class AuthorizationRequest(BaseModel):
    """What a client asks of the authorization endpoint (RFC 6749 section 4.1.1, RFC 7636 section 4.3)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    response_type: Literal["code"]
    client_id: Literal["sigstore"]
    redirect_uri: str
    state: str
    code_challenge: Annotated[str, StringConstraints(pattern="^[A-Za-z0-9_-]{43}$")]
    code_challenge_method: Literal["S256"]
    login_hint: str | None = Field(default=None, description="who signs in; given, there is no page")


@dataclass(frozen=True)
class _ClientCredentials:
    """What a client says to prove who it is (RFC 6749 section 2.3.1)."""

    client_id: str
    secret: str


@dataclass(frozen=True)
class _Grant:
    request: AuthorizationRequest
    email: str
    expires: datetime


class OidcIssuer:
    """The issuer's endpoints.

    Args:
        tokens: mints the tokens.
        machines: knows the machines' secrets.
        url: where the endpoints are; the issuer's name is :data:`~baton.sandbox.sigstore.ISSUER` wherever that is.
        clock: what the codes expire by.
    """

    def __init__(self, tokens: TokenIssuer, machines: Machines, url: str, clock: Clock) -> None:
        self._tokens = tokens
        self._machines = machines
        self._url = url
        self._clock = clock
        self._grants: dict[str, _Grant] = {}
        self._lock = threading.Lock()

    def configuration(self) -> dict[str, Any]:
        """Answers ``GET /oidc/.well-known/openid-configuration`` (OpenID Connect Discovery 1.0).

        A client that holds to section 4.3 finds that the issuer is not the address it asked, and refuses. Sigstore's
        client does not look, and a name that changes with the port would be worse.
        """
        return {
            "issuer": ISSUER,
            "authorization_endpoint": f"{self._url}/auth",
            "token_endpoint": f"{self._url}/token",
            "jwks_uri": f"{self._url}/jwks",
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "client_credentials"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "subject_types_supported": ["public"],
            "scopes_supported": ["openid", "email"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
        }

    def approve(self, request: AuthorizationRequest, email: str) -> str:
        """Lets a person in, and returns the code that their client turns into a token, once and within five minutes.

        Raises:
            OAuthError: that is not an e-mail address.
        """
        name, _, domain = email.partition("@")
        if not name or not domain or not email.isascii() or any(character.isspace() for character in email):
            raise OAuthError("invalid_request", "expected an e-mail address in ASCII, such as someone@example.org")
        code = secrets.token_urlsafe(24)
        now = self._clock()
        with self._lock:
            self._grants = {other: grant for other, grant in self._grants.items() if grant.expires > now}
            self._grants[code] = _Grant(request, email, now + _CODE_LIFETIME)
        return code

    def token(self, form: Mapping[str, str], authorization: str) -> dict[str, Any]:
        """Answers ``POST /oidc/token`` (RFC 6749 sections 4.1.3 and 4.4.2).

        Args:
            form: the fields of the request.
            authorization: its header of that name, or nothing.

        Raises:
            OAuthError: there is no token for this.
        """
        credentials = _credentials(form, authorization)
        grant_type = form.get("grant_type", "")
        if grant_type == "authorization_code":
            token = self._for_person(form, credentials)
            return _answer(token) | {"id_token": token}
        if grant_type == "client_credentials":
            return _answer(self._for_machine(form, credentials))
        raise OAuthError("unsupported_grant_type", "expected grant_type authorization_code or client_credentials")

    def _for_person(self, form: Mapping[str, str], credentials: _ClientCredentials) -> str:
        # A code is spent by trying it, so that it can't be guessed at.
        with self._lock:
            grant = self._grants.pop(form.get("code", ""), None)
        if grant is None or grant.expires <= self._clock():
            raise OAuthError("invalid_grant", "the code was never given out, was used before, or has expired")
        if form.get("redirect_uri") != grant.request.redirect_uri or credentials.client_id != grant.request.client_id:
            raise OAuthError("invalid_grant", "the code was given to another client or redirect_uri")
        if not secrets.compare_digest(_challenge(form.get("code_verifier", "")), grant.request.code_challenge):
            raise OAuthError("invalid_grant", "code_verifier does not match the code_challenge")
        return self._tokens.for_person(grant.email)

    def _for_machine(self, form: Mapping[str, str], credentials: _ClientCredentials) -> str:
        if not self._machines.authenticate(credentials.client_id, credentials.secret):
            raise OAuthError("invalid_client", "no machine with this client_id and client_secret")
        return self._tokens.for_machine(credentials.client_id, audience=form.get("audience", AUDIENCE))


def authorization_request(query: Mapping[str, str]) -> AuthorizationRequest:
    """The request in a query or form, if it is one that the issuer serves.

    Raises:
        OAuthError: it is not, or it would send the code anywhere but to this machine.
    """
    try:
        request = AuthorizationRequest.model_validate(query)
        target = urllib.parse.urlsplit(request.redirect_uri)
    except ValidationError as error:
        raise OAuthError("invalid_request", faults(error)) from error
    except ValueError as error:
        raise OAuthError("invalid_request", "redirect_uri: not a URI") from error
    if request.redirect_uri != OUT_OF_BAND and (target.scheme != "http" or target.hostname not in _LOOPBACK):
        raise OAuthError("invalid_request", f"redirect_uri: expected http on localhost, or {OUT_OF_BAND}")
    return request


def redirect_address(request: AuthorizationRequest, code: str) -> str:
    """Where the browser goes with the code (RFC 6749 section 4.1.2)."""
    separator = "&" if urllib.parse.urlsplit(request.redirect_uri).query else "?"
    return f"{request.redirect_uri}{separator}{urlencode({'code': code, 'state': request.state})}"


def _answer(token: str) -> dict[str, Any]:
    return {
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": int(TOKEN_LIFETIME.total_seconds()),
    }


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _credentials(form: Mapping[str, str], authorization: str) -> _ClientCredentials:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return _ClientCredentials(form.get("client_id", ""), form.get("client_secret", ""))
    try:
        name, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError as error:
        raise OAuthError("invalid_client", "the header 'Authorization: Basic …' can't be read") from error
    return _ClientCredentials(urllib.parse.unquote_plus(name), urllib.parse.unquote_plus(secret))
