"""One HTTP request, told in Baton's errors; nothing that is sent or answered reaches a log or an error by accident."""

from __future__ import annotations

import functools
import logging
import re
import time
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx

from baton.model.errors import BatonError, Failed, Invalid, Missing, Refused, Unavailable

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator, Mapping

_TIMEOUT = httpx.Timeout(20, connect=10)
_BODY_SECONDS = 30
"""Seconds that a whole answer may take; downloads are not read here."""

_BODY_BYTES = 16 * 1024**2
"""More than the largest page of GitHub's answers; what is longer is something else."""

_SECONDARY = 60
"""Seconds to wait at least when a secondary rate limit names none.

See https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api, "Exceeding the rate limit".
"""

_LONGEST_WAIT = 3600
"""Seconds to wait at most, whatever an answer says; GitHub's limits end within an hour."""

_in_use: ContextVar[bool] = ContextVar("github_request_in_use", default=False)

for _logger in ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.proxy", "httpcore.socks"):
    # They log addresses, and GitHub's addresses of downloads hold the right to download.
    logging.getLogger(_logger).addFilter(lambda _: not _in_use.get())


@functools.cache
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context()


@dataclass(frozen=True)
class Reply:
    """A whole answer.

    Attributes:
        where: the request in words, for messages.
    """

    where: str
    status: int
    headers: httpx.Headers
    body: bytes


@contextmanager
def streamed(
    method: str, url: str, *, where: str, headers: Mapping[str, str], json: object = None
) -> Iterator[httpx.Response]:
    """Send a request; the answer's body is still to be read. Redirects are not followed.

    Args:
        method: the HTTP method.
        url: where to; it may be a secret.
        where: the request in words, for messages.
        headers: sent along.
        json: the body.

    Raises:
        Unavailable: the connection could not be made, or broke off, also while the body is being read.
    """
    token = _in_use.set(True)
    try:
        with httpx.stream(method, url, headers=dict(headers), json=json, timeout=_TIMEOUT, verify=_tls()) as response:
            yield response
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
        problem = type(error).__name__
    else:
        return
    finally:
        _in_use.reset(token)
    # Raised out here, so that no request with its credential is carried along.
    raise Unavailable(f"{where}: the connection failed ({problem})")


def fetched(method: str, url: str, *, where: str, headers: Mapping[str, str], json: object = None) -> Reply:
    """Send a request and read the whole answer, whatever its status.

    Args and errors are those of :func:`streamed`, and:

    Raises:
        Unavailable: the answer takes too long, or is longer than any of GitHub's.
    """
    with streamed(method, url, where=where, headers=headers, json=json) as response:
        deadline, body = time.monotonic() + _BODY_SECONDS, b""
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > _BODY_BYTES:
                raise Unavailable(f"{where}: the answer is longer than {_BODY_BYTES} bytes; is this GitHub's API?")
            if time.monotonic() > deadline:
                raise Unavailable(f"{where}: the answer took longer than {_BODY_SECONDS} s")
        return Reply(where, response.status_code, response.headers, body)


def problem_of(reply: Reply) -> BatonError | None:
    """What an answer that is no success means for whoever asked; None if it is one."""
    status, said = reply.status, f"{reply.where}: GitHub answers {reply.status}{_words(reply)}"
    if httpx.codes.is_success(status):
        return None
    limited = _limited(reply)
    if limited is not None:
        return Unavailable(f"{said}; the rate limit ends in {limited} s", after=limited)
    if httpx.codes.is_server_error(status) or status == httpx.codes.REQUEST_TIMEOUT:
        return Unavailable(said, after=_retry_after(reply))
    if status == httpx.codes.UNAUTHORIZED:
        return Refused(f"{said}: the credential is not valid (any more); give the worker a new one")
    if status == httpx.codes.FORBIDDEN:
        return Refused(f"{said}: give the worker's credential the permissions that this needs")
    if status in (httpx.codes.NOT_FOUND, httpx.codes.GONE):
        return Missing(f"{said}; or the worker's credential may not see it")
    if status == httpx.codes.UNPROCESSABLE_ENTITY:
        return Invalid(f"{said}: correct what the plan says of this workflow, or the workflow")
    if httpx.codes.is_redirect(status):
        return Failed(f"{said}: a redirect; was the repository renamed, or is the API at another address?")
    return Failed(f"{said}; no retry can mend that")


def _limited(reply: Reply) -> int | None:
    """Seconds until a rate limit ends, if one is the reason of the answer."""
    if reply.status not in (httpx.codes.FORBIDDEN, httpx.codes.TOO_MANY_REQUESTS):
        return None
    after = _retry_after(reply)
    if after is not None:
        return after
    if reply.headers.get("x-ratelimit-remaining") == "0":
        reset = reply.headers.get("x-ratelimit-reset", "")
        return _bounded(int(reset) - int(time.time())) if re.fullmatch(r"[0-9]{1,12}", reset) else _SECONDARY
    if reply.status == httpx.codes.TOO_MANY_REQUESTS or b"rate limit" in reply.body.lower():
        return _SECONDARY
    return None


def _retry_after(reply: Reply) -> int | None:
    after = reply.headers.get("retry-after", "")
    return _bounded(int(after)) if re.fullmatch(r"[0-9]{1,6}", after) else None


def _bounded(seconds: int) -> int:
    return max(1, min(seconds, _LONGEST_WAIT))


def _words(reply: Reply) -> str:
    """The ``message`` of GitHub's errors, in printable characters and not at any length."""
    found = re.search(rb'"message"\s*:\s*("(?:[^"\\]|\\.){0,400}")', reply.body)
    if found is None:
        return ""
    message = "".join(each if each.isprintable() else " " for each in found[1].decode("utf-8", "replace"))
    return f" {message}"
