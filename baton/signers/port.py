"""What every signer does, whatever kind of signature it makes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Protocol, TypeVar

from baton.model.manifest import Artifact

File = tuple[Artifact, Path]
"""A file to sign: what it has to be, and where it lies."""

Source = TypeVar("Source")

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

    with ThreadPoolExecutor(threads, thread_name_prefix="sign") as pool:
        running = [pool.submit(sign_and_keep, artifact, source) for artifact, source in files]
        wait(running, return_when=FIRST_EXCEPTION)
        left = [future for future in running if future.cancel()]
    for future in running:
        if future not in left:
            future.result()
