"""Two builds that had to make the same bytes, and did not: where they differ, for the person who decides."""

from __future__ import annotations

import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

from baton.builders.port import FailedWithLog
from baton.model.errors import Conflict

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from baton.builders.workspace import Bench
    from baton.model.base import Digest
    from baton.model.manifest import Artifact

_CHUNK = 1024 * 1024
_REPORT_BYTES = str(4 * 1024 * 1024)
"""As much as diffoscope may say of one file."""


class Different(Conflict):
    """Two builds made different bytes; a report says where.

    Attributes:
        log: digest of the report in the store.
    """

    def __init__(self, message: str, *, log: Digest) -> None:
        """Keep the message for people and the report's digest."""
        super().__init__(message)
        self.log = log


def keep_report(pairs: list[tuple[Artifact, Artifact]], bench: Bench) -> Digest:
    """Write a report about files that differ: their sizes, where they begin to differ, and what diffoscope says.

    diffoscope (https://diffoscope.org) is asked if it is on the worker's ``PATH``. It reads files that nobody vouches
    for, so it runs like a build: without any secret, and not for ever.

    Args:
        pairs: the same file of both builds.
        bench: where to work; its log becomes the report.

    Returns:
        The report's digest in the store.
    """
    first, second = bench.folder / "first", bench.folder / "second"
    for folder in (first, second):
        folder.mkdir()
    for one, other in pairs:
        bench.store.fetch(one.digest, first / one.name)
        bench.store.fetch(other.digest, second / other.name)
    with bench.log.open("a", encoding="utf-8") as report:
        report.writelines(
            f"{one.name}: {one.size} and {other.size} bytes, {_beginning(first / one.name, second / other.name)}\n"
            for one, other in pairs
        )
        explained = shutil.which("diffoscope", path=bench.environment.get("PATH")) is not None
        if not explained:
            report.write("With diffoscope installed on this worker, this report would say what differs.\n")
    for one, _ in pairs if explained else []:
        said = ("diffoscope", "--no-progress", "--max-text-report-size", _REPORT_BYTES, "--text", "-")
        # Files that differ are what makes it exit with 1; what else may go wrong is in the report, too.
        with suppress(FailedWithLog):
            bench.run(((*said, f"first/{one.name}", f"second/{one.name}"),), bench.folder, {})
    return bench.keep_log()


def _beginning(first: Path, second: Path) -> str:
    """Where two files that differ begin to."""
    offset = 0
    for ours, theirs in _chunks(first, second):
        if ours != theirs:
            same = next((at for at, (x, y) in enumerate(zip(ours, theirs, strict=False)) if x != y), None)
            return f"different from byte {offset + (min(len(ours), len(theirs)) if same is None else same)} on"
        offset += len(ours)
    return "the same"


def _chunks(first: Path, second: Path) -> Iterator[tuple[bytes, bytes]]:
    with first.open("rb") as one, second.open("rb") as other:
        while pair := (one.read(_CHUNK), other.read(_CHUNK)):
            if pair == (b"", b""):
                return
            yield pair
