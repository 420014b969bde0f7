"""What pages are made of: indented parts under headings, columns without lines, and lists of files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from rich.console import Group
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from baton.cli.units import size
from baton.model.base import short

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from baton.model.manifest import Artifact

_REHEARSAL = "SANDBOX REHEARSAL: signatures prove nothing, nothing becomes public."
_UNSIGNED = "SANDBOX REHEARSAL: signatures prove nothing, sign-offs count UNSIGNED, nothing becomes public."


class Rehearsed(Protocol):
    """What can tell whether it is of a rehearsal: a plan, a status."""

    @property
    def sandbox(self) -> bool:
        """Whether it is one."""

    @property
    def unsigned_acts(self) -> bool:
        """Whether acts count there that nothing proves."""


def rehearsal_notice(of: Rehearsed) -> Iterator[RenderableType]:
    """What is to be seen before anything else of a release that is a rehearsal; nothing of a real one."""
    if of.sandbox:
        text = _UNSIGNED if of.unsigned_acts else _REHEARSAL
        yield Panel(Text(text, "bold yellow"), border_style="yellow", expand=False)


def block(heading: str, body: RenderableType) -> RenderableType:
    """A part of a page: an empty line, its heading if it has one, and its body indented."""
    title = [Text(""), Text(heading, "bold")] if heading else [Text("")]
    return Group(*title, indented(body))


def indented(body: RenderableType) -> RenderableType:
    """Something that belongs to the line above it."""
    return Padding(body, (0, 0, 0, 2), expand=False)


def columns(*, right: tuple[int, ...] = ()) -> Table:
    """A table without lines: the eye needs no boxes.

    Args:
        right: the columns, counted from zero, whose cells are numbers.
    """
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    for column in range(max(right, default=-1) + 1):
        table.add_column(justify="right" if column in right else "left")
    return table


def files_table(files: tuple[Artifact, ...], count: int) -> Table:
    """Files with their sizes and the beginnings of their digests.

    Args:
        files: the first of them.
        count: how many there are.
    """
    table = columns(right=(1,))
    for file in files:
        table.add_row(file.name, size(file.size), Text(short(file.digest), "dim"))
    if count > len(files):
        table.add_row(Text(f"… and {count - len(files)} more", "dim"))
    return table


def count_of(number: int, thing: str) -> str:
    """A number of things: ``1 file``, ``3 files``."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
