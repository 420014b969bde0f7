"""What kind of archive a file is, by its content and by its name."""

from __future__ import annotations

from enum import Enum


class Packing(Enum):
    """How content is packed; the words are for people."""

    ZIP = "a zip file"
    TAR = "a tar file"
    GZIP = "compressed with gzip"
    XZ = "compressed with xz"
    BZIP2 = "compressed with bzip2"
    ZSTD = "compressed with Zstandard"


HEAD = 512
"""How many bytes at the beginning tell the kind."""

_MAGIC = {
    b"PK\x03\x04": Packing.ZIP,  # APPNOTE 4.3.7, local file header
    b"PK\x05\x06": Packing.ZIP,  # APPNOTE 4.3.16, of an empty one
    b"\x1f\x8b": Packing.GZIP,  # RFC 1952, 2.3.1
    b"\xfd7zXZ\x00": Packing.XZ,  # The .xz File Format 1.2.1, 2.1.1.1
    b"BZh": Packing.BZIP2,
    b"\x28\xb5\x2f\xfd": Packing.ZSTD,  # RFC 8878, 3.1.1
}
_USTAR_AT, _USTAR = 257, b"ustar"  # POSIX.1-2017, pax, "ustar Interchange Format"

_NAMES = {
    ".zip": Packing.ZIP,
    ".whl": Packing.ZIP,
    ".tar": Packing.TAR,
    ".gz": Packing.GZIP,
    ".tgz": Packing.GZIP,
    ".xz": Packing.XZ,
    ".txz": Packing.XZ,
    ".bz2": Packing.BZIP2,
    ".tbz2": Packing.BZIP2,
    ".zst": Packing.ZSTD,
}
_TAR_NAMES = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tbz2", ".tar.zst")


def packing_of(head: bytes) -> Packing | None:
    """The kind that a file's first bytes show, or None for anything else, such as an executable."""
    if head[_USTAR_AT:].startswith(_USTAR):
        return Packing.TAR
    return next((packing for magic, packing in _MAGIC.items() if head.startswith(magic)), None)


def promised_by(name: str) -> Packing | None:
    """The kind that a file's name promises, or None."""
    return next((packing for ending, packing in _NAMES.items() if name.lower().endswith(ending)), None)


def promises_tar(name: str) -> bool:
    """Whether a file's name promises a tar file, packed or not."""
    return name.lower().endswith(_TAR_NAMES)
