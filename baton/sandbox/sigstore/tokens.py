"""Identity tokens: signed for whichever machine, person or workflow one names, and verified again.

Anyone who can read the state folder can mint a token for anyone, in this process or another. Every issuer that the
instance plays signs with the same key.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from baton.sandbox.sigstore import ISSUER, machine_identity
from baton.sandbox.sigstore.errors import ApiError
from baton.sandbox.sigstore.identities import GITHUB_ACTIONS, SIGSTORE_DEV
from baton.sandbox.sigstore.keys import KeyFolder, subject_public_key_info

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

AUDIENCE: Final = "sigstore"
"""The audience that Sigstore clients ask for and Fulcio demands."""

ALGORITHM: Final = "ES256"

TOKEN_LIFETIME: Final = timedelta(minutes=5)
_JOB_LIFETIME: Final = timedelta(hours=6)
_JOB_AUDIENCE: Final = f"{ISSUER}/github-actions-job"
_REQUIRED: Final = ["iss", "sub", "aud", "iat", "exp"]


class TokenIssuer:
    """Mints and verifies tokens.

    Args:
        state: the instance's state folder. The key in it is made if it is not there, so that a program may mint tokens
            before the instance first runs.
    """

    def __init__(self, state: Path) -> None:
        self._key = KeyFolder(state).elliptic_curve("oidc", ec.SECP256R1())
        self._key_id = hashlib.sha256(subject_public_key_info(self._key)).hexdigest()[:16]

    def key_set(self) -> dict[str, Any]:
        """The JSON Web Key Set (RFC 7517) that verifies the tokens."""
        key = ECAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return {"keys": [{**key, "kid": self._key_id, "use": "sig", "alg": ALGORITHM}]}

    def mint(
        self,
        claims: Mapping[str, Any],
        *,
        issuer: str = ISSUER,
        audience: str = AUDIENCE,
        lifetime: timedelta = TOKEN_LIFETIME,
    ) -> str:
        """A token with these claims, whatever they say.

        Args:
            claims: may replace the ones that this method sets: ``iss``, ``aud``, ``iat``, ``nbf``, ``exp``, ``jti``.
            issuer: who says so.
            audience: whom it is for.
            lifetime: how long it can be used, from now.
        """
        now = int(time.time())
        issued = {"iss": issuer, "aud": audience, "iat": now, "nbf": now, "jti": secrets.token_hex(16)}
        expires = {"exp": now + int(lifetime.total_seconds())}
        return jwt.encode(
            {**issued, **expires, **claims}, self._key, algorithm=ALGORITHM, headers={"kid": self._key_id}
        )

    def for_machine(self, name: str, *, audience: str = AUDIENCE) -> str:
        """A token for a machine; its certificate identity is :func:`~baton.sandbox.sigstore.machine_identity`."""
        return self.mint({"sub": machine_identity(name)}, audience=audience)

    def for_person(self, email: str, *, provider: str = ISSUER, audience: str = AUDIENCE) -> str:
        """A token for a person; their certificate identity is the e-mail address.

        Args:
            email: the address, taken as verified.
            provider: where they signed in: the issuer that the certificate will name. Any other than the instance's own
                is played as a connector of Sigstore's public sign-in, as it is for real.
            audience: whom the token is for.
        """
        claims: dict[str, Any] = {"sub": email, "email": email, "email_verified": True}
        if provider == ISSUER:
            return self.mint(claims, audience=audience)
        claims["federated_claims"] = {"connector_id": provider, "user_id": email}
        return self.mint(claims, issuer=SIGSTORE_DEV, audience=audience)

    def for_github_workflow(self, claims: Mapping[str, Any], *, audience: str = AUDIENCE) -> str:
        """A token as GitHub Actions gives to a workflow run; :func:`github_claims` makes the claims."""
        return self.mint(claims, issuer=GITHUB_ACTIONS, audience=audience)

    def github_environment(self, url: str, claims: Mapping[str, Any]) -> dict[str, str]:
        """The environment variables by which a GitHub Actions job gets its tokens, as the ``id`` package finds them.

        Args:
            url: the instance's.
            claims: what the tokens will say; see :func:`github_claims`.
        """
        request_token = self.mint(
            {"sub": "job", "claims": dict(claims)}, audience=_JOB_AUDIENCE, lifetime=_JOB_LIFETIME
        )
        return {
            "GITHUB_ACTIONS": "true",
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{url}/oidc/github-actions?api-version=2.0",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": request_token,
        }

    def for_github_job(self, request_token: str, *, audience: str) -> str:
        """The identity token for the holder of a request token that :meth:`github_environment` made.

        Raises:
            ApiError: 401, the request token does not count.
        """
        claims = self.verify(request_token, audience=_JOB_AUDIENCE)
        return self.for_github_workflow(claims["claims"], audience=audience)

    def verify(self, token: str, *, audience: str = AUDIENCE) -> dict[str, Any]:
        """The claims of a token that counts: ours by its signature, for this audience, and within its time.

        Raises:
            ApiError: 401, it does not count.
        """
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._key.public_key(),
                algorithms=[ALGORITHM],
                audience=audience,
                options={"require": _REQUIRED},
            )
        except jwt.PyJWTError as error:
            raise ApiError(401, f"the identity token does not count: {error}") from error
        return claims


def github_claims(
    repository: str,
    *,
    workflow: str = "release.yml",
    ref: str = "refs/heads/main",
    sha: str = "0" * 40,
    **others: str,
) -> dict[str, str]:
    """What GitHub would say of a workflow run that someone dispatched by hand.

    Args:
        repository: ``owner/name``.
        workflow: the file under ``.github/workflows``.
        ref: what it ran on.
        sha: the commit it ran on.
        others: claims to set or replace, such as ``environment`` or ``runner_environment``.
    """
    workflow_ref = f"{repository}/.github/workflows/{workflow}@{ref}"
    return {
        "sub": f"repo:{repository}:ref:{ref}",
        "event_name": "workflow_dispatch",
        "sha": sha,
        "ref": ref,
        "workflow": workflow.partition(".")[0],
        "workflow_ref": workflow_ref,
        "workflow_sha": sha,
        "job_workflow_ref": workflow_ref,
        "job_workflow_sha": sha,
        "repository": repository,
        "repository_id": "1",
        "repository_owner": repository.partition("/")[0],
        "repository_owner_id": "2",
        "repository_visibility": "public",
        "runner_environment": "github-hosted",
        "run_id": "42",
        "run_attempt": "1",
    } | others
