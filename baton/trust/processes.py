"""Verifying bundles on several cores: the sigstore library holds Python's lock nearly all the time that it works."""

from __future__ import annotations

import multiprocessing
import signal
import sys
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from typing import TYPE_CHECKING, Self

from baton.model.errors import Failed
from baton.trust.identities import TrustedKey

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sigstore.models import ClientTrustConfig

    from baton.model.base import Digest
    from baton.trust.identities import TrustedIdentity
    from baton.trust.result import SignatureResult
    from baton.trust.sigstore import SigstoreTrust

_METHOD = "spawn" if sys.platform in ("win32", "darwin") else "forkserver"
"""How processes start: as Python 3.14 does it. The caller's threads and open files are in none of them."""

_PRELOADED = "baton.trust.sigstore"


def prepare_processes() -> None:
    """Begin to import, in another process and for all of them, what they need; this one goes on meanwhile."""
    if sys.platform in ("win32", "darwin"):
        return
    from multiprocessing import forkserver  # noqa: PLC0415  # not on every platform

    multiprocessing.set_forkserver_preload([_PRELOADED])
    forkserver.ensure_running()


class SigstoreProcesses:
    """Processes that verify bundles, each with the same trust root, loaded once in it.

    Args:
        config: the instance's; it holds no secrets.
        count: how many processes.
    """

    def __init__(self, config: ClientTrustConfig, count: int) -> None:
        self._pool = ProcessPoolExecutor(
            count,
            mp_context=multiprocessing.get_context(_METHOD),
            initializer=_load,
            initargs=(config._inner.to_json(),),  # noqa: SLF001  # the library reads its own JSON and writes none
        )

    def verify(
        self, bundle: bytes, digest: Digest, trusted: Sequence[TrustedIdentity], *, source: str
    ) -> SignatureResult:
        """As :meth:`baton.trust.sigstore.SigstoreTrust.verify`, in one of the processes.

        Raises:
            Failed: a process was ended by somebody else.
        """
        # Keys don't matter to it, and their blocks are long.
        named = [entry for entry in trusted if not isinstance(entry, TrustedKey)]
        try:
            return self._pool.submit(_verify, bundle, digest, named, source).result()
        except BrokenExecutor as error:
            raise Failed(f"a process that verified {source} was ended from outside: try again") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)


_trust: SigstoreTrust | None = None
"""A process's own, from its start to its end."""


def _load(config: str) -> None:
    # Whoever presses Ctrl-C means all of them; the first process ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    from sigstore.models import ClientTrustConfig  # noqa: PLC0415  # slow to import, and not needed to start a process

    from baton.trust.sigstore import SigstoreTrust  # noqa: PLC0415

    global _trust  # noqa: PLW0603  # the way in which a pool's initializer hands something to its tasks
    _trust = SigstoreTrust(ClientTrustConfig.from_json(config))


def _verify(bundle: bytes, digest: Digest, trusted: Sequence[TrustedIdentity], source: str) -> SignatureResult:
    assert _trust is not None  # noqa: S101  # _load ran first
    return _trust.verify(bundle, digest, trusted, source=source)
