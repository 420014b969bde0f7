"""Releases as a list on a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from baton.cli.layout import columns, indented
from baton.cli.listing import Turn, in_turn
from baton.cli.terminal import plain
from baton.cli.units import age, moment
from baton.model.status import WaitKind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from rich.console import RenderableType

    from baton.cli.listing import Item
    from baton.cli.overview import Listed

WANTED = {
    WaitKind.SIGN_OFF: "sign-off",
    WaitKind.WITHDRAWAL: "withdrawal",
    WaitKind.DECISION: "decision",
    WaitKind.HAND_IN: "files of",
    WaitKind.SIGNATURES: "signatures:",
}
"""What somebody is to give, before the name of the gate or step."""

_HEADINGS = {Turn.ME: "Waits for you", Turn.MY_ROLES: "Waits for your roles", Turn.OTHERS: "Waits for others"}


def turns_page(listed: Sequence[Listed], *, now: datetime, command: Callable[[str], str] = str) -> RenderableType:
    """Render what waits for the person who looks, for others in their roles, and for others.

    Without any roster that they are on there is nothing to tell apart.

    Args:
        listed: the releases that wait.
        now: the time from which ages count.
        command: adds to a command what makes it look at the same place.
    """
    if all(one.me is None for one in listed):
        return waiting_page([one.item for one in listed], now=now, command=command)
    parts: list[RenderableType] = []
    for turn, heading in _HEADINGS.items():
        items = [kept for one in listed if (kept := in_turn(one.item, one.me, turn))]
        if not items:
            continue
        page = waiting_page(items, now=now, command=command, mine=turn is Turn.ME)
        parts += [*([Text("")] if parts else []), Text(heading, "bold underline"), indented(page)]
    return Group(*parts)


def waiting_page(
    items: Sequence[Item], *, now: datetime, command: Callable[[str], str] = str, mine: bool = False
) -> RenderableType:
    """Render what waits.

    Args:
        items: the releases that wait.
        now: the time from which ages count.
        command: adds to a command what makes it look at the same place.
        mine: whether whoever looks can give it, and so needs the command that does.
    """
    if not items:
        return Text("Nothing waits for anyone.", "dim")
    parts: list[RenderableType] = []
    for item in items:
        if parts:
            parts.append(Text(""))
        drives = f"   {item.driver} drives it" if item.driver else ""
        parts.append(Text.assemble((str(item.release), "bold"), f"   phase {item.phase or 'unknown'}{drives}"))
        parts.append(indented(_waits(item, now, command, mine=mine)))
    return Group(*parts)


def _waits(item: Item, now: datetime, command: Callable[[str], str], *, mine: bool) -> RenderableType:
    lines: list[RenderableType] = []
    if item.waiting is None:
        lines.append(Text(f"waits for {', '.join(item.waiting_for)}, from any {' or '.join(item.waiting_on)}"))
        lines.append(Text(plain(item.silence) or "it does not answer: is a worker up?", "yellow"))
    for waiting in item.to_give:
        who = ", ".join(waiting.people) or "nobody on the roster"
        lines.append(
            Text.assemble(
                (f"{WANTED[waiting.kind]} {waiting.what}", "yellow"),
                f" since {age(now - waiting.since)}, from ",
                (who, "bold"),
            )
        )
        lines.append(Text(plain(waiting.why).partition("\n")[0], "dim", no_wrap=True, overflow="ellipsis"))
        if mine:
            lines.append(Text.assemble("$ ", (command(waiting.command), "bold")))
    lines.append(Text.assemble("$ ", (command(item.command), "bold")))
    return Group(*lines)


def all_page(items: Sequence[Item]) -> RenderableType:
    """Render every release in one line each."""
    if not items:
        return Text("There are no releases.", "dim")
    table = columns()
    for item in items:
        state = Text("waits", "yellow") if item.waiting_for else Text("runs" if item.running else "over", "dim")
        wants = ", ".join(item.waiting_for)
        named = Text(str(item.release), "bold", no_wrap=True)
        table.add_row(
            named, item.kind or "", item.phase or "", state, moment(item.started), wants,
            f"{item.driver} drives it" if item.driver else "",
        )  # fmt: skip
    return table
