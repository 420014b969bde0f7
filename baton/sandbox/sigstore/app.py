"""The instance over HTTP: each route hands its request to the service that answers it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from baton.sandbox.sigstore.errors import ApiError, OAuthError
from baton.sandbox.sigstore.oidc import (
    OUT_OF_BAND,
    AuthorizationRequest,
    OidcIssuer,
    authorization_request,
    redirect_address,
)
from baton.sandbox.sigstore.pages import code_page, sign_in_page
from baton.sandbox.sigstore.trust import OIDC_PATH, REKOR_PATH, REKOR_V1_PATH, TSA_PATH

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from starlette.requests import Request

    from baton.sandbox.sigstore.fulcio import Fulcio
    from baton.sandbox.sigstore.rekor import Rekor
    from baton.sandbox.sigstore.rekor_v1 import RekorV1
    from baton.sandbox.sigstore.tokens import TokenIssuer
    from baton.sandbox.sigstore.tsa import TimestampAuthority

_MAX_BODY: Final = 4 * 1024 * 1024  # bytes: far above any statement, far below what would hurt
_SEE_OTHER: Final = 303
_NOT_STORED: Final = {"Cache-Control": "no-store"}


@dataclass(frozen=True)
class Services:
    """What answers the requests.

    Attributes:
        trust_config: the ``ClientTrustConfig`` in JSON.
        person: who signs in without being asked; None, the page asks.
        log_latency: how long after an entry is logged the logs answer, as one does that integrates entries in batches.
    """

    fulcio: Fulcio
    rekor: Rekor
    rekor_v1: RekorV1
    tsa: TimestampAuthority
    oidc: OidcIssuer
    tokens: TokenIssuer
    trust_config: str
    person: str | None
    log_latency: timedelta


def application(services: Services) -> Starlette:
    """The ASGI application of an instance."""
    endpoints = _Endpoints(services)
    return Starlette(
        routes=[
            Route("/api/v2/signingCert", endpoints.signing_certificate, methods=["POST"]),
            Route("/api/v2/trustBundle", endpoints.trust_bundle),
            Route("/trust_config.json", endpoints.trust_config),
            Route(f"{REKOR_PATH}/api/v2/log/entries", endpoints.log, methods=["POST"]),
            Route(f"{REKOR_PATH}/api/v2/checkpoint", endpoints.checkpoint),
            Route(f"{REKOR_V1_PATH}/api/v1/log/entries", endpoints.log_v1, methods=["POST"]),
            Route(TSA_PATH, endpoints.timestamp, methods=["POST"]),
            Route(f"{OIDC_PATH}/.well-known/openid-configuration", endpoints.configuration),
            Route(f"{OIDC_PATH}/jwks", endpoints.key_set),
            Route(f"{OIDC_PATH}/auth", endpoints.ask_to_sign_in),
            Route(f"{OIDC_PATH}/auth", endpoints.sign_in, methods=["POST"]),
            Route(f"{OIDC_PATH}/token", endpoints.token, methods=["POST"]),
            Route(f"{OIDC_PATH}/github-actions", endpoints.github_job_token),
        ],
        exception_handlers={ApiError: _refuse, OAuthError: _refuse_oauth},
        max_body_size=_MAX_BODY,
    )


class _Endpoints:
    def __init__(self, services: Services) -> None:
        self._services = services

    async def signing_certificate(self, request: Request) -> Response:
        body = await request.body()
        authorization = request.headers.get("authorization", "")
        answer = await run_in_threadpool(self._services.fulcio.signing_certificate, body, authorization)
        return JSONResponse(answer, status_code=201)

    async def trust_bundle(self, _request: Request) -> Response:
        return JSONResponse(self._services.fulcio.trust_bundle())

    async def trust_config(self, _request: Request) -> Response:
        return Response(self._services.trust_config, media_type="application/json")

    async def log(self, request: Request) -> Response:
        return await self._add(self._services.rekor.add, request)

    async def log_v1(self, request: Request) -> Response:
        return await self._add(self._services.rekor_v1.add, request)

    async def checkpoint(self, _request: Request) -> Response:
        return PlainTextResponse(self._services.rekor.checkpoint())

    async def timestamp(self, request: Request) -> Response:
        response = await run_in_threadpool(self._services.tsa.respond, await request.body())
        # 200, not 201 as Sigstore's own authority: RFC 3161 clients, osslsigncode for one, take nothing else.
        return Response(response, media_type="application/timestamp-reply")

    async def configuration(self, _request: Request) -> Response:
        return JSONResponse(self._services.oidc.configuration())

    async def key_set(self, _request: Request) -> Response:
        return JSONResponse(self._services.tokens.key_set())

    async def ask_to_sign_in(self, request: Request) -> Response:
        asked = authorization_request(request.query_params)
        person = asked.login_hint or self._services.person
        return HTMLResponse(sign_in_page(asked)) if person is None else self._let_in(asked, person)

    async def sign_in(self, request: Request) -> Response:
        form = await _form(request)
        return self._let_in(authorization_request(form), form.get("email", ""))

    async def token(self, request: Request) -> Response:
        authorization = request.headers.get("authorization", "")
        answer = self._services.oidc.token(await _form(request), authorization)
        return JSONResponse(answer, headers=_NOT_STORED)

    async def github_job_token(self, request: Request) -> Response:
        _, _, request_token = request.headers.get("authorization", "").partition(" ")
        audience = request.query_params.get("audience", "")
        token = self._services.tokens.for_github_job(request_token, audience=audience)
        return JSONResponse({"value": token}, headers=_NOT_STORED)

    def _let_in(self, asked: AuthorizationRequest, email: str) -> Response:
        code = self._services.oidc.approve(asked, email)
        if asked.redirect_uri == OUT_OF_BAND:
            return HTMLResponse(code_page(code), headers=_NOT_STORED)
        return RedirectResponse(redirect_address(asked, code), status_code=_SEE_OTHER, headers=_NOT_STORED)

    async def _add(self, add: Callable[[bytes], dict[str, Any]], request: Request) -> Response:
        answer = await run_in_threadpool(add, await request.body())
        await asyncio.sleep(self._services.log_latency.total_seconds())
        return JSONResponse(answer, status_code=201)


async def _form(request: Request) -> dict[str, str]:
    try:
        return dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
    except ValueError as error:
        raise OAuthError("invalid_request", "the body is not a form in UTF-8") from error


# Starlette hands each handler the errors it is registered for, though its types say any.
async def _refuse(_request: Request, error: Exception) -> Response:
    error = cast("ApiError", error)
    return JSONResponse({"code": error.status, "message": error.message}, status_code=error.status)


async def _refuse_oauth(_request: Request, error: Exception) -> Response:
    error = cast("OAuthError", error)
    challenge = {"WWW-Authenticate": 'Basic realm="Baton sandbox"'} if error.code == "invalid_client" else {}
    return JSONResponse(
        {"error": error.code, "error_description": error.description},
        status_code=error.status,
        headers=_NOT_STORED | challenge,
    )
