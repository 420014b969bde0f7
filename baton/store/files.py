"""Files on this machine: opened without surprises, named by their content, made durable."""

from __future__ import annotations

import os
import stat
from hashlib import file_digest
from typing import TYPE_CHECKING

from baton.model.errors import BatonError, Failed, Invalid, Missing, Unavailable

if TYPE_CHECKING:
    from io import BufferedReader
    from pathlib import Path

    from baton.model.base import Digest


_PLAINLY = os.O_RDONLY
for _flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):
    _PLAINLY |= getattr(os, _flag, 0)
"""How to open what may be anything; Windows has none of the first three, and needs the last."""


def digest_of_file(path: Path) -> tuple[Digest, int]:
    """A file's digest and size in bytes, read in constant memory.

    Raises:
        Missing: there is no such file.
        Invalid: it is not a regular file (a link is not).
        Unavailable: it can't be read.
    """
    with open_regular(path) as file:
        try:
            return "sha256:" + file_digest(file, "sha256").hexdigest(), file.tell()
        except OSError as error:
            raise os_problem(error, f"could not read {path}") from error


def open_regular(path: Path) -> BufferedReader:
    """Open a regular file for reading; refuse links, folders and devices, and never wait for a pipe.

    Raises:
        Missing: there is no such file.
        Invalid: it is not a regular file.
        Failed: the worker may not read it.
    """
    try:
        # Where the system can't be told not to follow a link, it is asked whether there is one.
        if not hasattr(os, "O_NOFOLLOW") and path.is_symlink():
            raise Invalid(f"{path} is a link; expected a regular file")
        descriptor = os.open(path, _PLAINLY)
    except FileNotFoundError as error:
        raise Missing(f"{path} is not there") from error
    except OSError as error:
        if path.is_symlink():
            raise Invalid(f"{path} is a link; expected a regular file") from error
        raise os_problem(error, f"could not read {path}") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Invalid(f"{path} is a folder or a device; expected a regular file")
    return os.fdopen(descriptor, "rb")


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut, as fsync(2) asks of whoever made or moved a file there."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def os_problem(error: OSError, what: str) -> BatonError:
    """The operating system's refusal as one of Baton's errors: permanent if it stays so until a person acts."""
    reason = error.strerror or str(error)
    if isinstance(error, PermissionError):
        return Failed(f"{what}: {reason}; give the worker's user access")
    if isinstance(error, FileExistsError | NotADirectoryError | IsADirectoryError):
        return Failed(f"{what}: {reason}; move away what is in its place")
    return Unavailable(f"{what}: {reason}")
