"""A JSON message posted to an address that is a secret, as those of chat services are."""

from __future__ import annotations

import logging
import os
from contextvars import ContextVar
from ipaddress import ip_address
from typing import TYPE_CHECKING

import httpx

from baton.announcers.port import AnnouncerAdapter
from baton.model.errors import Failed, Invalid, Missing, Unavailable

if TYPE_CHECKING:
    from baton.model.announcing import Event
    from baton.model.version import ReleaseId

_TIMEOUT = httpx.Timeout(20, connect=10)
_LATER = frozenset({408, 425, 429})

_address_in_use: ContextVar[bool] = ContextVar("webhook_address_in_use", default=False)

for _logger in ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.proxy", "httpcore.socks"):
    # They log the address of a request, and what a server repeats of it in its answer; here it is a secret.
    logging.getLogger(_logger).addFilter(lambda _: not _address_in_use.get())


class WebhookAdapter(AnnouncerAdapter):
    """Posts ``{"text", "release", "event", "link"}``; what reads ``text`` alone, as most chats do, is content with it.

    The address appears in no error and no log line.
    """

    def __init__(self, url_from: str) -> None:
        """Take note of the environment variable that holds the address; it is read when there is something to tell."""
        self._url_from = url_from

    def tell(self, event: Event, release: ReleaseId, text: str, link: str) -> None:
        """See :meth:`AnnouncerAdapter.tell`."""
        message = {"text": text, "release": str(release), "event": event.value, "link": link}
        status = self._post(self._address(), message)
        if httpx.codes.is_success(status):
            return
        told = f"the webhook in {self._url_from} answers {status}; expected 2xx"
        if httpx.codes.is_server_error(status) or status in _LATER:
            raise Unavailable(told)
        raise Failed(f"{told}: look whether the address in the variable is still right")

    def _post(self, address: httpx.URL, message: dict[str, str]) -> int:
        """The answer's status; the error is raised outside of the handler so that it carries no request along."""
        token = _address_in_use.set(True)
        try:
            # Streamed, so that a body of any length is left unread.
            with httpx.stream("POST", address, json=message, timeout=_TIMEOUT) as response:
                return response.status_code
        except httpx.HTTPError as error:
            problem = type(error).__name__
        finally:
            _address_in_use.reset(token)
        raise Unavailable(f"the webhook in {self._url_from} could not be reached: {problem}")

    def _address(self) -> httpx.URL:
        value = os.environ.get(self._url_from, "").strip()
        if not value:
            raise Missing(
                f"the environment variable {self._url_from} is not set: give this worker the webhook's address"
            )
        address = _parsed(value)
        if address is None:
            raise Invalid(
                f"the environment variable {self._url_from} does not hold a webhook's address; expected https://…, or "
                "http://… on this machine"
            )
        return address


def _parsed(value: str) -> httpx.URL | None:
    try:
        address = httpx.URL(value)
    except httpx.InvalidURL:
        return None
    plain = address.scheme == "http" and _is_loopback(address.host)
    return address if address.host and (address.scheme == "https" or plain) else None


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
