"""Serves an application on loopback, in a thread, for as long as a context lasts."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING

import uvicorn

from baton.model.errors import Unavailable
from baton.sandbox.ports import HOST

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.types import ASGIApp

_GRACE = 1
"""Seconds for requests under way when it stops."""


@contextlib.contextmanager
def served(app: ASGIApp, *, port: int = 0) -> Iterator[str]:
    """Serve an application; gives its address, without a trailing slash.

    Args:
        app: what answers.
        port: on 127.0.0.1; 0 takes a free one.

    Raises:
        Unavailable: the port is taken.
    """
    with listener(port) as listening, served_on(app, listening):
        yield address_of(listening)


@contextlib.contextmanager
def served_on(app: ASGIApp, listening: socket.socket, certificate: Path | None = None) -> Iterator[None]:
    """Serve an application on a socket that listens already, so that its address can be known before it is made.

    Args:
        app: what answers.
        listening: the socket.
        certificate: a PEM file with a certificate and its key, to speak TLS; None for plain HTTP.
    """
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            lifespan="off",
            ws="none",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_GRACE,
            ssl_certfile=certificate,
        )
    )
    thread = threading.Thread(target=server.run, args=([listening],), name="fake-ci", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()


def listener(port: int = 0) -> socket.socket:
    """A socket that takes connections from now on; they wait until the server accepts them.

    Raises:
        Unavailable: the port is taken.
    """
    # Asyncio turns Nagle's algorithm off only where the protocol is given; with it on, every answer takes 40 ms.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((HOST, port))
        listening.listen()
    except OSError as error:
        listening.close()
        raise Unavailable(f"can't listen on {HOST}:{port}: {error.strerror}; choose another port, or 0") from error
    return listening


def address_of(listening: socket.socket, certificate: Path | None = None) -> str:
    """The address of what a socket serves, without a trailing slash; with TLS if there is a certificate."""
    scheme = "http" if certificate is None else "https"
    return f"{scheme}://{HOST}:{listening.getsockname()[1]}"
