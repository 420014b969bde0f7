"""Read zip files to the last byte, without trust in what they say of themselves."""

from __future__ import annotations

import copy
import stat
import zipfile
from typing import TYPE_CHECKING, BinaryIO

from baton.inspection.reading import Kind, Member, Reading, TooMuch

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK = 64 * 1024
_ENTRY = 128
"""Bytes that an entry has in the directory on average; the directory is the one part that is read into memory."""

_ENCRYPTED = 0x2041
"""APPNOTE 4.4.4: bit 0, encrypted; bit 6, strong encryption; bit 13, the directory's values are masked."""

_END = 128 * 1024
"""Bytes, more than the end of a zip file can have with the longest comment (APPNOTE 4.3.16)."""

_LINK_TARGET = 4096
"""The longest path on common systems, in bytes."""

_UNIX = 3
"""APPNOTE 4.4.2.2: the mode is that of Unix."""


class _Careful:
    """A file that refuses to be read into memory in huge pieces."""

    def __init__(self, file: BinaryIO, limit: int) -> None:
        self._file = file
        self._limit = limit
        self.seek = file.seek
        self.tell = file.tell
        self.seekable = file.seekable

    def read(self, size: int = -1) -> bytes:
        # "All of it" is asked for at the end only, where a comment may be.
        limit = self._limit if size >= 0 else _END
        content = self._file.read(limit + 1 if size < 0 else min(size, limit + 1))
        if len(content) > limit:
            raise TooMuch(f"has a directory or comment of more than {limit} bytes")
        return content


def read_zip(file: BinaryIO, reading: Reading) -> Iterator[str]:
    """Read all of a zip file; gives what is wrong with :attr:`Reading.member`.

    Raises:
        TooMuch: it holds more than the limits allow.
        Exception: whatever the parser raises on what is no zip file.
    """
    careful = _Careful(file, max(_CHUNK, _ENTRY * reading.limits.entries))
    with zipfile.ZipFile(careful) as archive:
        for info in archive.infolist():
            yield from _read_member(archive, info, reading)
    reading.member = ""
    if not reading.entries:
        yield "holds nothing"


def _read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, reading: Reading) -> Iterator[str]:
    kind = _kind(info)
    reading.member = info.orig_filename
    if info.flag_bits & _ENCRYPTED:
        yield "is encrypted: nobody can check it"
        yield from reading.enter(Member(info.orig_filename, Kind.FILE))
        return
    size, beginning = _read_content(archive, info, reading)
    if size != info.file_size:
        yield f"unpacks to {size} bytes; its directory entry says {info.file_size}"
    yield from reading.enter(Member(info.orig_filename, kind, beginning.decode("utf-8", "replace")))


def _read_content(archive: zipfile.ZipFile, info: zipfile.ZipInfo, reading: Reading) -> tuple[int, bytes]:
    """A member's real size and its beginning, which is all of a link's target; its checksum is checked."""
    # zipfile believes the size that the directory gives and stops there; other programs unpack all there is.
    whole = copy.copy(info)
    whole.file_size = reading.limits.unpacked_bytes + 1
    size, beginning = 0, b""
    with archive.open(whole) as content:
        while chunk := content.read(_CHUNK):
            reading.count(len(chunk))
            size += len(chunk)
            beginning = beginning or chunk[:_LINK_TARGET]
    return size, beginning


def _kind(info: zipfile.ZipInfo) -> Kind:
    mode = stat.S_IFMT(info.external_attr >> 16) if info.create_system == _UNIX else 0
    if info.orig_filename.endswith("/") or mode == stat.S_IFDIR:
        return Kind.FOLDER
    return {0: Kind.FILE, stat.S_IFREG: Kind.FILE, stat.S_IFLNK: Kind.LINK}.get(mode, Kind.OTHER)
