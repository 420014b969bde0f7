"""The platforms' own signing programs, run to their end."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from baton.model.errors import Missing, Unavailable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pydantic import SecretStr

_SECONDS = 600
"""How long one file may take, a slow timestamp authority and a slow token included."""

_PACKAGES = {
    "osslsigncode": "the package osslsigncode",
    "signtool": "the Windows SDK, and put signtool on the PATH",
    "codesign": "Xcode's command line tools: this needs macOS",
    "productsign": "Xcode's command line tools: this needs macOS",
    "pkgutil": "macOS, of which it is a part",
    "xcrun": "Xcode: this needs macOS",
}

_UNPRINTABLE = re.compile(r"[^\x20-\x7e\xa0-\U0010ffff]+")


@dataclass(frozen=True)
class Outcome:
    """How a program ended.

    Attributes:
        lines: everything that it said on both channels, line by line, without the space around.
    """

    program: str
    code: int
    lines: tuple[str, ...]

    @property
    def complaint(self) -> str:
        """The end of what it said, in one line, for people."""
        said = "; ".join(line for line in self.lines if line)[-600:]
        return f"{self.program} ended with exit code {self.code}: {said or 'it does not say why'}"


def run(command: Sequence[str | Path], *, secret: SecretStr | None = None) -> Outcome:
    """Run a program to its end; on Windows a missing suffix ``.exe`` is added.

    Args:
        command: the program and its arguments; nothing secret.
        secret: what it reads from its standard input; nothing of it is repeated in the outcome.

    Raises:
        Missing: there is no such program.
        Unavailable: it did not end in time.
    """
    program = str(command[0])
    said = secret.get_secret_value() if secret else ""
    try:
        ended = subprocess.run(
            command,
            input=said.encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_SECONDS,
            check=False,
        )
    except OSError as error:
        package = _PACKAGES.get(program, program)
        raise Missing(f"{program} does not run here ({error.strerror}): install {package}") from error
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{program} did not end within {_SECONDS} s and was stopped") from None
    text = ended.stdout.decode("utf-8", "replace")
    if said:
        text = text.replace(said, "…")
    return Outcome(program, ended.returncode, tuple(_UNPRINTABLE.sub(" ", line).strip() for line in text.split("\n")))
