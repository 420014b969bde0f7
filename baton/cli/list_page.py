"""Releases as a list on a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from baton.cli.layout import columns, indented
from baton.cli.terminal import plain
from baton.cli.units import age, moment
from baton.model.status import WaitKind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from rich.console import RenderableType

    from baton.cli.listing import Item


def waiting_page(items: Sequence[Item], *, now: datetime, command: Callable[[str], str] = str) -> RenderableType:
    """Render what waits, and for whom.

    Args:
        items: the releases that wait.
        now: the time from which ages count.
        command: adds to a command what makes it look at the same place.
    """
    if not items:
        return Text("Nothing waits for anyone.", "dim")
    parts: list[RenderableType] = []
    for item in items:
        if parts:
            parts.append(Text(""))
        parts.append(Text.assemble((str(item.release), "bold"), f"   phase {item.phase or 'unknown'}"))
        parts.append(indented(_waits(item, now, command)))
    return Group(*parts)


def _waits(item: Item, now: datetime, command: Callable[[str], str]) -> RenderableType:
    lines: list[RenderableType] = []
    if item.waiting is None:
        lines.append(Text(f"waits for {', '.join(item.waiting_for)}, from any {' or '.join(item.waiting_on)}"))
        lines.append(Text("it does not answer: is a worker up?", "yellow"))
    for waiting in item.waiting or ():
        kind = "sign-off" if waiting.kind is WaitKind.SIGN_OFF else "decision"
        who = ", ".join(waiting.people) or "nobody on the roster"
        lines.append(
            Text.assemble(
                (f"{kind} {waiting.what}", "yellow"), f" since {age(now - waiting.since)}, from ", (who, "bold")
            )
        )
        lines.append(Text(plain(waiting.why).partition("\n")[0], "dim", no_wrap=True, overflow="ellipsis"))
    named = f"{item.release.project}/{item.release.version}"
    lines.append(Text.assemble("$ ", (command(f"baton status {named}"), "bold")))
    return Group(*lines)


def all_page(items: Sequence[Item]) -> RenderableType:
    """Render every release in one line each."""
    if not items:
        return Text("There are no releases.", "dim")
    table = columns()
    for item in items:
        state = Text("waits", "yellow") if item.waiting_for else Text("runs" if item.running else "over", "dim")
        wants = ", ".join(item.waiting_for)
        table.add_row(
            Text(str(item.release), "bold"), item.kind or "", item.phase or "", state, moment(item.started), wants
        )
    return table
