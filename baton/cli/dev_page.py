"""The local world on one page: its servers and workers, its releases, and what happened last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from rich.console import Group
from rich.text import Text

from baton.cli.layout import block, columns
from baton.cli.list_page import all_page, waiting_page
from baton.sandbox.children import Health
from baton.sandbox.servers import SERVERS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from rich.console import RenderableType

    from baton.cli.listing import Item
    from baton.cli.place import Place
    from baton.sandbox.children import ChildStatus, Event
    from baton.sandbox.embedded import EmbeddedWorld

_MARKS = {
    Health.STARTING: ("…", "cyan"),
    Health.READY: ("✓", "green"),
    Health.FAILED: ("✗", "bold red"),
    Health.HELD: ("-", "yellow"),
    Health.ENDED: ("·", "dim"),
}
_LAST = 6


@dataclass(frozen=True)
class Sight:
    """A world at one moment.

    Attributes:
        state: its folder.
        logs: the folder with a log of each server and worker.
        place: how commands find it; None until it is up.
        items: every release; None where Temporal has not told yet.
        trouble: why the releases are not known, or not up to date.
    """

    state: Path
    logs: Path
    children: Sequence[ChildStatus]
    events: Sequence[Event]
    place: Place | None = None
    items: Sequence[Item] | None = None
    trouble: str | None = None

    @classmethod
    def of(
        cls,
        world: EmbeddedWorld,
        *,
        place: Place | None = None,
        items: Sequence[Item] | None = None,
        trouble: str | None = None,
    ) -> Self:
        """A world as it is now."""
        return cls(
            state=world.state.folder,
            logs=world.state.logs,
            children=world.statuses(),
            events=world.events(),
            place=place,
            items=items,
            trouble=trouble,
        )


def dev_page(sight: Sight, *, now: datetime) -> RenderableType:
    """Render a world.

    Args:
        sight: what is there.
        now: the time from which ages count.
    """
    title = Text.assemble(
        ("Baton's local world", "bold"), f" in {sight.state}, for development only: it proves nothing"
    )
    parts: list[RenderableType] = [title, block("Servers", _servers(sight)), block("Workers", _workers(sight))]
    parts.append(block("Releases under way", _releases(sight, now)))
    parts.append(block("What happened last", _events(sight.events)))
    parts.append(Text(f"\nLogs: {sight.logs}", "dim"))
    parts.append(Text("Ctrl-C ends it. Releases under way go on when it is started again.", "dim"))
    return Group(*parts)


def event_line(event: Event) -> str:
    """One event in one line, with the time of day where the reader is."""
    return f"{event.at.astimezone():%H:%M:%S}  {event.who}: {event.what}"


def _servers(sight: Sight) -> RenderableType:
    table = columns()
    for status in sight.children:
        if status.child.name in SERVERS:
            table.add_row(_mark(status), status.child.name, status.child.purpose, _process(status))
    return table


def _workers(sight: Sight) -> RenderableType:
    line = Text()
    for status in sight.children:
        if status.child.name in SERVERS:
            continue
        if line:
            line.append("   ")
        line.append_text(_mark(status)).append(f" {status.child.name}")
        if status.exits:
            line.append(f" (ended {status.exits} times)", "bold red")
    return line or Text("none yet", "dim")


def _mark(status: ChildStatus) -> Text:
    mark, style = _MARKS[status.health]
    return Text(mark, style)


def _process(status: ChildStatus) -> Text:
    if status.pid is None:
        return Text(status.health, _MARKS[status.health][1])
    return Text(f"process {status.pid}", "dim")


def _releases(sight: Sight, now: datetime) -> RenderableType:
    parts: list[RenderableType] = []
    if sight.trouble is not None:
        parts.append(Text(f"! {sight.trouble}", "bold red"))
    if sight.items is not None and sight.place is not None:
        running = [item for item in sight.items if item.running]
        working = [item for item in running if not item.waiting_for]
        waiting = [item for item in running if item.waiting_for]
        if working:
            parts.append(all_page(working))
        if waiting:
            parts.append(waiting_page(waiting, now=now, command=sight.place.command))
        if not running:
            parts.append(Text("none", "dim"))
    return Group(*parts)


def _events(events: Sequence[Event]) -> RenderableType:
    return Text("\n".join(event_line(event) for event in events[-_LAST:]), no_wrap=True, overflow="ellipsis")
