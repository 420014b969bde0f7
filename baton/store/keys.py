"""What content and names are kept under. Whatever becomes part of a path or key is checked here first."""

from __future__ import annotations

import re
from hashlib import sha256

from pydantic import TypeAdapter, ValidationError

from baton.model.base import Digest
from baton.model.errors import Invalid

_DIGEST: TypeAdapter[str] = TypeAdapter(Digest)
_SEGMENT = r"[A-Za-z0-9][A-Za-z0-9._+!-]{0,199}"
_NAME = re.compile(rf"{_SEGMENT}(/{_SEGMENT}){{0,15}}")


def is_digest(text: str) -> bool:
    """Whether the text has a digest's form."""
    try:
        _DIGEST.validate_python(text)
    except ValidationError:
        return False
    return True


def hex_of(digest: Digest) -> str:
    """The 64 hexadecimal digits of a digest.

    Raises:
        Invalid: it does not have a digest's form.
    """
    if not is_digest(digest):
        raise Invalid(f"{digest!r} is no digest; expected sha256: and 64 lower-case hexadecimal digits")
    return digest.removeprefix("sha256:")


def key_of_name(name: str) -> str:
    """The key of a name's record: its SHA-256, so that no length, case or nesting of names can make two meet.

    Raises:
        Invalid: the name does not have its form.
    """
    if not _NAME.fullmatch(name):
        raise Invalid(
            f"{name!r} can't be remembered; expected 1 to 16 segments between '/', each at most 200 letters, digits, "
            "'.', '_', '+', '!', '-', beginning with a letter or digit"
        )
    return sha256(name.encode()).hexdigest()
