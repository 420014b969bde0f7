"""Asking Azure DevOps over HTTP: what each kind of answer means."""

from __future__ import annotations

import json
import re
import time
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

import httpx
from pydantic import TypeAdapter, ValidationError

from baton.builders.azure_credential import authorization, named
from baton.builders.azure_tls import tls
from baton.model.errors import BatonError, Failed, Invalid, Missing, Refused, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from baton.model.outside_azure import AzureBuilder

_VERSION = "7.1"
_TIMEOUT = httpx.Timeout(15, connect=10)

_LONGEST = 30
"""Seconds that one exchange may take, however slowly its bytes come."""

_LARGEST = 32 * 1024**2
"""Bytes of the largest JSON document that is read; a timeline of thousands of tasks has a few."""

_LARGEST_REFUSAL = 64 * 1024
"""Bytes of what Azure says of an error that are read."""

_LATER = frozenset({408, 425, 429})
_LONGEST_WAIT = 3600
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f]+")

T = TypeVar("T")


class Rejected(Failed):
    """Azure DevOps understood the request and does not do it, because of how things stand (400, 409)."""


class AzureApi:
    """One conversation with one project of an organization, which ends within a minute or two.

    Attributes:
        delay: seconds that Azure asked to wait before the next request, also where it did what was asked for.
    """

    def __init__(self, builder: AzureBuilder, client: httpx.Client) -> None:
        self._builder = builder
        self._client = client
        self._base = f"{builder.organization}/{quote(builder.project)}/_apis"
        self.delay = 0.0

    def get(self, path: str, answer: type[T], **query: str) -> T:
        """Ask for something.

        Args:
            path: what is behind ``_apis/`` in its address, quoted.
            answer: what it has to be.
            query: further parameters of the address; ``expand`` stands for ``$expand`` and ``top`` for ``$top``.

        Raises:
            Missing: it is not there.
            Rejected: Azure does not do it.
            BatonError: as :class:`~baton.builders.outside.OutsideBuilder` says of all its methods.
        """
        return self._parsed(*self._exchange("GET", path, query), answer)

    def page(self, path: str, answer: type[T], **query: str) -> tuple[T, str]:
        """Like :meth:`get`, for a list in parts; also gives the token by which the list goes on, or nothing."""
        response, content = self._exchange("GET", path, query)
        return self._parsed(response, content, answer), response.headers.get("x-ms-continuationtoken", "")

    def send(self, method: str, path: str, body: Any, answer: type[T]) -> T:
        """Change something; arguments and errors as of :meth:`get`.

        An ``Unavailable`` leaves open whether the change was made.

        Args:
            method: ``POST`` or ``PATCH``.
            path: what to change.
            body: goes out as JSON.
            answer: what the answer has to be.
        """
        return self._parsed(*self._exchange(method, path, {}, body), answer)

    @contextmanager
    def stream(self, path: str, accept: str) -> Iterator[httpx.Response]:
        """Ask for something that is no JSON document; its content is left to be read. Errors as of :meth:`get`."""
        with self._answer("GET", path, {}, None, accept) as response:
            yield response

    def _exchange(
        self, method: str, path: str, query: Mapping[str, str], body: Any = None
    ) -> tuple[httpx.Response, bytes]:
        begun, content = time.monotonic(), b""
        with self._answer(method, path, query, body, "application/json") as response:
            for chunk in response.iter_bytes():
                content += chunk
                if len(content) > _LARGEST:
                    raise Invalid(f"{_what(response)} answers with more than {_LARGEST} bytes")
                if time.monotonic() - begun > _LONGEST:
                    raise Unavailable(f"{_what(response)} did not finish its answer within {_LONGEST} s")
        return response, content

    @contextmanager
    def _answer(
        self, method: str, path: str, query: Mapping[str, str], body: Any, accept: str
    ) -> Iterator[httpx.Response]:
        names = {"expand": "$expand", "top": "$top"}
        problem = ""
        try:
            with self._client.stream(
                method,
                f"{self._base}/{path}",
                params={names.get(name, name): value for name, value in query.items()} | {"api-version": _VERSION},
                json=body,
                headers={"Accept": accept},
            ) as response:
                self.delay = max(self.delay, _retry_after(response) or 0)
                self._require_good(response)
                yield response
        except httpx.HTTPError as error:
            problem = type(error).__name__
        if problem:
            # Raised out here: the cause would carry the request with its credential along.
            raise Unavailable(f"{self._base}/{path} could not be reached: {problem}", after=self.delay or None)

    def _require_good(self, response: httpx.Response) -> None:
        what, status = _what(response), response.status_code
        if _is_sign_in(response):
            raise Refused(
                f"{what} answers {status} with a page for signing in; expected JSON. Azure DevOps does not accept the "
                f"credential in {named(self._builder.credential)}: look whether it has expired"
            )
        if response.is_success:
            return
        said = self._words(response)
        if status in _LATER or response.is_server_error:
            raise Unavailable(f"{what} answers {status}: {said}", after=_retry_after(response))
        raise _meaning(status)(f"{what} answers {status}: {said}{self._advice(status)}")

    def _advice(self, status: int) -> str:
        credential = named(self._builder.credential)
        match status:
            case httpx.codes.UNAUTHORIZED:
                return f"; Azure DevOps does not accept the credential in {credential}: look whether it has expired"
            case httpx.codes.FORBIDDEN:
                return f"; whoever the credential in {credential} stands for has to be given the permission"
            case httpx.codes.NOT_FOUND:
                return "; look whether it was deleted, and whether the credential may see it"
        return ""

    def _words(self, response: httpx.Response) -> str:
        """What Azure says of an error: ``message`` of its JSON. The credential never is in it."""
        content = b""
        for chunk in response.iter_bytes():
            content += chunk
            if len(content) > _LARGEST_REFUSAL:
                break
        try:
            said = json.loads(content)["message"]
        except (ValueError, KeyError, TypeError):
            said = response.reason_phrase
        secret = self._client.headers["Authorization"].partition(" ")[2]
        return _UNPRINTABLE.sub(" ", str(said).replace(secret, "…"))[:600]

    def _parsed(self, response: httpx.Response, content: bytes, answer: type[T]) -> T:
        # A build that has not begun has no timeline: 204 without content, or the word null.
        text = content.strip() or b"null"
        if text[:1] not in b"{[n":
            raise Invalid(f"{_what(response)} answers with what is no JSON document: {text[:40]!r}")
        try:
            return TypeAdapter(answer).validate_json(text)
        except ValidationError as error:
            problem = error.errors(include_input=False, include_url=False)[0]
        told = (
            f"{_what(response)} answers what is not understood: {'.'.join(map(str, problem['loc']))} {problem['msg']}"
        )
        raise (Unavailable if problem["type"] == "json_invalid" else Invalid)(told)


