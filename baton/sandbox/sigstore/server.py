"""Runs an instance on a state folder and a loopback port."""

from __future__ import annotations

import contextlib
import socket
import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import uvicorn

from baton.model.errors import Unavailable
from baton.sandbox.sigstore.app import Services, application
from baton.sandbox.sigstore.clock import Clock, utc_now
from baton.sandbox.sigstore.ctlog import CtLog
from baton.sandbox.sigstore.files import held, replace
from baton.sandbox.sigstore.fulcio import CERTIFICATE_LIFETIME, Fulcio
from baton.sandbox.sigstore.keys import KeyFolder
from baton.sandbox.sigstore.log import TransparencyLog
from baton.sandbox.sigstore.machines import Machines
from baton.sandbox.sigstore.oidc import OidcIssuer
from baton.sandbox.sigstore.rekor import Rekor
from baton.sandbox.sigstore.rekor_v1 import RekorV1
from baton.sandbox.sigstore.tokens import TokenIssuer
from baton.sandbox.sigstore.trust import OIDC_PATH, client_trust_config
from baton.sandbox.sigstore.tsa import TimestampAuthority

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.applications import Starlette

_HOST: Final = "127.0.0.1"
_BACKLOG: Final = 1024
_KEEP_ALIVE: Final = 120  # seconds: longer than any client idles, so that none writes into a closing connection
_GRACE: Final = 2  # seconds for requests under way when the instance stops
_NO_LATENCY: Final = timedelta(0)


@dataclass(frozen=True)
class LocalSigstore:
    """A running instance.

    Attributes:
        url: where it is, without a trailing slash.
        trust_config: the file that clients read, as in ``sigstore --trust-config FILE``.
        tokens: mints identity tokens.
        machines: the machines that may ask for a token over HTTP.
        log: the entries of the version 2 log.
    """

    url: str
    trust_config: Path
    tokens: TokenIssuer
    machines: Machines
    log: TransparencyLog


@contextlib.contextmanager
def local_sigstore(
    state: Path,
    *,
    port: int = 0,
    clock: Clock = utc_now,
    certificate_lifetime: timedelta = CERTIFICATE_LIFETIME,
    log_latency: timedelta = _NO_LATENCY,
    person: str | None = None,
) -> Iterator[LocalSigstore]:
    """Runs an instance, in a thread of this process, for as long as the context lasts.

    Keys and logs are in the state folder. An instance that starts again on the same folder is the same instance: its
    logs go on where they ended, and what was signed before still verifies, also when the port is another.

    Args:
        state: made if it is not there, with mode 0700.
        port: on 127.0.0.1; 0 takes a free one.
        clock: what certificates, timestamps and log entries go by.
        certificate_lifetime: how long a signing certificate is valid.
        log_latency: how long the logs take to answer once they have logged an entry.
        person: the e-mail address of who signs in without being asked; None, a page asks.

    Raises:
        Unavailable: another instance holds the state folder, or the port is taken.
        Invalid: the state folder holds something that was not written by an instance, or is damaged.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(held(state))
        log = stack.enter_context(TransparencyLog(state / "logs" / "rekor.log"))
        log_v1 = stack.enter_context(TransparencyLog(state / "logs" / "rekor-v1.log"))
        listener = stack.enter_context(_listener(port))
        url = f"http://{_HOST}:{listener.getsockname()[1]}"

        keys, tokens, machines = KeyFolder(state), TokenIssuer(state), Machines(state)
        ctlog = CtLog(keys)
        fulcio = Fulcio(keys, tokens, ctlog, clock, certificate_lifetime)
        rekor = Rekor(keys, log)
        rekor_v1 = RekorV1(keys, log_v1, clock)
        tsa = TimestampAuthority(keys, clock)
        trust_config = client_trust_config(url, fulcio=fulcio, ctlog=ctlog, rekor=rekor, rekor_v1=rekor_v1, tsa=tsa)
        services = Services(
            fulcio=fulcio,
            rekor=rekor,
            rekor_v1=rekor_v1,
            tsa=tsa,
            oidc=OidcIssuer(tokens, machines, url + OIDC_PATH, clock),
            tokens=tokens,
            trust_config=trust_config.to_json(),
            person=person,
            log_latency=log_latency,
        )
        stack.enter_context(_served(application(services), listener))
        file = state / "trust_config.json"
        replace(file, services.trust_config.encode())
        yield LocalSigstore(url, file, tokens, machines, log)


def _listener(port: int) -> socket.socket:
    """A socket that takes connections from now on; they wait until the server accepts them."""
    # Asyncio turns Nagle's algorithm off only where the protocol is given; with it on, every answer takes 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((_HOST, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise Unavailable(
            f"the sandbox Sigstore instance can't listen on {_HOST}:{port}: {error.strerror}; "
            "choose another port, or 0 for a free one"
        ) from error
    return listener


@contextlib.contextmanager
def _served(app: Starlette, listener: socket.socket) -> Iterator[None]:
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            lifespan="off",
            ws="none",
            log_config=None,
            log_level="warning",
            access_log=False,
            backlog=_BACKLOG,
            timeout_keep_alive=_KEEP_ALIVE,
            timeout_graceful_shutdown=_GRACE,
        )
    )
    thread = threading.Thread(target=server.run, args=([listener],), name="sandbox-sigstore", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()
