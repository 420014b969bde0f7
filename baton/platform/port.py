"""What every tool does that puts a signature into a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path


class CodeSigningTool(Protocol):
    """Puts the signature of one platform into a file.

    Both methods raise:

    - ``Missing``: the tool or the key is not on this worker.
    - ``Refused``: the tool does not sign, or what it made is not what was asked for.
    - ``Unavailable``: a timestamp authority or a signing service did not answer; trying again may help.

    No message holds a secret, and no command line does.
    """

    def sign(self, unsigned: Path, signed: Path) -> None:
        """Make a signed copy of a file.

        Args:
            unsigned: the file; it stays as it is.
            signed: where the copy goes; nothing is there yet.
        """

    def verify(self, unsigned: Path, signed: Path) -> None:
        """Require that the copy carries the signature that was asked for, and is otherwise the same.

        What "the same" means is the platform's to say: for Authenticode the digest that the signature covers.
        """