@contextmanager
def conversation(builder: AzureBuilder) -> Iterator[AzureApi]:
    """Speak with the builder's project; errors as of :func:`~baton.builders.azure_credential.authorization`."""
    headers = {
        "Authorization": authorization(builder.credential).get_secret_value(),
        # Asks for 401 in place of a redirect to the page for signing in.
        "X-TFS-FedAuthRedirect": "Suppress",
    }
    with httpx.Client(timeout=_TIMEOUT, headers=headers, follow_redirects=False, verify=tls()) as client:
        yield AzureApi(builder, client)


def _what(response: httpx.Response) -> str:
    return f"{response.request.method} {response.url.copy_with(query=None)}"


def _is_sign_in(response: httpx.Response) -> bool:
    """Whether it is the page, or the way there, that Azure gives to those it does not know, as if all was well."""
    if response.status_code == httpx.codes.NON_AUTHORITATIVE_INFORMATION or response.is_redirect:
        return True
    return response.is_success and response.headers.get("Content-Type", "").startswith("text/html")


def _meaning(status: int) -> type[BatonError]:
    match status:
        case httpx.codes.UNAUTHORIZED | httpx.codes.FORBIDDEN:
            return Refused
        case httpx.codes.NOT_FOUND | httpx.codes.GONE:
            return Missing
        case httpx.codes.BAD_REQUEST | httpx.codes.CONFLICT:
            return Rejected
    return Failed


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds to wait: ``Retry-After`` (RFC 9110, section 10.2.3), else the time that ``X-RateLimit-Reset`` names.

    See "Rate and usage limits" in the Azure DevOps documentation. ``X-RateLimit-Remaining`` alone delays nothing there.
    """
    value = response.headers.get("Retry-After", "")
    try:
        if value:
            return _bounded(
                float(value) if value.isdecimal() else parsedate_to_datetime(value).timestamp() - time.time()
            )
        if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
            return _bounded(float(response.headers.get("X-RateLimit-Reset", "")) - time.time())
    except ValueError:
        return None
    return None


def _bounded(seconds: float) -> float:
    return min(max(seconds, 1), _LONGEST_WAIT)
