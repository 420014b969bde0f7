"""The codec server's web application: who asks, whether they may, and how much.

Programs send ``Authorization: Bearer TOKEN``. A browser signs in once at ``/sign-in``; from then on its cookie goes
along with what the Web UI asks, where the UI's page is on the same site (RFC 6265bis, ``SameSite=Strict``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from baton.codec.limits import Allowance
from baton.codec.payloads import decoded, dump, encoded, parse
from baton.codec.sign_in import page
from baton.model.errors import BatonError, Invalid, Missing, Refused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from baton.codec.keys import Keyring
    from baton.codec.readers import Readers

    _Answer = Callable[[Request], Awaitable[Response]]

LARGEST = 8 * 1024 * 1024
"""Bytes of a request: the four million that Temporal's own messages may have, in base64."""

COOKIE_SECONDS = 12 * 3600

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_STATUS: dict[type[BatonError], int] = {Refused: 403, Invalid: 400, Missing: 400}


@dataclass(frozen=True)
class CodecServer:
    """What the application needs.

    Attributes:
        keyring: decrypts and encrypts.
        readers: who may read.
        origins: those of the Web UIs whose pages may ask, as browsers write them: ``https://temporal.example.org``.
        https: whether people reach the server by HTTPS; its cookie then never travels otherwise.
        asked: how much one person may ask.
        knocked: how much those may ask together who have no token that counts.
    """

    keyring: Keyring
    readers: Readers
    origins: frozenset[str]
    https: bool
    asked: Allowance = field(default_factory=lambda: Allowance(burst=300, every_second=50))
    knocked: Allowance = field(default_factory=lambda: Allowance(burst=20, every_second=1))

    @property
    def cookie(self) -> str:
        """The cookie's name; the prefix has browsers take it only as it is meant (RFC 6265bis, section 4.1.3)."""
        return "__Host-baton-codec" if self.https else "baton-codec"

    def application(self) -> Starlette:
        """The web application."""
        cross_origin = Middleware(
            CORSMiddleware,
            allow_origins=sorted(self.origins),
            allow_methods=["POST"],
            allow_headers=["authorization", "content-type", "x-namespace"],
            allow_credentials=True,
        )
        return Starlette(
            routes=[
                Route("/healthz", _healthy),
                Route("/sign-in", self._in_order(self._ask_to_sign_in), methods=["GET"]),
                Route("/sign-in", self._in_order(self._sign_in), methods=["POST"]),
                # Clients put what they like before the last part; the project to encrypt for may be the part before.
                Route("/decode", self._in_order(self._decode), methods=["POST"]),
                Route("/encode", self._in_order(self._encode), methods=["POST"]),
                Route("/{before:path}/decode", self._in_order(self._decode), methods=["POST"]),
                Route("/{before:path}/encode", self._in_order(self._encode), methods=["POST"]),
            ],
            middleware=[cross_origin],
        )

    def _in_order(self, answer: _Answer) -> _Answer:
        """Answer, or say why not; never more than that."""

        async def answered(request: Request) -> Response:
            try:
                response = await answer(request)
            except _Denied as denied:
                response = JSONResponse({"error": str(denied)}, denied.status, {"WWW-Authenticate": "Bearer"})
            except BatonError as error:
                response = JSONResponse({"error": str(error)}, _STATUS.get(type(error), 500))
            response.headers.update(_HEADERS)
            return response

        return answered

    async def _decode(self, request: Request) -> Response:
        readable = self._readable(request)
        payloads = await decoded(parse(await _body(request)), self.keyring, _namespace(request), readable)
        return Response(dump(payloads), media_type="application/json")

    async def _encode(self, request: Request) -> Response:
        project = _project(request.path_params.get("before", ""), self._readable(request))
        payloads = await encoded(parse(await _body(request)), self.keyring, _namespace(request), project)
        return Response(dump(payloads), media_type="application/json")

    def _readable(self, request: Request) -> frozenset[str]:
        """The projects that whoever asks may read."""
        origin = request.headers.get("origin")
        if origin is not None and origin not in self.origins:
            raise _Denied(f"pages of {origin[:200]} may not ask here", 403)
        # A form of another page can't send this without being asked first (the fetch standard's preflight).
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            raise _Denied("the content type has to be application/json", 415)
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        if scheme and scheme.lower() != "bearer":
            raise self._knock("the Authorization header is not `Bearer TOKEN`")
        person = self._person(secret.strip() or request.cookies.get(self.cookie, ""))
        if not self.asked.take(person):
            raise _Denied("too many requests; wait a moment", 429)
        readable = self.readers.readable(person)
        if not readable:
            raise _Denied(f"{person} is on no roster whose people may read here", 403)
        return readable

    def _person(self, secret: str) -> str:
        if not secret:
            raise self._knock("no token: send `Authorization: Bearer TOKEN`, or sign in at /sign-in")
        try:
            return self.readers.person(secret)
        except Refused as refusal:
            raise self._knock(str(refusal)) from None

    def _knock(self, why: str) -> _Denied:
        if not self.knocked.take("everyone"):
            return _Denied("too many requests without a token; wait a moment", 429)
        return _Denied(why, 401)

    async def _ask_to_sign_in(self, request: Request) -> Response:
        return HTMLResponse(page(signed_in=self.cookie in request.cookies))

    async def _sign_in(self, request: Request) -> Response:
        # Browsers say where a form was; nobody else's page puts a token into this person's browser.
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            raise _Denied("sign in on this server's own page", 403)
        given = parse_qs((await _body(request)).decode(errors="replace"))
        try:
            secret = given.get("token", [""])[0].strip()
            person = self._person(secret)
        except _Denied as denied:
            return HTMLResponse(page(refusal=str(denied)), denied.status)
        response = RedirectResponse("/sign-in", 303)
        response.set_cookie(
            self.cookie, secret, max_age=COOKIE_SECONDS, secure=self.https, httponly=True, samesite="strict"
        )
        self.asked.take(person)
        return response


class _Denied(Exception):
    def __init__(self, why: str, status: int) -> None:
        super().__init__(why)
        self.status = status


async def _healthy(_: Request) -> Response:
    return PlainTextResponse("ok\n")


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            raise _Denied(f"more than {LARGEST:,} bytes", 413)
    return bytes(body)


def _namespace(request: Request) -> str:
    namespace = request.headers.get("x-namespace", "")
    if not namespace:
        raise Invalid("the X-Namespace header is missing, which says where the payloads belong")
    return namespace


def _project(before: str, readable: frozenset[str]) -> str:
    """The project to encrypt for: the part of the path before the last one, or the only one that there is."""
    named = before.rpartition("/")[2]
    if named in readable:
        return named
    if len(readable) == 1:
        return next(iter(readable))
    raise Invalid(
        f"nothing says which project this is for: put one of {', '.join(sorted(readable))} before /encode in the "
        "codec endpoint's address"
    )
