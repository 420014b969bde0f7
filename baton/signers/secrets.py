"""Secrets that a worker reads from files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import SecretStr

from baton.model.errors import Invalid, Missing

if TYPE_CHECKING:
    from pathlib import Path

_LONGEST = 64 * 1024


def read_secret(path: Path, setting: str) -> SecretStr:
    """The first line of a file.

    Args:
        path: the file.
        setting: the environment variable that names it, for the message.

    Raises:
        Missing: it can't be read.
        Invalid: its first line is empty, or no text.
    """
    try:
        with path.open("rb") as file:
            line = file.readline(_LONGEST).rstrip(b"\r\n").decode()
    except OSError as error:
        raise Missing(f"can't read {path}, which {setting} names: {error.strerror}") from error
    except UnicodeDecodeError:
        # The cause would carry the secret's bytes.
        raise Invalid(f"{path}, which {setting} names, does not begin with a line of UTF-8 text") from None
    if not line:
        raise Invalid(f"{path}, which {setting} names, begins with an empty line; expected the secret there")
    return SecretStr(line)
