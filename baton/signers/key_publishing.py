"""The public half of a key as files: an armoured key block, and a Web Key Directory that a web server can serve.

The directory follows draft-koch-openpgp-webkey-service-21, section 3.1: a file for each address, named by its local
part, with the key in binary, and a policy file, which may be empty. One tree serves both methods: clients first ask the
host ``openpgpkey.DOMAIN`` for ``/.well-known/openpgpkey/DOMAIN/hu/…``, and where that host does not exist the host
``DOMAIN`` for ``/.well-known/openpgpkey/hu/…``.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PUBLIC_KEY = "team-key.asc"
_DIRECTORY = ".well-known/openpgpkey"
_Z_BASE_32 = "ybndrfg8ejkmcpqxot1uwisza345h769"
"""RFC 6189, section 5.1.6."""
_ADDRESS = re.compile(r"<([^<>@\s]+)@([A-Za-z0-9.-]+)>\s*$")
_LOWER = {capital: capital + 32 for capital in range(ord("A"), ord("Z") + 1)}


@dataclass(frozen=True)
class WebKey:
    """Where a Web Key Directory has the key of an address.

    Attributes:
        local: what stands before the ``@``.
        domain: what stands after it, in lower case.
    """

    local: str
    domain: str

    @classmethod
    def of(cls, user_id: str) -> WebKey | None:
        """The address at the end of a user id, ``Name <local@domain>``; None if it has none."""
        found = _ADDRESS.search(user_id)
        return None if found is None else cls(found[1], found[2].lower())

    @property
    def name(self) -> str:
        """The file's name: the local part, its ASCII capitals lowered, as SHA-1 in Z-Base-32."""
        digest = hashlib.sha1(self.local.translate(_LOWER).encode(), usedforsecurity=False).digest()
        bits = int.from_bytes(digest, "big")
        return "".join(_Z_BASE_32[bits >> shift & 31] for shift in range(155, -5, -5))

    @property
    def urls(self) -> tuple[str, str]:
        """Where clients look: by the advanced method, and by the direct one."""
        asked = f"hu/{self.name}?l={quote(self.local)}"
        return (
            f"https://openpgpkey.{self.domain}/{_DIRECTORY}/{self.domain}/{asked}",
            f"https://{self.domain}/{_DIRECTORY}/{asked}",
        )


def public_files(armoured: bytes, binary: bytes, addresses: tuple[WebKey, ...]) -> dict[str, bytes]:
    """Every file to publish, by its path under the web server's root.

    Args:
        armoured: the key's block in ASCII armour.
        binary: the same without.
        addresses: of its user ids.
    """
    files = {PUBLIC_KEY: armoured}
    for address in addresses:
        for folder in (_DIRECTORY, f"{_DIRECTORY}/{address.domain}"):
            files[f"{folder}/hu/{address.name}"] = binary
            files[f"{folder}/policy"] = b""
    return files


def write_files(folder: Path, files: Mapping[str, bytes], *, mode: int) -> list[Path]:
    """Write files with this mode whatever the umask, each whole or not at all, and return their paths."""
    written = []
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        try:
            with os.fdopen(descriptor, "wb") as file:
                os.fchmod(file.fileno(), mode)
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        written.append(path)
    return written
