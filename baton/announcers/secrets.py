"""What the worker's environment holds for a channel; errors name the variable, and never what is in it."""

from __future__ import annotations

import os

import httpx

from baton.model.announcing import is_loopback
from baton.model.errors import Invalid, Missing


def secret(variable: str, meaning: str) -> str:
    """What an environment variable holds, without blanks around it.

    Args:
        variable: its name.
        meaning: what it should hold, as people call it.

    Raises:
        Missing: it is not set, or empty.
        Invalid: it holds anything but printable ASCII, which neither HTTP nor SMTP can carry as a credential.
    """
    value = os.environ.get(variable, "").strip()
    if not value:
        raise Missing(f"the environment variable {variable} is not set: give this worker {meaning}")
    if not (value.isascii() and value.isprintable()):
        raise Invalid(f"the environment variable {variable} holds other than printable ASCII; expected {meaning}")
    return value


def web_address(variable: str, meaning: str) -> httpx.URL:
    """The web address that an environment variable holds; what is sent there can't be read on the way.

    Raises:
        Missing: the variable is not set, or empty.
        Invalid: it holds no ``https`` address, nor an ``http`` one of this machine.
    """
    address = _parsed(secret(variable, meaning))
    if address is None:
        raise Invalid(
            f"the environment variable {variable} does not hold {meaning}; expected https://…, or http://… on this "
            "machine"
        )
    return address


def _parsed(value: str) -> httpx.URL | None:
    try:
        address = httpx.URL(value)
    except httpx.InvalidURL:
        return None
    safe = address.scheme == "https" or (address.scheme == "http" and is_loopback(address.host))
    return address if address.host and safe else None
