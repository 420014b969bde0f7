"""An HTTP request whose address and headers are secrets: they appear in no error and no log line."""

from __future__ import annotations

import logging
import time
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Mapping

_TIMEOUT = httpx.Timeout(10, connect=5)
_LONGEST_ANSWER = 4096
_SECONDS_TO_ANSWER = 5

_secret_in_use: ContextVar[bool] = ContextVar("secret_request_in_use", default=False)

for _logger in ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.proxy", "httpcore.socks"):
    # They log the address of a request, and what a server repeats of it in its answer; here it is a secret.
    logging.getLogger(_logger).addFilter(lambda _: not _secret_in_use.get())


@dataclass(frozen=True)
class Call:
    """A request to make.

    Attributes:
        address: where.
        json: the body as JSON; or
        form: the body as a form.
        method: the HTTP method.
        headers: header fields beside the usual ones.
    """

    address: httpx.URL = field(repr=False)
    json: Mapping[str, Any] | None = None
    form: Mapping[str, str] | None = None
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Answer:
    """What came back.

    Attributes:
        status: the HTTP status.
        retry_after: the seconds that the server asks to wait for, if it says so.
        body: the beginning of a refusal's body; of a success nothing is read.
    """

    status: int
    retry_after: float | None
    body: bytes = field(repr=False)


def post(call: Call) -> Answer | str:
    """Make a request; redirects are not followed, since what they lead to was never entrusted with the secret.

    Returns:
        The answer; or, if there is none, the name of what went wrong. An exception would carry the request along.
    """
    token = _secret_in_use.set(True)
    try:
        # Uncompressed, so that a body can't grow while it is read.
        with httpx.Client(timeout=_TIMEOUT, headers={"Accept-Encoding": "identity"}) as client:
            request = client.build_request(
                call.method, call.address, json=call.json, data=call.form, headers=dict(call.headers)
            )
            response = client.send(request, stream=True)
            try:
                body = b"" if response.is_success else _beginning(response)
            finally:
                response.close()
            return Answer(response.status_code, _seconds(response.headers.get("Retry-After", "")), body)
    except httpx.HTTPError as error:
        return type(error).__name__
    finally:
        _secret_in_use.reset(token)


def _beginning(response: httpx.Response) -> bytes:
    body = b""
    enough = time.monotonic() + _SECONDS_TO_ANSWER
    for chunk in response.iter_raw():
        body += chunk
        if len(body) >= _LONGEST_ANSWER or time.monotonic() > enough:
            break
    return body[:_LONGEST_ANSWER]


def _seconds(retry_after: str) -> float | None:
    """Seconds, with a fraction as chat services send them, or a date (RFC 9110, section 10.2.3)."""
    try:
        return float(retry_after)
    except ValueError:
        pass
    try:
        return (parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds()
    except (TypeError, ValueError):
        return None
