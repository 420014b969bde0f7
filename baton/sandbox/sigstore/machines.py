"""The machines that may ask for a token, each by a secret in a file of its own."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Final

from baton.model.errors import Invalid
from baton.sandbox.sigstore.files import create_once

if TYPE_CHECKING:
    from pathlib import Path

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class Machines:
    """The folder ``machines`` in an instance's state folder: ``NAME.secret``, mode 0600, for every machine.

    Args:
        state: the state folder.
    """

    def __init__(self, state: Path) -> None:
        self._folder = state / "machines"

    def register(self, name: str) -> Path:
        """Makes a machine known and returns the file with its secret, which stays the same from then on.

        It takes effect at once, also in an instance that another process runs.

        Args:
            name: lower-case letters, digits and ``-``, at most 63.

        Raises:
            Invalid: the name is not such a name.
        """
        if not _NAME.fullmatch(name):
            raise Invalid(
                f"machine name {name!r}: expected lower-case letters, digits and '-', at most 63, not starting with '-'"
            )
        file = self._folder / f"{name}.secret"
        create_once(file, lambda: secrets.token_urlsafe(32).encode())
        return file

    def authenticate(self, name: str, secret: str) -> bool:
        """Whether this is the secret of a machine of that name; an unknown name has none."""
        if not _NAME.fullmatch(name):
            return False
        try:
            expected = (self._folder / f"{name}.secret").read_bytes()
        except FileNotFoundError:
            return False
        return secrets.compare_digest(expected, secret.encode())
