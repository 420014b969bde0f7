"""What Authenticode signs of a Portable Executable, and where the signature is.

From "PE Format" (https://learn.microsoft.com/windows/win32/debug/pe-format), "The Attribute Certificate Table" and
"Appendix A: Calculating Authenticode PE Image Hash".
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import pkcs7

from baton.model.errors import Invalid

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography import x509

_CERTIFICATES = 4
"""The certificate table's number among the data directories."""

_DIRECTORIES = {0x10B: 96, 0x20B: 112}
"""For PE32 and PE32+, where in the optional header the data directories begin."""

_CHECKSUM = 64
"""Where in the optional header the checksum is, in both formats."""

_ALIGNED = 8
_PKCS_SIGNED_DATA = 2


@dataclass(frozen=True)
class Portable:
    """A Portable Executable.

    Attributes:
        digest: the SHA-256 that an Authenticode signature covers, as hexadecimal digits. It leaves out the checksum,
            the entry for the certificate table, and that table: signing changes nothing else.
        certificates: the certificate table's content, which is empty in a file without a signature.
    """

    digest: str
    certificates: bytes

    @property
    def signed(self) -> bool:
        """Whether it carries any signature, good or bad."""
        return bool(self.certificates)

    def embedded(self) -> list[x509.Certificate]:
        """The certificates that come with its signatures.

        Raises:
            Invalid: a signature can't be read.
        """
        found, rest = [], self.certificates
        while rest:
            if len(rest) < _ALIGNED:
                raise Invalid("the certificate table ends within an entry")
            length, _revision, kind = struct.unpack_from("<IHH", rest)
            if not _ALIGNED < length <= len(rest) or kind != _PKCS_SIGNED_DATA:
                raise Invalid(f"the certificate table has an entry of {length} bytes and type {kind}; expected PKCS #7")
            try:
                found += pkcs7.load_der_pkcs7_certificates(_der(rest[_ALIGNED:length]))
            except ValueError as error:
                raise Invalid(f"the signature is no PKCS #7 that can be read: {error}") from error
            rest = rest[-(-length // _ALIGNED) * _ALIGNED :]
        return found


def read_portable(path: Path) -> Portable:
    """Read a Portable Executable.

    Raises:
        Invalid: it is none, or its headers lead out of it.
    """
    content = path.read_bytes()
    try:
        checksum, entry = _places(content, path.name)
        start, size = struct.unpack_from("<II", content, entry)
    except struct.error:
        raise Invalid(f"{path.name} is no Portable Executable: its headers are cut off") from None
    end = start if size else len(content)
    if size and (start + size != len(content) or start < entry + _ALIGNED):
        raise Invalid(f"the certificate table of {path.name} is not its end, so part of the file would not be signed")
    hasher = hashlib.sha256(content[:checksum])
    hasher.update(content[checksum + 4 : entry])
    hasher.update(content[entry + 8 : end])
    hasher.update(bytes(-end % _ALIGNED))
    return Portable(hasher.hexdigest(), content[start:] if size else b"")


def _der(padded: bytes) -> bytes:
    """A DER element without the zeros that fill its entry up."""
    size, long = padded[1], 0
    if size & 0x80:
        long = size & 0x7F
        size = int.from_bytes(padded[2 : 2 + long], "big")
    element, rest = padded[: 2 + long + size], padded[2 + long + size :]
    return padded if rest.strip(b"\0") else element


def _places(content: bytes, name: str) -> tuple[int, int]:
    """Where the checksum and the certificate table's entry are."""
    if content[:2] != b"MZ":
        raise Invalid(f"{name} is no Portable Executable; expected that it begins with MZ, as .exe, .dll and .pyd do")
    (header,) = struct.unpack_from("<I", content, 0x3C)
    optional = header + 24
    (magic,) = struct.unpack_from("<H", content, optional)
    if content[header : header + 4] != b"PE\0\0" or magic not in _DIRECTORIES:
        raise Invalid(f"{name} is no Portable Executable of 32 or 64 bits")
    directories = optional + _DIRECTORIES[magic]
    (count,) = struct.unpack_from("<I", content, directories - 4)
    if count <= _CERTIFICATES:
        raise Invalid(f"{name} has no room for a signature in its headers")
    return optional + _CHECKSUM, directories + 8 * _CERTIFICATES
