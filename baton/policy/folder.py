"""Writing a change's documents, and nothing over what somebody else wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baton.model.errors import Conflict
from baton.policy.pages import NAMES
from baton.store.files import os_problem

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def write(folder: Path, documents: Mapping[str, bytes], *, overwrite: bool) -> None:
    """Write documents into a folder, which is made if need be.

    Args:
        folder: where they go.
        documents: by file name.
        overwrite: also where a file of that name has other content; one that the change has no need of is removed.

    Raises:
        Conflict: a file of such a name has other content; nothing was written.
        Failed, Unavailable: the folder can't be written.
    """
    try:
        there = {name: (folder / name).read_bytes() for name in NAMES if (folder / name).is_file()}
        differing = [name for name, content in there.items() if documents.get(name) != content]
        if differing and not overwrite:
            raise Conflict(
                f"{folder} has {', '.join(differing)} with other content: name another folder with --out, "
                "or give --overwrite-other-content"
            )
        folder.mkdir(parents=True, exist_ok=True)
        for name in differing:
            (folder / name).unlink()
        for name, content in documents.items():
            (folder / name).write_bytes(content)
    except OSError as error:
        raise os_problem(error, f"can't write into {folder}") from error
