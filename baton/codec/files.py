"""Files of secrets: closed to everyone but their owner, from the moment they are there."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from baton.model.errors import Invalid, Missing, Refused
from baton.store.files import os_problem

if TYPE_CHECKING:
    from collections.abc import Iterable

_LARGEST = 64 * 1024


def read_private(file: Path, what: str) -> str:
    """The text of a file of secrets.

    Args:
        file: which.
        what: the secrets in it, for messages, which never repeat any of the text.

    Raises:
        Missing: it is not there, or can't be read.
        Refused: others than its owner may read it, or its owner is another user.
        Invalid: it is too large to be such a file, or no text.
    """
    try:
        with file.open("rb") as stream:
            facts = os.fstat(stream.fileno())
            if os.name == "posix" and (objection := _objection(facts)):
                raise Refused(f"{file} holds {what}, and {objection}: chown it to this user and chmod it to 600")
            content = stream.read(_LARGEST + 1)
    except OSError as error:
        raise Missing(f"the {what} in {file} can't be read: {error.strerror}") from error
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise Invalid(f"{file} holds no {what}: it is no text") from None
    if len(content) > _LARGEST:
        raise Invalid(f"{file} holds no {what}: it is larger than {_LARGEST} bytes")
    return text


def write_lines(file: Path, lines: Iterable[str]) -> None:
    """Write a file of secrets with mode 0600: whole, or not at all.

    Raises:
        BatonError: it can't be written.
    """
    try:
        handle, draft = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.writelines(f"{line}\n" for line in lines)
                stream.flush()
                os.fsync(stream.fileno())
            Path(draft).replace(file)
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise os_problem(error, f"could not write {file}") from error


def _objection(facts: os.stat_result) -> str | None:
    if facts.st_mode & 0o077:
        return f"others than its owner may use it (mode {stat.S_IMODE(facts.st_mode):04o})"
    if facts.st_uid not in (os.geteuid(), 0):
        return f"user {facts.st_uid} owns it, who is not this process's"
    return None
