"""The example released with Windows built by one simulated CI system and macOS by another, while things die."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from baton.cli.planning import Wish, make_plan
from baton.model.status import Phase, StepState
from baton.sandbox.embedded import EmbeddedWorld
from baton.sandbox.workers import FAKE_CI_QUEUES
from baton.targets import sandbox_folder
from tests.conftest import own_ports
from tests.e2e.conftest import Baton, start

if TYPE_CHECKING:
    from collections.abc import Iterator

    from baton.model.status import ReleaseStatus, StepStatus

pytestmark = pytest.mark.e2e
HELLO = Path(__file__).parents[2] / "examples" / "hello"
OUTSIDE = {"windows", "macos"}


@pytest.fixture(scope="module")
def world(folder: Path) -> Iterator[EmbeddedWorld]:
    with EmbeddedWorld.start(own_ports(folder / "c"), queues=FAKE_CI_QUEUES, fake_ci=True) as world:
        yield world


def outside(status: ReleaseStatus) -> list[StepStatus]:
    return [step for step in status.steps if step.name in OUTSIDE]


def runs(world: EmbeddedWorld, system: str) -> list[Path]:
    return list((world.state.ci / system).glob("*/run.json"))


def held(world: EmbeddedWorld, *, now: bool) -> None:
    """Keep the next run of the GitHub simulator in its queue, or let the one that is there go."""
    facts = world.facts.fake_ci
    assert facts is not None
    if now:
        httpx.post(f"{facts.github}/_sandbox/faults", json={"fault": "HELD"}).raise_for_status()
    else:
        (run,) = runs(world, "github")
        httpx.post(f"{facts.github}/_sandbox/actions/runs/{run.parent.name}/release").raise_for_status()


def waits_for_a_runner(status: ReleaseStatus) -> bool:
    (macos,) = (step for step in outside(status) if step.name == "macos")
    return macos.state is StepState.RUNNING and "no runner has taken it yet" in macos.detail


def can_be_seen(link: str) -> bool:
    return httpx.get(link).is_success


async def test_what_dies_meanwhile_loses_and_doubles_no_run(world: EmbeddedWorld) -> None:
    baton = Baton(world.facts.state)
    plan, _ = make_plan(
        Wish(folder=HELLO, version="1.0.0", commit=None, person="ada"), sandbox=True, state=world.state.folder
    )
    assert {step.name for step in plan.steps if step.queue == "ci"} == OUTSIDE
    held(world, now=True)
    await start(world, plan)
    await baton.until("hello/1.0.0", lambda status: all(step.link for step in outside(status)))
    for name in ("ci", "github", "azure"):
        world.kill(name)
    await baton.until("hello/1.0.0", waits_for_a_runner)
    for name in ("github", "azure", "ci"):
        world.restart(name)
    held(world, now=False)
    await baton.until("hello/1.0.0", lambda status: any(waiting.what == "publish" for waiting in status.waiting))
    baton("sign-off", "hello/1.0.0", "publish", "--yes")
    status = await baton.until("hello/1.0.0", lambda status: status.phase is Phase.RELEASED)

    assert {step.attempt for step in status.steps} == {1}
    assert (len(runs(world, "github")), len(runs(world, "azure"))) == (1, 1)
    (github,) = runs(world, "github")
    assert json.loads(github.read_text())["attempt"] == 1
    assert [can_be_seen(step.link) for step in outside(status)] == [True, True]
    published = {path.name for path in (sandbox_folder(world.facts.public_root) / "hello" / "1.0.0").iterdir()}
    assert {"hello-1.0.0-windows-amd64.exe", "hello-1.0.0-macos-arm64", "hello-1.0.0-macos-x86_64"} <= published
