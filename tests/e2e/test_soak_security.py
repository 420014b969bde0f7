"""Six streams behind one barrier while a worker is killed twenty times; and how long six take against one.

``make soak-security``. ``BATON_SOAK_SEED`` repeats a run, ``BATON_SOAK_SECONDS`` says how long each build waits.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import time
from typing import TYPE_CHECKING, Any

import pytest

from baton.sandbox.embedded import EmbeddedWorld
from baton.sandbox.workers import QUEUES
from baton.targets import sandbox_folder
from tests.e2e.conftest import Baton
from tests.e2e.lantern import Desk, lantern
from tests.e2e.public_side import PublicSide
from tests.e2e.test_security import FILES, SIX
from tests.e2e.test_soak import SEED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.e2e, pytest.mark.soak, pytest.mark.timeout(3600)]
KILLS = 20
SECONDS = float(os.environ.get("BATON_SOAK_SECONDS", "120"))
GOAL = 1.15
WITHIN = 1800


@pytest.fixture
def world(folder: Path) -> Iterator[EmbeddedWorld]:
    with EmbeddedWorld.start(folder / "s") as world:
        yield world


async def kill_twenty_times(world: EmbeddedWorld, chance: random.Random) -> None:
    for _ in range(KILLS):
        await asyncio.sleep(chance.uniform(0.5, 4))
        victim = chance.choice(QUEUES)
        await asyncio.to_thread(world.kill, victim)
        await asyncio.to_thread(world.restart, victim)


async def help_along(desk: Desk, name: str, status: dict[str, Any]) -> None:
    """Do what a person would: have tried again what could not finish, sign off, start again what has left."""
    for version, release in status["releases"].items():
        for waiting in release["waiting"]:
            await asyncio.to_thread(desk.baton, "decide", f"lantern/{version}", waiting["what"], "retry", "--signal")
    for waiting in status["waiting"]:
        if waiting["kind"] == "sign-off":
            await asyncio.to_thread(desk.baton, "security", "sign-off", name, "--yes", "--signal")
    for stream in status["streams"]:
        if stream["state"] == "left":
            await asyncio.to_thread(desk.baton, "security", "start-again", stream["version"], name, "--signal")


async def see_through(desk: Desk, name: str) -> dict[str, Any]:
    async with asyncio.timeout(WITHIN):
        while True:
            # What was asked may just have been killed: then it is asked again.
            with contextlib.suppress(AssertionError):
                status = await asyncio.to_thread(desk.status, name)
                if status["phase"] == "released":
                    return status
                await help_along(desk, name, status)
            await asyncio.sleep(1)


async def test_six_streams_become_public_once_however_often_a_worker_dies(world: EmbeddedWorld, folder: Path) -> None:
    print(f"BATON_SOAK_SEED={SEED}")  # noqa: T201  # shown when the test fails
    desk = lantern(folder, Baton(world.facts.state))
    with PublicSide(world, "lantern", SIX) as public:
        name = await asyncio.to_thread(desk.start, *SIX)
        # Chance is to be repeatable, and no secret.
        killing = asyncio.create_task(kill_twenty_times(world, random.Random(SEED)))  # noqa: S311
        await see_through(desk, name)
        await killing
    shown: frozenset[str] = frozenset()
    for glance in public.seen:
        # Once public, always public.
        assert not shown & glance.absent
        shown |= glance.public
    assert public.glance().public == frozenset(SIX)
    target = sandbox_folder(world.facts.public_root) / "lantern"
    made = {each.name: len(list(each.glob("lantern-*.asc"))) for each in target.iterdir()}
    assert made == FILES


async def test_six_streams_take_little_longer_than_the_slowest_alone(world: EmbeddedWorld, folder: Path) -> None:
    desk = lantern(folder, Baton(world.facts.state), seconds=SECONDS)
    # The slowest has everything; the six get a world of their own, since it is released in this one.
    alone = await _timed(desk, "6.0.1")
    second = folder / "second"
    second.mkdir()
    with EmbeddedWorld.start(second / "s") as other:
        together = await _timed(lantern(second, Baton(other.facts.state), seconds=SECONDS), *SIX)
    ratio = together / alone
    print(f"one: {alone:.0f} s, six: {together:.0f} s, ratio {ratio:.2f}")  # noqa: T201  # it is what is measured
    assert ratio <= GOAL


async def _timed(desk: Desk, *versions: str) -> float:
    began = time.monotonic()
    await see_through(desk, await asyncio.to_thread(desk.start, *versions))
    return time.monotonic() - began
