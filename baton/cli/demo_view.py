"""How a release goes, as it goes: a page that is kept up to date on a terminal, lines of what is new elsewhere."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.live import Live

from baton.cli.status_page import status_page
from baton.cli.terminal import plain
from baton.model.status import ReleaseStatus, StepState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console, RenderableType

    from baton.cli.place import Place

Show = Callable[[ReleaseStatus], None]
"""Puts a status before the person who looks."""

_TOLD = (StepState.SKIPPED, StepState.DONE, StepState.NEEDS_DECISION)


class DemoView:
    """Shows a release on a console.

    Args:
        console: a terminal, or something else.
        place: what commands for people need.
    """

    def __init__(self, console: Console, place: Place) -> None:
        self._console = console
        self._place = place
        self._lines = _Lines(console)

    @contextlib.contextmanager
    def opened(self) -> Iterator[Show]:
        """Show it for a while. In the end a page is taken away, and lines stay."""
        if not self._console.is_terminal:
            yield self._lines.show
            return
        with Live(console=self._console, auto_refresh=False, transient=True) as live:
            yield lambda status: live.update(self._page(status), refresh=True)

    def _page(self, status: ReleaseStatus) -> RenderableType:
        return status_page(status, now=datetime.now(UTC), command=self._place.command)


class _Lines:
    """Prints each phase that is entered and each step that comes to an end."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._said: set[str] = set()

    def show(self, status: ReleaseStatus) -> None:
        self._say(f"{status.release}: phase {status.phase}")
        for step in status.steps:
            if step.state in _TOLD:
                attempt = f" at attempt {step.attempt}" if step.attempt > 1 else ""
                detail = f": {plain(step.detail)}" if step.detail else ""
                self._say(f"  {step.name} {step.state.replace('-', ' ')}{attempt}{detail}")

    def _say(self, line: str) -> None:
        if line not in self._said:
            self._said.add(line)
            self._console.print(line, soft_wrap=True)
