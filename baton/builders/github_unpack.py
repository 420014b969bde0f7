"""Take files out of an artifact, which is a zip file that anyone with access to the workflow could have made."""

from __future__ import annotations

import shutil
import stat
import zipfile
from typing import TYPE_CHECKING

from baton.inspection import inspect_archive
from baton.model.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from baton.builders.outside import Intake
    from baton.model.manifest import Artifact

_SHOWN = 3


def unpack(archive: Path, wanted: Iterable[str], intake: Intake, *, what: str) -> list[Artifact]:
    """Put those files of a zip file into the store that have one of these names, in whatever folder they are.

    Args:
        archive: the zip file.
        wanted: the names.
        intake: where to, and what an archive may hold.
        what: the archive in words, for messages.

    Raises:
        Refused: it is no zip file, or not safe to open, or holds something with a name twice or that is no file.
    """
    findings = inspect_archive(archive, intake.limits)
    if findings is None:
        raise Refused(f"{what} is no zip file, as which GitHub sent it")
    if findings:
        raise Refused(f"{what} is not safe to open: {'; '.join(map(str, findings[:_SHOWN]))}")
    taken: dict[str, Artifact] = {}
    names = set(wanted)
    with zipfile.ZipFile(archive) as opened:
        for member in opened.infolist():
            name = member.filename.rpartition("/")[2]
            if name not in names:
                continue
            if name in taken:
                raise Refused(f"{what} holds {name} more than once: let it hold each of the step's files once")
            if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG):
                raise Refused(f"{what} holds {name}, which is a link or no file; expected a regular file")
            taken[name] = _take(opened, member, archive.with_name(name), intake)
    return list(taken.values())


def _take(archive: zipfile.ZipFile, member: zipfile.ZipInfo, file: Path, intake: Intake) -> Artifact:
    intake.progress(f"takes in {file.name}")
    with archive.open(member) as packed, file.open("xb") as unpacked:
        shutil.copyfileobj(packed, unpacked, 1024**2)
    try:
        return intake.store.put_file(file)
    finally:
        file.unlink()
