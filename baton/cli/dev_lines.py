"""The local world in lines, for a log or a pipe: one for each thing that happens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from baton.cli.dev_page import event_line
from baton.sandbox.servers import SERVERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from baton.cli.dev_page import Sight
    from baton.cli.listing import Item
    from baton.sandbox.children import Event


class DevLines:
    """Prints what is new since it was shown last."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last: Event | None = None
        self._up = False
        self._said: dict[str, str] = {}

    def show(self, sight: Sight) -> None:
        """Print what has happened since the last time."""
        self._print_events(sight.events)
        if sight.place is not None and not self._up:
            self._up = True
            self._print(f"the world in {sight.state} is up, for development only")
            for status in sight.children:
                if status.child.name in SERVERS:
                    self._print(f"  {status.child.purpose}")
            self._print(f"  logs in {sight.logs}")
        for item in sight.items or ():
            self._print_release(item, sight)

    def _print_events(self, events: Sequence[Event]) -> None:
        """Those after the last one that was printed; all, if that is no longer among them."""
        known = events.index(self._last) + 1 if self._last in events else 0
        for event in events[known:]:
            self._print(event_line(event))
            self._last = event

    def _print_release(self, item: Item, sight: Sight) -> None:
        said = _said_of(item, sight)
        first_seen = item.workflow_id not in self._said
        changed = self._said.get(item.workflow_id) != said
        self._said[item.workflow_id] = said
        # A release that was over before the world came up is no news.
        if changed and (item.running or not first_seen):
            self._print(said)

    def _print(self, line: str) -> None:
        self._console.print(line, soft_wrap=True)


def _said_of(item: Item, sight: Sight) -> str:
    said = f"{item.release}: phase {item.phase or 'unknown'}"
    if not item.waiting_for or sight.place is None:
        return said
    waits = f"{said}, waits for {', '.join(item.waiting_for)} from any {' or '.join(item.waiting_on)}"
    commands = [sight.place.command(waiting.command) for waiting in item.waiting or ()]
    return "\n".join([waits, *(f"  $ {command}" for command in commands)])
