"""Take what a build left in its output folder into the store."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from baton.model.errors import Failed, Refused
from baton.model.manifest import ArtifactSet

if TYPE_CHECKING:
    from pathlib import Path

    from baton.store import Store


def collect(checkout: Path, output: str, store: Store) -> ArtifactSet:
    """Put every file of the output folder into the store.

    Args:
        checkout: where the build ran.
        output: the folder in it whose files are wanted, with ``/`` between its parts.
        store: where they are put.

    Raises:
        Refused: the folder lies outside the checkout, or has something in it that is not a regular file. A link could
            name any file of the worker.
        Failed: there is no such folder.
    """
    folder = checkout / output
    if folder.resolve() != checkout.resolve() / output:
        raise Refused(f"the output folder {output!r} leads out of the checkout; expected a plain folder in it")
    if not folder.is_dir():
        raise Failed(f"the commands made no folder {output}: correct `output`, or the commands")
    return ArtifactSet.of([store.put_file(_plain(path, output)) for path in sorted(folder.iterdir())])


def _plain(path: Path, output: str) -> Path:
    mode = path.lstat().st_mode
    if not stat.S_ISREG(mode):
        kind = {stat.S_IFDIR: "a folder", stat.S_IFLNK: "a link"}.get(stat.S_IFMT(mode), "a special file")
        raise Refused(
            f"{output}/{path.name} is {kind}; expected that the commands leave only regular files in {output}"
        )
    return path
