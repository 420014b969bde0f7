"""The end of a log, fit to be shown to a person."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_LINES = 12
_BYTES = 8192
_CHARACTERS = 1200
"""A message holds 2000 characters, of which the facts before the log need some."""

_ESCAPE = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|.)", re.DOTALL)
"""A terminal control sequence: ECMA-48, sections 5.4 (CSI) and 8.3.89 (OSC)."""

_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def tail(log: Path, *, since: int = 0) -> str:
    """The last lines of a log file that say something, without colours and overwritten progress bars.

    At most 12 lines and 1200 characters, whatever the log's size.

    Args:
        log: the file.
        since: the position in bytes before which nothing is of interest.
    """
    with log.open("rb") as file:
        file.seek(max(since, file.seek(0, 2) - _BYTES))
        text = file.read().decode("utf-8", "replace")
    lines = (_UNPRINTABLE.sub("", _as_seen(line)).rstrip() for line in _ESCAPE.sub("", text).split("\n"))
    return "\n".join([line for line in lines if line][-_LINES:])[-_CHARACTERS:]


def _as_seen(line: str) -> str:
    """What a terminal shows of a line in which carriage returns went back to its beginning."""
    return line.rstrip("\r").rpartition("\r")[2]
