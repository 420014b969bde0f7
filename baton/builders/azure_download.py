"""Fetching from signed addresses, which let in everyone who has them."""

from __future__ import annotations

import logging
import time
from contextvars import ContextVar
from typing import TYPE_CHECKING

import httpx

from baton.builders.azure_tls import tls
from baton.builders.port import Stopped
from baton.model.errors import Failed, Invalid, Missing, Unavailable

if TYPE_CHECKING:
    from pathlib import Path

    from baton.builders.outside import Intake

_TIMEOUT = httpx.Timeout(20, connect=10)
_REDIRECTS = 5
_REPORT = 1.0
_LATER = frozenset({401, 403, 408, 425, 429})
"""Answers that may be another one next time; 401 and 403 because the signature may have run out meanwhile."""

_GONE = frozenset({404, 410})
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

_address_in_use: ContextVar[bool] = ContextVar("signed_address_in_use", default=False)

for _logger in ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.proxy", "httpcore.socks"):
    # They log the address of a request; here it is a secret.
    logging.getLogger(_logger).addFilter(lambda _: not _address_in_use.get())


def download(address: str, to: Path, what: str, intake: Intake) -> None:
    """Write what is behind a signed address to a new file. No credential goes there, and the address into no message.

    Args:
        address: ``https://…``, of any host; on this machine ``http://…`` will do.
        to: the file.
        what: what it is, for messages.
        intake: told the progress, asked whether to stop, and says how many bytes there may be.

    Raises:
        Missing: there is nothing behind it any more.
        Failed: it refuses, redirects too often, or is longer than the plan's limits allow.
        Invalid: it is no such address.
        Unavailable: it could not be read to its end.
        Stopped: the caller wished it.
    """
    token = _address_in_use.set(True)
    try:
        with httpx.Client(timeout=_TIMEOUT, headers={"Accept-Encoding": "identity"}, verify=tls()) as client:
            problem = _follow(client, address, to, what, intake)
    finally:
        _address_in_use.reset(token)
    if problem:
        # Raised out here: the cause would carry the address along.
        raise Unavailable(f"the download of {what} broke off: {problem}")


def _follow(client: httpx.Client, address: str, to: Path, what: str, intake: Intake) -> str:
    """Go along redirects to the content and write it; gives what went wrong on the way, in words, or nothing."""
    try:
        url = httpx.URL(address)
        for _ in range(_REDIRECTS + 1):
            _require_safe(url, what)
            with client.stream("GET", url) as response:
                if not response.has_redirect_location:
                    _require_ok(response, what)
                    _save(response, to, what, intake)
                    return ""
                url = response.url.join(response.headers["Location"])
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return type(error).__name__
    raise Failed(f"the download of {what} redirects more than {_REDIRECTS} times")


def _require_safe(url: httpx.URL, what: str) -> None:
    if url.scheme != "https" and not (url.scheme == "http" and url.host in _LOOPBACK):
        raise Invalid(f"the address to download {what} from is {url.scheme or 'nothing'}://{url.host}; expected https")


def _require_ok(response: httpx.Response, what: str) -> None:
    status = f"{response.url.host} answers {response.status_code} to the download of {what}; expected 200"
    if response.status_code in _GONE:
        raise Missing(
            f"{status}: Azure DevOps keeps it no longer. Run the pipeline again, and keep its runs for longer"
        )
    if response.status_code in _LATER or response.is_server_error:
        raise Unavailable(status)
    if response.status_code != httpx.codes.OK:
        raise Failed(status)


def _save(response: httpx.Response, to: Path, what: str, intake: Intake) -> None:
    total = response.headers.get("Content-Length", "")
    size, told = 0, 0.0
    with to.open("xb") as file:
        for chunk in response.iter_raw():
            file.write(chunk)
            size += len(chunk)
            if size > intake.limits.unpacked_bytes:
                raise Failed(
                    f"{what} is longer than the {intake.limits.unpacked_bytes} bytes that the plan's limits allow"
                )
            if intake.cancelled():
                raise Stopped(f"the download of {what} was stopped on request")
            if time.monotonic() - told > _REPORT:
                told = time.monotonic()
                intake.progress(
                    f"{what}: {size:,} of {int(total):,} bytes" if total.isdecimal() else f"{what}: {size:,} bytes"
                )
