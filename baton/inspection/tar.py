"""Read tar files from beginning to end, without trust in what they say of themselves."""

from __future__ import annotations

import tarfile
from typing import TYPE_CHECKING, Protocol

from baton.inspection.reading import Kind, Member, Reading, TooMuch

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK = 64 * 1024
_HEADER = 32 * 1024
"""The most bytes that a member's header may have with all its extensions: these are read into memory."""

_GLOBAL = 64
"""How many keywords of global headers there may be; they are remembered to the end."""


class Unpacked(Protocol):
    """Where unpacked bytes come from."""

    def read(self, size: int, /) -> bytes:
        """The next bytes, at most so many; none at the end."""


class Forward:
    """A stream that can only go forward, counts what comes out, and holds little of it.

    It is a file for :class:`tarfile.TarFile`, which skips members by seeking. A header that sends it backwards, or that
    is longer than any real one, ends the reading.

    Attributes:
        last: what was read last.
    """

    def __init__(self, source: Unpacked, reading: Reading) -> None:
        """Read from an unpacked source."""
        self._source = source
        self._reading = reading
        self._at = 0
        self._header = _HEADER
        self.last = b""

    def next_header(self) -> None:
        """From here on the next member's header is read."""
        self._header = _HEADER

    def read(self, size: int) -> bytes:
        """The next bytes; fewer only at the end."""
        self._header -= size
        if self._header < 0:
            raise tarfile.ReadError(f"a header is longer than {_HEADER} bytes")
        content = b""
        while len(content) < size and (more := self._next(size - len(content))):
            content += more
        self.last = content
        return content

    def seek(self, position: int) -> None:
        """Skip forward."""
        if position < self._at:
            raise tarfile.ReadError("a header leads backwards")
        while self._at < position and self._next(min(_CHUNK, position - self._at)):
            pass

    def tell(self) -> int:
        """How many bytes have come out."""
        return self._at

    def rest_is_padding(self) -> bool:
        """Go to the end; whether nothing but zeros was left."""
        while more := self._next(_CHUNK):
            if more.strip(b"\0"):
                return False
        return True

    def _next(self, size: int) -> bytes:
        content = self._source.read(size)
        self._at += len(content)
        self._reading.count(len(content))
        return content


def is_tar(head: bytes) -> bool:
    """Whether these first 512 bytes begin a tar file that is not empty."""
    try:
        tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def read_tar(source: Unpacked, reading: Reading) -> Iterator[str]:
    """Read all of a tar file; gives what is wrong with :attr:`Reading.member`.

    Raises:
        TooMuch: it holds more than the limits allow.
        Exception: whatever the parser raises on what is no tar file.
    """
    stream = Forward(source, reading)
    # tarfile asks for a file object, of which it uses these three methods.
    with tarfile.TarFile(fileobj=stream, mode="r", encoding="utf-8") as archive:  # type: ignore[arg-type]
        while (info := archive.next()) is not None:
            # tarfile remembers every member, which is memory that nobody needs here. The stubs lack the list.
            archive.members.clear()  # type: ignore[attr-defined]
            if len(archive.pax_headers) > _GLOBAL:
                raise TooMuch(f"has more than {_GLOBAL} keywords in its global headers")
            yield from reading.enter(_member(info))
            if info.issparse():
                # Its holes come out of nowhere.
                reading.count(info.size)
            stream.next_header()
    reading.member = ""
    if not reading.entries:
        yield "holds nothing"
    if stream.last != b"\0" * tarfile.BLOCKSIZE or not stream.rest_is_padding():
        yield "is cut off or damaged: what follows the last readable member is not the end of a tar file"


def _member(info: tarfile.TarInfo) -> Member:
    if info.issym():
        return Member(info.name, Kind.LINK, info.linkname)
    if info.islnk():
        return Member(info.name, Kind.HARD_LINK, info.linkname)
    if info.isdir():
        return Member(info.name, Kind.FOLDER)
    return Member(info.name, Kind.FILE if info.isreg() else Kind.OTHER)
