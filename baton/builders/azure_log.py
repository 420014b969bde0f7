"""Taking in what a run of Azure Pipelines said."""

from __future__ import annotations

import re
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from baton.builders.log import tail
from baton.model.errors import Failed, Missing, Unavailable

if TYPE_CHECKING:
    from baton.builders.azure_answers import Record
    from baton.builders.azure_api import AzureApi
    from baton.builders.outside import Intake
    from baton.model.base import Digest
    from baton.model.outside import OutsideRun

_LARGEST = 256 * 1024**2
"""Bytes of a log that are read; what comes after them is left out."""

_CHUNK = 64 * 1024

_TIME = re.compile(r"^\ufeff?[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z ", re.MULTILINE)
"""What Azure puts before each line."""


def keep_log(api: AzureApi, run: OutsideRun, intake: Intake) -> Digest | None:
    """Put the logs of all tasks of a run into the store, one after the other as one text.

    Returns:
        Its digest, or None if Azure has no log of it any more.

    Raises:
        Unavailable: they could not be read to their end.
    """
    with tempfile.TemporaryDirectory(dir=intake.scratch, prefix="azure-log-", ignore_cleanup_errors=True) as own:
        packed, text = Path(own) / "logs.zip", Path(own) / f"run-{run.id}.log"
        try:
            _save(api, f"build/builds/{run.id}/logs", packed, accept="application/zip")
        except Missing:
            return None
        try:
            _unpack(packed, text)
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise Unavailable(f"the logs of run {run.id} did not come as a whole zip file: {error}") from error
        return intake.store.put_file(text).digest


def last_words(api: AzureApi, run: OutsideRun, record: Record, intake: Intake) -> str:
    """The last lines of what one record of a run said, or nothing if there is no log of it."""
    if record.log is None:
        return ""
    with tempfile.TemporaryDirectory(dir=intake.scratch, prefix="azure-log-", ignore_cleanup_errors=True) as own:
        log = Path(own) / "log"
        try:
            _save(api, f"build/builds/{run.id}/logs/{record.log.id}", log, accept="text/plain")
        except Missing:
            return ""
        return _TIME.sub("", tail(log))


def _save(api: AzureApi, path: str, to: Path, *, accept: str) -> None:
    size = 0
    with api.stream(path, accept) as response, to.open("xb") as file:
        for chunk in response.iter_bytes(_CHUNK):
            size += file.write(chunk)
            if size > _LARGEST:
                raise Failed(f"{path} is longer than {_LARGEST} bytes: no log that a person reads")


def _unpack(packed: Path, text: Path) -> None:
    """Write all members behind each other, each under its name; nothing is unpacked under a name from the archive."""
    size = 0
    with zipfile.ZipFile(packed) as archive, text.open("wb") as file:
        for member in archive.infolist():
            if member.is_dir():
                continue
            file.write(f"===== {member.filename!a}\n".encode())
            with archive.open(member) as content:
                while size < _LARGEST and (chunk := content.read(_CHUNK)):
                    size += file.write(chunk)
