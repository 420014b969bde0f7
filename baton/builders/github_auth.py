"""As whom a worker acts on GitHub: a token that it was given, or a GitHub App that gets tokens of an hour."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import jwt
from pydantic import SecretStr, ValidationError

from baton.builders.credential import credential_in
from baton.builders.github_answers import Installation, InstallationToken
from baton.builders.github_http import fetched, problem_of
from baton.model.errors import Invalid

if TYPE_CHECKING:
    from baton.model.base import EnvName
    from baton.model.outside import GitHubApp, GitHubBuilder

_SKEW = 60
"""Seconds by which GitHub's clock may be behind; its documentation advises this."""

_JWT_SECONDS = 540
"""How long an App's word is good for; GitHub accepts at most ten minutes."""

_MARGIN = 300
"""Seconds before its end at which an installation's token is not used any more."""

_PERMISSIONS = {"actions": "write"}


class Credentials(Protocol):
    """Gives the token for the next request."""

    def token(self) -> SecretStr:
        """A token that should be valid now; errors are those of an :class:`~baton.builders.outside.OutsideBuilder`."""

    def renew(self) -> bool:
        """Drop a token that was not accepted; whether another one can be had at once."""


@dataclass(frozen=True)
class GivenToken:
    """A token from the worker's environment.

    Attributes:
        name: the environment variable.
    """

    name: EnvName

    def token(self) -> SecretStr:
        """See :meth:`Credentials.token`."""
        return credential_in(self.name)

    def renew(self) -> bool:
        """See :meth:`Credentials.renew`; only people can."""
        return False


class AppTokens:
    """Tokens of a GitHub App for one repository, each kept in memory until shortly before its end.

    See https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app.
    """

    def __init__(self, app: GitHubApp, builder: GitHubBuilder) -> None:
        self._app = app
        self._api = builder.api
        self._version = builder.api_version
        self._repository = builder.repository
        self._permissions = _PERMISSIONS | ({"contents": "read"} if builder.proof == "head-sha" else {})
        self._kept: InstallationToken | None = None

    def token(self) -> SecretStr:
        """See :meth:`Credentials.token`."""
        if self._kept is None or self._kept.expires_at.timestamp() - _MARGIN < time.time():
            self._kept = self._new()
        return SecretStr(self._kept.token)

    def renew(self) -> bool:
        """See :meth:`Credentials.renew`."""
        self._kept = None
        return True

    def _new(self) -> InstallationToken:
        word = self._word()
        found = self._ask("GET", f"/repos/{self._repository}/installation", word)
        wanted = {"repositories": [self._repository.partition("/")[2]], "permissions": self._permissions}
        try:
            installation = Installation.model_validate_json(found)
            return InstallationToken.model_validate_json(
                self._ask("POST", f"/app/installations/{installation.id}/access_tokens", word, wanted)
            )
        except ValidationError:
            problem = f"GitHub's answer to the App {self._app.id} has no form that is understood"
        # Raised out here: the answer may hold a token.
        raise Invalid(problem)

    def _ask(self, method: str, path: str, word: str, body: object = None) -> bytes:
        where = f"{method} {self._api}{path} as the App {self._app.id}"
        headers = {
            "Authorization": f"Bearer {word}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": self._version,
        }
        reply = fetched(method, f"{self._api}{path}", where=where, headers=headers, json=body)
        if (problem := problem_of(reply)) is not None:
            raise problem
        return reply.body

    def _word(self) -> str:
        """A JSON Web Token by which the App says who it is."""
        now = int(time.time())
        claims = {"iss": self._app.id, "iat": now - _SKEW, "exp": now + _JWT_SECONDS}
        try:
            return jwt.encode(claims, credential_in(self._app.private_key_from).get_secret_value(), algorithm="RS256")
        except (jwt.PyJWTError, ValueError, TypeError):
            problem = f"{self._app.private_key_from} does not hold an RSA private key in PEM form"
        # Raised out here: the error would carry the key along.
        raise Invalid(problem)


def credentials_of(builder: GitHubBuilder) -> Credentials:
    """As whom a plan's builder acts; nothing is read or asked yet."""
    if builder.app is not None:
        return AppTokens(builder.app, builder)
    if builder.token_from is None:
        raise Invalid("the plan names neither a token nor an App for GitHub")
    return GivenToken(builder.token_from)
