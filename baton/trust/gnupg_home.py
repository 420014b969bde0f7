"""GnuPG homes: opened through python-gnupg, and made for one verification."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import gnupg

from baton.model.errors import Failed, Invalid, Missing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LONGEST_HOME = 86
"""Bytes that a home's path may have: the agent's sockets lie in it, and a socket's address holds about 100."""


def open_home(home: Path, options: Sequence[str] = ()) -> gnupg.GPG:
    """A GnuPG home as python-gnupg shows it; it may be used from several threads at once.

    Args:
        home: an existing folder.
        options: for every gpg command.

    Raises:
        Invalid: the path is too long for the agent's sockets.
        Missing: there is no such folder, or gpg is not installed.
        Failed: gpg does not start.
    """
    if not home.is_dir():
        raise Missing(f"the GnuPG home {home} is not there: make it, and import the signing key into it")
    length = len(os.fsencode(home.absolute()))
    if length > LONGEST_HOME:
        raise Invalid(
            f"the GnuPG home {home} is {length} bytes long; at most {LONGEST_HOME} leave room for the agent's sockets: "
            "move it to a shorter path"
        )
    try:
        # Latin-1 takes any byte; what is read with it is decoded again where text matters.
        return gnupg.GPG(gnupghome=str(home.absolute()), options=list(options), encoding="latin-1")
    except OSError as error:
        raise Missing(f"gpg does not run here ({error}): install GnuPG 2.2 or later") from error
    except ValueError as error:
        raise Failed(f"gpg does not start with the home {home}: {error}") from error


@contextmanager
def temporary_home() -> Iterator[Path]:
    """An empty home that only this user can read; removed in the end, with the agent that may run in it."""
    home = Path(tempfile.mkdtemp(prefix="baton-", dir=_short_folder()))
    try:
        yield home
    finally:
        # Without it there is no gpg either, nor an agent.
        if shutil.which("gpgconf"):
            subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], capture_output=True, check=False)
        shutil.rmtree(home, ignore_errors=True)


def _short_folder() -> str | None:
    """The usual temporary folder, unless a home in it would be too long."""
    name = "baton-12345678"
    usual = tempfile.gettempdir()
    return usual if len(os.fsencode(usual)) + 1 + len(name) <= LONGEST_HOME else "/tmp"  # noqa: S108  # mkdtemp
