"""Runs the codec server until it is told to stop."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import uvicorn

from baton.model.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from baton.codec.app import CodecServer

_GRACE = 5
"""Seconds for requests under way when the server stops."""

_AT_ONCE = 50


def serve(server: CodecServer, host: str, port: int, *, ready: Callable[[int], None] = lambda _: None) -> None:
    """Serve until SIGINT or SIGTERM. Nothing of what is asked or answered is logged.

    Args:
        server: what.
        host: the address to listen on.
        port: 0 for a free one.
        ready: told the port, as soon as connections are taken.

    Raises:
        Unavailable: the address is taken, or not this machine's.
    """
    try:
        listener = socket.create_server((host, port))
    except OSError as error:
        raise Unavailable(f"can't listen on {host}:{port}: {error.strerror or error}; choose another port") from error
    with listener:
        ready(listener.getsockname()[1])
        config = uvicorn.Config(
            server.application(),
            lifespan="off",
            ws="none",
            log_config=None,
            log_level="warning",
            access_log=False,
            limit_concurrency=_AT_ONCE,
            timeout_graceful_shutdown=_GRACE,
            server_header=False,
        )
        uvicorn.Server(config).run(sockets=[listener])
