"""The ports of a world: the usual ones where they are free, and the same again at the next start."""

from __future__ import annotations

import contextlib
import fcntl
import random
import socket
from typing import TYPE_CHECKING, Annotated

import platformdirs
from pydantic import Field, ValidationError

from baton.model.base import Value
from baton.model.errors import Unavailable
from baton.sandbox.state import write_private

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOST = "127.0.0.1"
"""Where every server of a world listens: nobody else can reach it."""

_LASTING = range(20_000, 32_768)
"""Below the ports that systems lend to outgoing connections: from 32768 on Linux, from 49152 elsewhere (RFC 6335)."""

Port = Annotated[int, Field(gt=0, lt=65536)]


class Ports(Value):
    """A world's ports; the first two are those that the ``temporal`` CLI uses by default."""

    temporal: Port = 7233
    ui: Port = 8233
    sigstore: Port = 8234
    files: Port = 8235
    github: Port = 8236
    azure: Port = 8237


def choose(file: Path) -> Ports:
    """The ports that the file remembers, or the usual ones; another one in place of each that is taken now.

    What is chosen is remembered in the file.
    """
    wanted = _remembered(file)
    chosen = Ports(**{name: port if is_free(port) else free_port() for name, port in wanted})
    write_private(file, chosen.model_dump_json(indent=2).encode())
    return chosen


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Let no two worlds of this user choose ports and take them at the same time; each waits for the one before."""
    folder = platformdirs.user_cache_path("baton")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "ports.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def is_free(port: int) -> bool:
    """Whether a server could listen on this port now."""
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
        return False
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # Servers set it too: a port whose last connections are still closing is free to them.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port that is free, and that the system lends to no outgoing connection while its server starts again.

    Raises:
        Unavailable: all of them are taken.
    """
    for port in random.sample(_LASTING, len(_LASTING)):
        if is_free(port):
            return port
    raise Unavailable(f"none of the ports from {_LASTING[0]} to {_LASTING[-1]} is free: end what takes them")


def _remembered(file: Path) -> Ports:
    try:
        return Ports.model_validate_json(file.read_bytes())
    except (FileNotFoundError, ValidationError):
        return Ports()
