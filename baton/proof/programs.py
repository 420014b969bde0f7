"""The programs that keep people's keys, each run so that it ends."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from baton.model.errors import Failed, Missing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

AT_ONCE = 30.0
"""Seconds for what asks nobody."""

ASKING = 180.0
"""Seconds for what may ask for a passphrase, a PIN or a touch."""

_PACKAGES = {"gpg": "GnuPG 2.2 or later"}
_OPENSSH = "OpenSSH 8.2 or later"


@dataclass(frozen=True)
class Outcome:
    """What a program left.

    Attributes:
        code: how it ended; 0 when all went well.
        errors: what it wrote to standard error, decoded as Latin-1, which takes any byte.
    """

    code: int
    output: bytes
    errors: str

    @property
    def complaint(self) -> str:
        """The end of what it said, on one line, without gpg's status lines."""
        lines = [line.strip() for line in self.errors.split("\n") if not line.startswith("[GNUPG:]")]
        return "; ".join(line for line in lines if line)[-300:] or "it does not say why"


def run(
    command: Sequence[str | Path],
    *,
    stdin: bytes = b"",
    seconds: float = AT_ONCE,
    environment: Mapping[str, str] | None = None,
) -> Outcome:
    """Run a program to its end.

    Args:
        command: the program and its arguments; nothing secret.
        stdin: what it reads.
        seconds: how long it may take; it is killed then.
        environment: instead of this process's.

    Raises:
        Missing: there is no such program.
        Failed: it did not end in time.
    """
    program = str(command[0])
    try:
        ended = subprocess.run(command, input=stdin, capture_output=True, timeout=seconds, env=environment, check=False)
    except OSError as error:
        package = _PACKAGES.get(program, _OPENSSH)
        raise Missing(f"{program} does not run here ({error.strerror}): install {package}") from error
    except subprocess.TimeoutExpired:
        raise Failed(
            f"{program} did not end within {seconds:.0f} s; if it waited for a passphrase, a PIN or a touch, try again"
        ) from None
    return Outcome(ended.returncode, ended.stdout, ended.stderr.decode("latin-1"))
