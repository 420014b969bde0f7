"""What every signer does, whatever kind of signature it makes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Protocol, TypeVar

from baton.model.manifest import Artifact

File = tuple[Artifact, Path]
"""A file to sign: what it has to be, and where it lies."""

Source = TypeVar("Source")

_AT_FIRST = 8
"""How many are signed at once before it is seen whether this process mostly waits."""

_MOMENT = 0.02
"""Seconds in which nothing gets done before it is looked whether this process waits."""

Keep = Callable[[Artifact, bytes], None]
"""Told of each signature as soon as it is made and verified; called from several threads at once.

What it raises stops the batch: files whose signing has not begun are left.
"""


class BatchSigner(Protocol):
    """Signs many files in one go, in parallel."""

    def sign(self, files: Sequence[File], keep: Keep) -> None:
        """Sign each file and hand each signature to ``keep``, verified, as it is made.

        A signature that was kept need not be made again: whoever tries again leaves its file out. When one file fails,
        those under way are still finished and kept, those not begun are left, and the first error is raised.

        Raises:
            Refused: the key or identity is not the plan's, has expired, or its passphrase is wrong.
            Missing: the key, or a token, is not there.
            Conflict: a file does not have its artifact's digest.
            Failed: a signature was made that does not verify, or a service refused.
            Unavailable: a service did not answer; trying again may help.
        """
        ...


def sign_in_threads(
    files: Sequence[tuple[Artifact, Source]],
    sign: Callable[[Artifact, Source], bytes],
    keep: Keep,
    *,
    threads: int,
) -> None:
    """Run ``sign`` for each file, with what is signed of it, and ``keep`` for each result.

    It goes on and stops as :meth:`BatchSigner.sign` promises.
    """

    def sign_and_keep(artifact: Artifact, source: Source) -> None:
        keep(artifact, sign(artifact, source))

    begun: list[Future[None]] = []
    with ThreadPoolExecutor(threads, thread_name_prefix="sign") as pool:
        pace = _Pace(threads)
        for artifact, source in files:
            pace.wait_for_room()
            if pace.failed:
                break
            begun.append(pool.submit(sign_and_keep, artifact, source))
            pace.under_way.add(begun[-1])
    for future in begun:
        future.result()


class _Pace:
    """How many are signed at once: few while this process is busy with them, more while it waits for services.

    More threads than there is work for take each other's time.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._room = min(_AT_FIRST, most)
        self.under_way: set[Future[None]] = set()
        self.failed = False

    def wait_for_room(self) -> None:
        """Return when one more may begin, or one has failed."""
        while len(self.under_way) >= self._room and not self.failed:
            began, spent = time.monotonic(), time.process_time()
            done, self.under_way = wait(self.under_way, timeout=_MOMENT, return_when=FIRST_COMPLETED)
            self.failed = any(future.exception() is not None for future in done)
            if not done and time.process_time() - spent < (time.monotonic() - began) / 2:
                self._room = min(4 * self._room, self._most)
