"""Taking the streams of a project from a calendar that is kept elsewhere."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from baton.cli.exits import ExitCode
from baton.cli.terminal import confirm, plain
from baton.model.errors import Failed
from baton.project.python_releases import read_calendar
from baton.project.read import project_of, read_project
from baton.project.stream_tables import with_streams

if TYPE_CHECKING:
    from pathlib import Path

    from baton.model.version import Stream
    from baton.project.read import Project


@dataclass(frozen=True)
class Manner:
    """How an import goes.

    Attributes:
        check: nothing is written; the exit code says whether there is something to write.
        yes: without asking first.
    """

    check: bool
    yes: bool


def import_python_releases(folder: Path, where: str, manner: Manner) -> ExitCode:
    """Show how the streams of a project differ from the calendar of CPython's releases, and change them.

    Args:
        folder: has release.toml.
        where: the calendar's file or address.
        manner: how it goes.

    Returns:
        `FAILED` if only a check was wanted and release.toml is out of date, else `OK`.

    Raises:
        typer.Exit: the caller thought better of it.
        BatonError: release.toml or the calendar can't be used, or they contradict each other; nothing was written.
    """
    project = read_project(folder)
    calendar = read_calendar(where)
    _tell_unknown(project, calendar)
    old = project.file.read_bytes()
    new = with_streams(old, calendar)
    if new == old:
        typer.echo(f"{project.file}: its streams are as the calendar says", err=True)
        return ExitCode.OK
    project_of(project.file, new)
    typer.echo(_difference(str(project.file), old, new), nl=False)
    if manner.check:
        typer.echo(f"{project.file}: its streams are not as the calendar says; import them", err=True)
        return ExitCode.FAILED
    confirm(f"Write {project.file}?", yes=manner.yes)
    try:
        project.file.write_bytes(new)
    except OSError as error:
        raise Failed(f"{project.file}: can't be written: {error.strerror}") from error
    return ExitCode.OK


def _tell_unknown(project: Project, calendar: tuple[Stream, ...]) -> None:
    known = {stream.name for stream in calendar}
    for name in project.settings.streams:
        if name not in known:
            typer.echo(f"{project.file}: the calendar knows no stream {name}, which stays as it is", err=True)


def _difference(name: str, old: bytes, new: bytes) -> str:
    before, after = (document.decode().splitlines(keepends=True) for document in (old, new))
    return plain("".join(difflib.unified_diff(before, after, fromfile=name, tofile=name)))
