"""The example released by two simulated CI systems while these, the servers and the workers die: ``make soak``."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from baton.cli.planning import Wish, make_plan
from baton.sandbox.embedded import EmbeddedWorld
from baton.sandbox.workers import FAKE_CI_QUEUES
from baton.targets import sandbox_folder
from tests.e2e.conftest import Baton, start
from tests.e2e.test_soak import SEED, kill_at_random, see_through

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.e2e, pytest.mark.soak, pytest.mark.timeout(3600)]
HELLO = Path(__file__).parents[2] / "examples" / "hello"
VICTIMS = ("temporal", "sigstore", "files", "github", "azure", *FAKE_CI_QUEUES)


@pytest.fixture
def world(folder: Path) -> Iterator[EmbeddedWorld]:
    with EmbeddedWorld.start(folder / "s", queues=FAKE_CI_QUEUES, fake_ci=True) as world:
        yield world


def keys(world: EmbeddedWorld, system: str, given: str, name: str) -> list[str]:
    """What the runs of a simulator were started with."""
    runs = (json.loads(run.read_text()) for run in (world.state.ci / system).glob("*/run.json"))
    return [run[given][name] for run in runs]


async def test_no_run_is_lost_or_doubled_while_anything_dies_at_any_time(world: EmbeddedWorld) -> None:
    print(f"BATON_SOAK_SEED={SEED}")  # noqa: T201  # shown when the test fails
    baton = Baton(world.facts.state)
    plan, _ = make_plan(
        Wish(folder=HELLO, version="1.0.0", commit=None, person="ada"), sandbox=True, state=world.state.folder
    )
    await start(world, plan)
    chance = random.Random(SEED)  # noqa: S311  # repeatable on purpose
    # A build takes longer than the other work, and may be killed often, but not always.
    killing = asyncio.create_task(kill_at_random(world, chance, VICTIMS, pause=8))
    try:
        status = await see_through(baton, "hello/1.0.0", within=1800)
    finally:
        killing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await killing
    assert status.manifest is not None
    public = sandbox_folder(world.facts.public_root) / "hello" / "1.0.0"
    assert len(list(public.iterdir())) == 3 * status.manifest.files
    for ordered in (keys(world, "github", "inputs", "baton"), keys(world, "azure", "parameters", "Baton")):
        assert ordered
        assert len(ordered) == len(set(ordered))
