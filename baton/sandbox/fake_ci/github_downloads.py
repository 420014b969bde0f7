"""Where the simulator keeps what is downloaded: another host than its API, at addresses that are good for a minute."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from baton.sandbox.fake_ci.github_workflow import Fault

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

    from baton.sandbox.fake_ci.github_runs import FakeRuns

_SECONDS = 60


@dataclass(frozen=True)
class _Offer:
    content: bytes
    log: bool
    until: float


class Downloads:
    """Serves what the API redirects to, and refuses credentials, as Azure's storage does.

    Attributes:
        address: where it is served.
        credentials: how many requests came with a credential that is none of this host's.
    """

    def __init__(self, runs: FakeRuns, address: str) -> None:
        self.address = address
        self.credentials = 0
        self._runs = runs
        self._offers: dict[str, _Offer] = {}

    def offer(self, content: bytes, *, log: bool = False) -> str:
        """An address at which the content can be had for a minute."""
        name = secrets.token_hex(8)
        self._offers[name] = _Offer(content, log, time.time() + _SECONDS)
        return f"{self.address}/{name}?sig={secrets.token_urlsafe(16)}"

    def app(self) -> Starlette:
        """The application."""
        return Starlette(routes=[Route("/{name}", self._get)])

    async def _get(self, request: Request) -> Response:
        if "authorization" in request.headers:
            self.credentials += 1
            return PlainTextResponse("InvalidAuthenticationInfo", HTTPStatus.BAD_REQUEST)
        offer = self._offers.get(request.path_params["name"])
        if offer is None or offer.until < time.time():
            return PlainTextResponse("AuthenticationFailed", HTTPStatus.FORBIDDEN)
        if offer.log:
            return Response(offer.content, media_type="text/plain; charset=utf-8")
        if self._runs.happens(Fault.LINK_EXPIRED):
            return PlainTextResponse("AuthenticationFailed", HTTPStatus.FORBIDDEN)
        half = offer.content[: len(offer.content) // 2]
        if self._runs.happens(Fault.CUT_SHORT):
            return Response(half, media_type="application/zip")
        if self._runs.happens(Fault.TRUNCATED):
            return StreamingResponse(_broken(half), headers={"Content-Length": str(len(offer.content))})
        is_zip = offer.content.startswith(b"PK")
        return Response(offer.content, media_type="application/zip" if is_zip else "application/octet-stream")


async def _broken(half: bytes) -> AsyncIterator[bytes]:
    yield half
    raise ConnectionResetError
