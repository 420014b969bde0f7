"""Running a local world in the foreground and showing it, until the process is told to stop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.live import Live

from baton.cli.connect import connect
from baton.cli.dev_lines import DevLines
from baton.cli.dev_page import Sight, dev_page
from baton.cli.place import Place, find_place
from baton.cli.releases import Releases
from baton.cli.terminal import page
from baton.model.errors import BatonError
from baton.sandbox.embedded import EmbeddedWorld
from baton.sandbox.state import default_state
from baton.sandbox.workers import FAKE_CI_QUEUES, QUEUES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

Show = Callable[[Sight], None]
"""Puts a world before the person who looks."""

_EVERY = 1.0
"""Seconds between two looks."""


def run_world(state: Path | None, queues: Sequence[str], *, fake_ci: bool, encrypted: bool) -> None:
    """Run a world until SIGINT or SIGTERM: as a page that is kept up to date, or in lines where there is no terminal.

    Args:
        state: its folder; None for the usual one.
        queues: task queues beyond the example's, as ``worker.py`` takes them.
        fake_ci: whether simulators of outside CI systems build part of the example.
        encrypted: whether what passes through Temporal is encrypted.

    Raises:
        Refused: another process runs a world on this folder.
        BatonError: it could not come up.
    """
    console = page()
    world = EmbeddedWorld(
        state or default_state(),
        queues=(*(FAKE_CI_QUEUES if fake_ci else QUEUES), *queues),
        fake_ci=fake_ci,
        encrypted=encrypted,
    )
    if not console.is_terminal:
        asyncio.run(_run(world, state, DevLines(console).show))
        return
    with Live(console=console, auto_refresh=False, transient=True) as live:
        asyncio.run(_run(world, state, _page_on(live)))
    console.print(f"The world in {world.state.folder} has ended. Releases under way go on when it is started again.")


def _page_on(live: Live) -> Show:
    return lambda sight: live.update(dev_page(sight, now=datetime.now(UTC)), refresh=True)


async def _run(world: EmbeddedWorld, state: Path | None, show: Show) -> None:
    """Bring the world up and show it, until the process is told to stop; then end it in order."""
    told_to_stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, told_to_stop.set)
    watching = asyncio.create_task(_watch(world, state, show))
    stopping = asyncio.create_task(told_to_stop.wait())
    await asyncio.wait([watching, stopping], return_when=asyncio.FIRST_COMPLETED)
    if watching.done():
        # It ends by itself only when the world could not come up, which leaves nothing running.
        watching.result()
    await asyncio.to_thread(world.stop)
    watching.cancel()
    await asyncio.wait([watching])
    show(Sight.of(world))


async def _watch(world: EmbeddedWorld, state: Path | None, show: Show) -> None:
    coming_up = asyncio.create_task(asyncio.to_thread(world.bring_up))
    while not coming_up.done():
        show(Sight.of(world))
        await asyncio.wait([coming_up], timeout=_EVERY / 4)
    await coming_up
    place = find_place(sandbox=True, state=state)
    facts = world.facts
    client = await connect(address=facts.temporal_address, namespace=facts.namespace, codec_keys=facts.codec_keys)
    releases = Releases(client)
    while True:
        show(await _look(world, place, releases))
        await asyncio.sleep(_EVERY)


async def _look(world: EmbeddedWorld, place: Place, releases: Releases) -> Sight:
    try:
        items = await releases.ask(await releases.listed(everything=True))
    except BatonError as error:
        return Sight.of(world, place=place, trouble=str(error))
    return Sight.of(world, place=place, items=items)
