"""Files in an instance's state folder: made once, replaced whole, and held by one process at a time."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from baton.model.errors import Invalid, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PRIVATE: Final = 0o600
_PUBLIC: Final = 0o644


def private_folder(path: Path) -> Path:
    """The folder, made with mode 0700 if it was not there.

    Raises:
        Invalid: there is something else, or it can't be made.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Invalid(f"{path} should be a folder, and can't be made one: {error.strerror}") from error
    return path


def create_once(path: Path, make: Callable[[], bytes]) -> bytes:
    """The content of a private file that is made at its first use.

    Several processes may come here at once: the first one's content stays and all of them return it. A reader never
    sees half a file.

    Args:
        path: the file, which gets mode 0600; its folder is made if need be, with mode 0700.
        make: makes the content; called only if the file is not there.
    """
    with contextlib.suppress(FileNotFoundError):
        return path.read_bytes()
    private_folder(path.parent)
    temporary = _written_beside(path, make(), PRIVATE)
    try:
        # Unlike a rename, a link fails when the name is taken.
        path.hardlink_to(temporary)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
    sync_folder(path.parent)
    return path.read_bytes()


def replace(path: Path, content: bytes) -> None:
    """Puts a public file with this content in place of whatever was there; a reader sees the old one or the new."""
    temporary = _written_beside(path, content, _PUBLIC)
    temporary.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Makes sure that files just made in the folder are still there after a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Holds a state folder for this process alone; the lock goes when the process does, however it ends.

    Raises:
        Unavailable: another instance holds it.
        Invalid: it can't be a folder.
    """
    descriptor = os.open(private_folder(folder) / "lock", os.O_RDWR | os.O_CREAT, PRIVATE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        owner = os.pread(descriptor, 32, 0).decode().strip()
        os.close(descriptor)
        raise Unavailable(
            f"the state folder {folder} is in use by another sandbox Sigstore instance (process {owner}); "
            "stop that one, or use another folder"
        ) from error
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _written_beside(path: Path, content: bytes, mode: int) -> Path:
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, mode)
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    return Path(name)
