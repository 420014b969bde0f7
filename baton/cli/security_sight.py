"""Looking at a security release: once, or until it ends, with every stream's own release."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.live import Live
from rich.text import Text

from baton.cli.exits import ExitCode
from baton.cli.security_status_page import security_status_page
from baton.cli.session import with_releases
from baton.cli.terminal import page, print_json, show
from baton.cli.watching import with_beats
from baton.model.errors import BatonError, Unavailable
from baton.model.security import SecurityPhase
from baton.model.status import StepState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import RenderableType

    from baton.cli.handles import SecurityHandle
    from baton.cli.place import Place
    from baton.cli.releases import Releases
    from baton.model.security import SecurityStatus
    from baton.model.status import ReleaseStatus

EVERY = 1.0
"""Seconds between two looks."""

OVER = (SecurityPhase.RELEASED, SecurityPhase.CANCELLED)


@dataclass(frozen=True)
class Sight:
    """A security release at one moment.

    Attributes:
        streams: what each stream's own release says, by its version; without those that did not answer.
    """

    status: SecurityStatus
    streams: Mapping[str, ReleaseStatus]

    def page(self, place: Place, now: datetime) -> RenderableType:
        """As a page."""
        return security_status_page(self.status, self.streams, now=now, command=place.command)

    @property
    def worth(self) -> ExitCode:
        """The exit code for its state: waiting for a person, cancelled, or neither."""
        if self.status.waiting or any(stream.waiting for stream in self.streams.values()):
            return ExitCode.WAITING
        return ExitCode.FAILED if self.status.phase is SecurityPhase.CANCELLED else ExitCode.OK

    @property
    def document(self) -> dict[str, Any]:
        """As JSON: the security release's own status, and each stream's release under ``releases``."""
        releases = {version: status.model_dump(mode="json", by_alias=True) for version, status in self.streams.items()}
        return {**self.status.model_dump(mode="json", by_alias=True), "releases": releases}


async def look(releases: Releases, handle: SecurityHandle) -> Sight:
    """See a security release and its streams.

    Raises:
        Unavailable: no worker answered for the security release.
        BatonError: it could not answer.
    """
    status = await handle.status()

    async def one(workflow_id: str) -> ReleaseStatus | None:
        try:
            stream = await releases.securities.stream(workflow_id)
            if stream is None:
                return None
            told = await stream.status()
            running = any(step.state is StepState.RUNNING for step in told.steps)
            return with_beats(told, await stream.beats()) if running else told
        except BatonError:
            # What the security release knows of it is shown all the same.
            return None

    told = await asyncio.gather(*(one(stream.workflow_id) for stream in status.streams))
    found = zip(status.streams, told, strict=True)
    return Sight(status, {stream.version: release for stream, release in found if release is not None})


def show_security(place: Place, text: str | None, *, as_json: bool) -> ExitCode:
    """Show a security release's status.

    Args:
        place: where it is.
        text: its name as it was typed; None for the only one under way.
        as_json: as a document and not as a page.

    Returns:
        What its state is worth as an exit code.

    Raises:
        BatonError: there is no such security release, or it does not answer.
    """

    async def once(releases: Releases) -> Sight:
        return await look(releases, await releases.securities.find(text))

    sight = with_releases(place, once)
    if as_json:
        print_json("security-status", sight.document)
    else:
        show(sight.page(place, datetime.now(UTC)))
    return sight.worth


def watch_security(place: Place, text: str | None) -> ExitCode:
    """Show it and keep it up to date until it is over; else like :func:`show_security`."""

    async def watch(releases: Releases) -> Sight:
        handle = await releases.securities.find(text)
        sight = await look(releases, handle)
        with Live(sight.page(place, datetime.now(UTC)), console=page(), auto_refresh=False) as live:
            while sight.status.phase not in OVER:
                await asyncio.sleep(EVERY)
                trouble = None
                try:
                    sight = await look(releases, handle)
                except Unavailable as error:
                    trouble = str(error)
                shown = sight.page(place, datetime.now(UTC))
                live.update(
                    shown if trouble is None else Group(shown, Text(f"\n! {trouble}", "bold red")), refresh=True
                )
        return sight

    return with_releases(place, watch, quiet=True).worth
