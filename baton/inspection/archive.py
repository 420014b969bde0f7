"""Look into one file, if it is an archive, before anyone unpacks it. Nothing is unpacked to disk."""

from __future__ import annotations

import bz2
import errno
import gzip
import lzma
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO

from baton.inspection.kinds import HEAD, Packing, packing_of, promised_by, promises_tar
from baton.inspection.reading import Reading, TooMuch
from baton.inspection.result import Finding
from baton.inspection.tar import is_tar, read_tar
from baton.inspection.zip import read_zip
from baton.model.errors import Unavailable
from baton.store.files import open_regular

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from baton.inspection.tar import Unpacked
    from baton.model.plan import ArchiveLimits

_ENOUGH = 20
"""After so many findings in one archive, more would help nobody."""

_CHUNK = 64 * 1024


def inspect_archive(path: Path, limits: ArchiveLimits) -> list[Finding] | None:
    """Read an archive to its end, in little memory, and say what makes it unfit to be opened by anyone.

    Archives are known by their content: zip (wheels too), and tar with or without gzip, xz or bzip2. Of a single
    compressed file only the size is checked. A name that promises what the content is not is a finding.

    Args:
        path: a regular file.
        limits: what the archive may hold.

    Returns:
        What was found, nothing if it is fine; None if the file is no archive and does not say it is one.

    Raises:
        Missing: there is no such file.
        Invalid: it is not a regular file.
        Unavailable: it can't be read just now.
    """
    with open_regular(path) as file:
        head = file.read(HEAD)
        file.seek(0)
        packing, promised = packing_of(head), promised_by(path.name)
        if packing is None and promised is Packing.TAR and is_tar(head):
            packing = Packing.TAR  # one from before POSIX has no magic
        if packing is None and promised is None:
            return None
        if packing is None or promised not in (None, packing):
            return [Finding(path.name, _broken_promise(packing, promised, head))]
        return list(islice(_findings(path, file, packing, limits), _ENOUGH))


def _findings(path: Path, file: BinaryIO, packing: Packing, limits: ArchiveLimits) -> Iterator[Finding]:
    reading = Reading(limits, packed=path.stat().st_size)
    try:
        for problem in _problems(file, packing, reading, must_be_tar=promises_tar(path.name)):
            yield Finding(path.name, problem, reading.member)
    except TooMuch as error:
        yield Finding(path.name, str(error), reading.member)
    except Exception as error:  # parsers raise anything on hostile bytes, and all of it is a finding
        # An offset in the archive that no file can have is EINVAL, and the archive's fault.
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise Unavailable(f"could not read {path}: {error.strerror}") from error
        words = str(error)[:200] or type(error).__name__
        yield Finding(path.name, f"is cut off or damaged: {words}", reading.member)


def _problems(file: BinaryIO, packing: Packing, reading: Reading, *, must_be_tar: bool) -> Iterator[str]:
    if packing is Packing.ZSTD:
        yield "is compressed with Zstandard, into which this version can't look: use gzip, xz, bzip2 or zip"
    elif packing is Packing.ZIP:
        yield from read_zip(file, reading)
    elif packing is Packing.TAR:
        yield from read_tar(file, reading)
    elif must_be_tar or is_tar(_open(file, packing).read(HEAD)):
        file.seek(0)
        yield from read_tar(_open(file, packing), reading)
    else:
        file.seek(0)
        content = _open(file, packing)
        while chunk := content.read(_CHUNK):
            reading.count(len(chunk))


def _open(file: BinaryIO, packing: Packing) -> Unpacked:
    match packing:
        case Packing.XZ:
            return lzma.open(file)
        case Packing.BZIP2:
            return bz2.open(file)
        case _:
            return gzip.open(file)


def _broken_promise(packing: Packing | None, promised: Packing | None, head: bytes) -> str:
    came = f"is {packing.value}" if packing else f"begins with {head[:8].hex(' ') or 'nothing'}"
    return f"its name says it is {promised.value if promised else 'no archive'}, but it {came}"
