"""Which certificates are trusted: read once for the process, as that takes longer than most requests."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    import ssl


@functools.cache
def tls() -> ssl.SSLContext:
    """What every connection to Azure is made with; it is safe to share."""
    return httpx.create_ssl_context()
