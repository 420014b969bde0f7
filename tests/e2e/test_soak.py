"""Releases while servers and workers die at random, for as long as one likes: ``make soak``.

``BATON_SOAK_RELEASES`` says how many, ``BATON_SOAK_SEED`` repeats a run.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
from typing import TYPE_CHECKING

import pytest

from baton.model.status import Phase, WaitKind
from tests.e2e.conftest import Baton, start, tiny_plan, tiny_project

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from baton.model.status import ReleaseStatus
    from baton.sandbox.embedded import EmbeddedWorld

pytestmark = [pytest.mark.e2e, pytest.mark.soak, pytest.mark.timeout(3600)]
RELEASES = int(os.environ.get("BATON_SOAK_RELEASES", "5"))
SEED = int(os.environ.get("BATON_SOAK_SEED", str(random.randrange(10**6))))  # noqa: S311  # chance, not a secret
VICTIMS = ("temporal", "sigstore", "files", "release", "build", "sign", "publish")


async def kill_at_random(
    world: EmbeddedWorld, chance: random.Random, victims: Sequence[str] = VICTIMS, pause: float = 4
) -> None:
    while True:
        await asyncio.sleep(chance.uniform(0.5, pause))
        victim = chance.choice(victims)
        await asyncio.to_thread(world.kill, victim)
        await asyncio.to_thread(world.restart, victim)


async def help_along(baton: Baton, status: ReleaseStatus, release: str) -> None:
    """Do what a person would: sign off what is ready, and have tried again what could not finish."""
    for waiting in status.waiting:
        if waiting.kind is WaitKind.SIGN_OFF:
            await asyncio.to_thread(baton, "sign-off", release, waiting.what, "--yes", "--signal")
        else:
            await asyncio.to_thread(baton, "decide", release, waiting.what, "retry", "--yes", "--signal")


async def see_through(baton: Baton, release: str, *, within: float = 900) -> ReleaseStatus:
    async with asyncio.timeout(within):
        while True:
            try:
                status = await asyncio.to_thread(baton.status, release)
                if status is not None and status.phase is Phase.RELEASED:
                    return status
                if status is not None:
                    await help_along(baton, status, release)
            except AssertionError:
                # What was asked has just been killed: ask again.
                await asyncio.sleep(1)
            await asyncio.sleep(1)


async def test_releases_finish_while_anything_dies_at_any_time(
    small_world: EmbeddedWorld, baton: Baton, folder: Path
) -> None:
    print(f"BATON_SOAK_SEED={SEED}")  # noqa: T201  # shown when the test fails
    chance = random.Random(SEED)  # noqa: S311  # repeatable on purpose
    project = tiny_project(folder)
    for number in range(1, RELEASES + 1):
        version = f"2.{number}"
        await start(small_world, tiny_plan(small_world.facts, project, version))
        killing = asyncio.create_task(kill_at_random(small_world, chance))
        try:
            status = await see_through(baton, f"tiny/{version}")
        finally:
            killing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await killing
        for name in VICTIMS:
            await asyncio.to_thread(small_world.restart, name)
        assert status.manifest is not None
        public = small_world.facts.public_root / "public" / "tiny" / version
        assert len(list(public.iterdir())) == 3 * status.manifest.files
