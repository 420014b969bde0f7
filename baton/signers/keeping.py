"""Signatures that a person has made, kept on their machine until the release has taken them."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from baton.model.errors import Failed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from baton.model.manifest import Artifact


class KeptSignatures:
    """A folder of signatures by the digests of what is signed, so that an interrupted signing goes on where it was.

    What is found is not believed: whoever uses it verifies it like what was just made.

    Args:
        folder: of one person's signatures of one kind for one manifest.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, files: Sequence[Artifact]) -> dict[Artifact, bytes]:
        """The signatures that are there.

        Raises:
            Failed: the folder can't be read.
        """
        try:
            return {file: path.read_bytes() for file in files if (path := self._path(file)).is_file()}
        except OSError as error:
            raise Failed(f"signatures that were made before can't be read in {self._folder}: {error}") from error

    def keep(self, file: Artifact, signature: bytes) -> None:
        """Keep a signature for good; safe from several threads, each with a file of its own.

        Raises:
            Failed: it can't be written.
        """
        path = self._path(file)
        half = path.with_suffix(".new")
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            half.write_bytes(signature)
            half.replace(path)
        except OSError as error:
            raise Failed(f"the signature of {file.name} can't be kept in {self._folder}: {error}") from error

    def drop(self) -> None:
        """Forget them all."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _path(self, file: Artifact) -> Path:
        return self._folder / file.sha256
