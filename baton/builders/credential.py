"""The secrets by which a worker acts in outside CI systems, from its own environment."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from baton.model.errors import Invalid, Missing

if TYPE_CHECKING:
    from baton.model.base import EnvName

_LONGEST = 64 * 1024


class NoCredential(Missing):
    """This worker was not given the credential."""


def credential_in(name: EnvName) -> SecretStr:
    """A secret of this worker: the environment variable's value, or what is in the file that ``NAME_FILE`` names.

    A file is read each time, so that whoever renews it need not restart the worker.

    Raises:
        NoCredential: neither is set, or the file can't be read.
        Invalid: it is empty, or no text.
    """
    value = os.environ.get(name)
    path = os.environ.get(f"{name}_FILE")
    if value is None and path is None:
        raise NoCredential(f"this worker has neither {name} nor {name}_FILE in its environment: give it the credential")
    if value is None and path is not None:
        value = _content(Path(path), f"{name}_FILE")
    secret = (value or "").strip()
    if not secret or not secret.isascii():
        raise Invalid(f"the credential in {name} or the file of {name}_FILE is empty, or no plain text")
    return SecretStr(secret)


def _content(path: Path, name: str) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_LONGEST).decode("utf-8", "replace")
    except OSError as error:
        raise NoCredential(f"can't read {path}, which {name} names: {error.strerror}") from error
