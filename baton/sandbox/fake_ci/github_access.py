"""Whose requests the simulator of GitHub answers, and what is to go wrong with any of them."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import jwt
from starlette.exceptions import HTTPException

from baton.sandbox.fake_ci.github_workflow import Fault

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from baton.sandbox.fake_ci.github_runs import FakeRuns
    from baton.sandbox.fake_ci.github_workflow import Access

_VERSIONS = ("2022-11-28", "2026-03-10")
_LIMIT_ENDS = 90
_LONGEST_WORD = 600
"""Seconds that the word of a GitHub App may be good for."""


class Guard:
    """Knows tokens, and gives new ones to a GitHub App."""

    def __init__(self, access: Access, runs: FakeRuns) -> None:
        self._access = access
        self._runs = runs
        self._tokens: dict[str, float] = {}

    def for_token(self, answer: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        """Answer whoever has a token, unless something is to go wrong with any request."""

        async def checked(request: Request) -> Response:
            if request.headers.get("x-github-api-version") not in (None, *_VERSIONS):
                raise HTTPException(HTTPStatus.BAD_REQUEST, "This API version is not supported.")
            if self._runs.happens(Fault.UNAUTHORIZED) or not self._knows(request.headers.get("authorization", "")):
                self._tokens.clear()
                raise HTTPException(HTTPStatus.UNAUTHORIZED, "Bad credentials")
            self._go_wrong()
            return await answer(request)

        return checked

    def new_token(self) -> tuple[str, datetime]:
        """A token of the App's installation, and when it ends."""
        token = f"ghs_{secrets.token_urlsafe(24)}"
        ends = time.time() + self._access.token_seconds
        self._tokens[token] = ends
        return token, datetime.fromtimestamp(ends, UTC)

    def app(self, request: Request) -> str:
        """The GitHub App that asks by its own word."""
        word = request.headers.get("authorization", "").removeprefix("Bearer ")
        try:
            said: dict[str, Any] = jwt.decode(word, self._access.app_key, algorithms=["RS256"], issuer=self._access.app)
        except (jwt.PyJWTError, ValueError) as error:
            raise HTTPException(HTTPStatus.UNAUTHORIZED, "A JSON web token could not be decoded") from error
        if said["exp"] > time.time() + _LONGEST_WORD:
            raise HTTPException(HTTPStatus.UNAUTHORIZED, "'Expiration time' claim ('exp') is too far in the future")
        return self._access.app

    def _knows(self, authorization: str) -> bool:
        token = authorization.removeprefix("Bearer ")
        return secrets.compare_digest(token, self._access.token) or self._tokens.get(token, 0) > time.time()

    def _go_wrong(self) -> None:
        happens = self._runs.happens
        if happens(Fault.NOT_SENT):
            raise HTTPException(HTTPStatus.INTERNAL_SERVER_ERROR, "Server Error")
        if happens(Fault.FORBIDDEN):
            raise HTTPException(HTTPStatus.FORBIDDEN, "Resource not accessible by integration")
        if happens(Fault.SECONDARY_LIMIT):
            raise HTTPException(HTTPStatus.FORBIDDEN, "You have exceeded a secondary rate limit.")
        if happens(Fault.RETRY_AFTER):
            raise HTTPException(HTTPStatus.TOO_MANY_REQUESTS, "Too many requests", {"Retry-After": "17"})
        if happens(Fault.PRIMARY_LIMIT):
            ends = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()) + _LIMIT_ENDS)}
            raise HTTPException(HTTPStatus.FORBIDDEN, "API rate limit exceeded", ends)
