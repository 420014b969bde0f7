"""Looking at one release: once, or until it ends."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.console import Group
from rich.live import Live
from rich.text import Text

from baton.cli.exits import ExitCode
from baton.cli.names import parse_release
from baton.cli.session import with_releases
from baton.cli.status_page import status_page
from baton.cli.terminal import page, print_json, show
from baton.model.errors import Unavailable
from baton.model.status import Phase, StepState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import RenderableType

    from baton.cli.handles import ReleaseHandle
    from baton.cli.place import Place
    from baton.cli.releases import Releases
    from baton.model.acts import Heard
    from baton.model.status import ReleaseStatus
    from baton.model.work import Beat

_EVERY = 1.0
"""Seconds between two looks."""

_OVER = (Phase.RELEASED, Phase.CANCELLED)
_AHEAD = (StepState.PENDING, StepState.RUNNING, StepState.NEEDS_DECISION)


@dataclass(frozen=True)
class Sight:
    """A release at one moment.

    Attributes:
        workflow_id: where it runs.
        silent: facts about queues that it needs and nobody polls.
        acts: what people said to it; none of one that is over, which needs no worker to be looked at.
    """

    status: ReleaseStatus
    workflow_id: str
    silent: tuple[str, ...]
    acts: tuple[Heard, ...] = ()

    def page(self, place: Place, now: datetime) -> RenderableType:
        """As a page."""
        return status_page(
            self.status,
            now=now,
            silent=self.silent,
            acts=self.acts,
            workflow_id=self.workflow_id,
            command=place.command,
        )


def show_status(place: Place, text: str, *, as_json: bool) -> ExitCode:
    """Show a release's status.

    Args:
        place: where it is.
        text: the release as it was typed.
        as_json: as a document and not as a page.

    Returns:
        What its state is worth as an exit code.

    Raises:
        BatonError: there is no such release, or it does not answer.
    """
    release = parse_release(text)

    async def look(releases: Releases) -> Sight:
        return await _look(await releases.open(release))

    sight = with_releases(place, look)
    if as_json:
        print_json("status", {**sight.status.model_dump(mode="json", by_alias=True), "silent": list(sight.silent)})
    else:
        show(sight.page(place, datetime.now(UTC)))
    return worth(sight.status)


def watch_status(place: Place, text: str) -> ExitCode:
    """Show a release's status and keep it up to date until the release is over; else like :func:`show_status`."""
    release = parse_release(text)

    async def watch(releases: Releases) -> ReleaseStatus:
        handle = await releases.open(release)
        sight = await _look(handle)
        with Live(sight.page(place, datetime.now(UTC)), console=page(), auto_refresh=False) as live:
            while sight.status.phase not in _OVER:
                await asyncio.sleep(_EVERY)
                trouble = None
                try:
                    sight = await _look(handle, sight)
                except Unavailable as error:
                    trouble = str(error)
                shown = sight.page(place, datetime.now(UTC))
                live.update(
                    shown if trouble is None else Group(shown, Text(f"\n! {trouble}", "bold red")), refresh=True
                )
        return sight.status

    return worth(with_releases(place, watch, quiet=True))


def worth(status: ReleaseStatus) -> ExitCode:
    """The exit code for a release's state: waiting for a person, cancelled, or neither."""
    if status.waiting:
        return ExitCode.WAITING
    return ExitCode.FAILED if status.phase is Phase.CANCELLED else ExitCode.OK


async def _look(handle: ReleaseHandle, before: Sight | None = None) -> Sight:
    status = await handle.status()
    if any(step.state is StepState.RUNNING for step in status.steps):
        status = with_beats(status, await handle.beats())
    silent = tuple(await handle.silent(queues_ahead(status)))
    if before is not None and before.status.heard == status.heard:
        return Sight(status, handle.description.id, silent, before.acts)
    over = not status.heard or status.phase in _OVER
    return Sight(status, handle.description.id, silent, () if over else tuple(await handle.acts()))


def with_beats(status: ReleaseStatus, beats: Mapping[str, Beat]) -> ReleaseStatus:
    """A release's status with what the machines say just now: the last line, and where to see more."""
    steps = tuple(
        step.model_copy(update={"detail": _last_line(beat.line) or step.detail, "link": beat.link or step.link})
        if step.state is StepState.RUNNING and (beat := beats.get(step.name)) is not None
        else step
        for step in status.steps
    )
    return status.model_copy(update={"steps": steps})


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2]


def queues_ahead(status: ReleaseStatus) -> list[str]:
    """The queues of what a release still has to do, in its order; none once it is over."""
    if status.phase in _OVER:
        return []
    return list(dict.fromkeys(step.queue for step in status.steps if step.state in _AHEAD))
