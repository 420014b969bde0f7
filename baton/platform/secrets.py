"""What a worker's environment names: secrets, and the files with keys."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from baton.model.errors import Invalid, Missing

if TYPE_CHECKING:
    from baton.model.base import EnvName

_LONGEST = 64 * 1024


def named_file(variable: EnvName) -> Path:
    """The file that an environment variable names.

    Raises:
        Missing: the variable is not set, or there is no such file.
    """
    value = os.environ.get(variable, "")
    if not value:
        raise Missing(f"{variable} is not set: let it name this worker's file")
    path = Path(value).absolute()
    if not path.is_file():
        raise Missing(f"{variable} names {path}, which is not there, or is no file")
    return path


def secret(variable: EnvName) -> SecretStr:
    """A whole secret: the variable's value, or the content of the file that ``VARIABLE_FILE`` names, without its edges.

    Raises:
        Missing: neither is set, or the file can't be read.
        Invalid: it is empty, or no text.
    """
    value = os.environ.get(variable)
    if value is None and f"{variable}_FILE" not in os.environ:
        raise Missing(f"this worker has neither {variable} nor {variable}_FILE in its environment: give it the secret")
    text = (_content(named_file(f"{variable}_FILE")) if value is None else value).strip()
    if not text:
        raise Invalid(f"the secret in {variable}, or in the file of {variable}_FILE, is empty or no text")
    return SecretStr(text)


def passphrase(variable: EnvName) -> SecretStr:
    """The first line of a :func:`secret`; it raises the same."""
    return SecretStr(secret(variable).get_secret_value().splitlines()[0])


def _content(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_LONGEST).decode()
    except OSError as error:
        raise Missing(f"can't read {path}: {error.strerror}") from error
    except UnicodeDecodeError:
        # The cause would carry the secret's bytes.
        return ""
