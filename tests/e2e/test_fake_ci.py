"""The example released with Windows built by one simulated CI system and macOS by another, while things die."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from baton.cli.planning import Wish, make_plan
from baton.git import git
from baton.model.base import canonical_json
from baton.model.outside import GitHubBuilder
from baton.model.status import Phase, StepState
from baton.sandbox.embedded import EmbeddedWorld
from baton.sandbox.workers import FAKE_CI_QUEUES
from baton.targets import sandbox_folder
from baton.trust import TrustedIdentities
from tests.conftest import own_ports
from tests.e2e.conftest import Baton, start
from tests.e2e.test_deaths import mortal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from baton.model.plan import Plan
    from baton.model.status import ReleaseStatus, StepStatus

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]
HELLO = Path(__file__).parents[2] / "examples" / "hello"
OUTSIDE = {"windows", "macos"}
MORTAL = ("release", "ci")
DEATHS = (
    *("offer_source-after", "order_run-unrecorded", "order_run-after"),
    *("follow_run-before", "follow_run-after", "collect_run-before", "collect_run-after", "withdraw_source-after"),
)
LONG = 300
"""Seconds for what dies several times on a machine with more to do."""


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


def on_its_own_branch(plan: Plan) -> Plan:
    """The plan with macOS built from the branch that the release makes for it, and not from main."""
    steps = [
        step.model_copy(update={"builder": step.builder.model_copy(update={"ref": "baton/hello-{version}"})})
        if isinstance(step.builder, GitHubBuilder)
        else step
        for step in plan.steps
    ]
    return plan.model_copy(update={"steps": tuple(steps)})


async def test_what_dies_meanwhile_loses_and_doubles_no_run(world: EmbeddedWorld, folder: Path) -> None:
    baton = Baton(world.facts.state)
    plan, _ = make_plan(
        Wish(folder=HELLO, version="1.0.0", commit=None, person="ada"), sandbox=True, state=world.state.folder
    )
    assert {step.name for step in plan.steps if step.queue == "ci"} == OUTSIDE
    held(world, now=True)
    children = {status.child.name: status.child.environment for status in world.statuses()}
    for queue in MORTAL:
        world.kill(queue)
    environment = {name: value for queue in MORTAL for name, value in children[queue].items()}
    async with mortal(folder / "mortal", DEATHS, MORTAL, environment) as still_due:
        await start(world, on_its_own_branch(plan), task_timeout=timedelta(seconds=5))
        await baton.until("hello/1.0.0", waits_for_a_runner, within=LONG)
        for name in ("github", "azure"):
            world.kill(name)
            world.restart(name)
        held(world, now=False)
        await baton.until(
            "hello/1.0.0", lambda status: any(waiting.what == "publish" for waiting in status.waiting), within=LONG
        )
        await asyncio.to_thread(baton, "sign-off", "hello/1.0.0", "publish", "--yes", "--signal")
        status = await baton.until("hello/1.0.0", lambda status: status.phase is Phase.RELEASED, within=LONG)
        # While a worker is there: the release tells people how it ended, and closes, a moment after it is released.
        links = {step.name: step.link for step in outside(status)}
        await asyncio.to_thread(tells_how_it_was_made, baton, world, plan, links)

    assert list(still_due.iterdir()) == []
    assert {step.attempt for step in status.steps} == {1}
    assert (len(runs(world, "github")), len(runs(world, "azure"))) == (1, 1)
    (github,) = runs(world, "github")
    assert json.loads(github.read_text())["attempt"] == 1
    assert [can_be_seen(step.link) for step in outside(status)] == [True, True]
    public = sandbox_folder(world.facts.public_root) / "hello" / "1.0.0"
    published = {path.name for path in public.iterdir()}
    assert {"hello-1.0.0-windows-amd64.exe", "hello-1.0.0-macos-arm64", "hello-1.0.0-macos-x86_64"} <= published
    assert git("for-each-ref", "--format=%(refname)", folder=world.facts.hello_repository).split() == [
        "refs/heads/main",
        "refs/tags/v1.0.0",
    ]


def tells_how_it_was_made(baton: Baton, world: EmbeddedWorld, plan: Plan, runs_of: dict[str, str]) -> None:
    """Whoever downloads the files, from the folder or the address, is told by which runs they were made."""
    identities = world.facts.state / "hello-identities.json"
    identities.write_bytes(canonical_json(TrustedIdentities.of_plan(plan, datetime.now(UTC).date())))
    whom = ("--identities", str(identities), "--trust-config", str(world.facts.trust_config), "--json")
    required = ("--source-commit", plan.source.commit, "--source-repository", plan.source.repository)
    public = sandbox_folder(world.facts.public_root) / "hello"
    evidence = world.facts.state / "hello-evidence"
    baton("evidence", "hello/1.0.0", "--to", str(evidence))
    release = ("--manifest", str(evidence / "manifest.json"))
    told = json.loads(baton("verify", "--provenance", *whom, *required, *release, str(public / "1.0.0")))
    made = {file["made"]["parameters"].get("step", {}).get("name"): file["made"] for file in told["files"]}
    assert told["ok"]
    assert made.keys() >= {"windows", "macos", None}
    assert {name: made[name]["run"] for name in runs_of} == runs_of
    assert made["macos"]["builder"].endswith(".yml")
    assert "_build?definitionId=" in made["windows"]["builder"]
    (gate,) = told["release"]["stated"]["gates"]
    assert (gate["name"], gate["given"][0]["by"]) == ("publish", "ada")

    address = f"{world.facts.public_url}/hello/1.0.0/hello-1.0.0-windows-amd64.exe"
    (file,) = json.loads(baton("verify", "--provenance", *whom, *required, address))["files"]
    assert (file["ok"], file["made"]["run"]) == (True, runs_of["windows"])
    baton("verify", "--provenance", *whom, "--source-commit", "d" * 40, address, code=1)
