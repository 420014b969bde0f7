"""Whatever dies, whenever: the release finishes, nothing is signed or published twice, and nothing is lost."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from baton.model.status import Phase
from tests.conftest import CONTRACT
from tests.e2e.conftest import Baton, start, tiny_plan, tiny_project

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from baton.model.plan import Plan
    from baton.model.status import ReleaseStatus
    from baton.sandbox.embedded import EmbeddedWorld

pytestmark = pytest.mark.e2e
DUTIES = ("release", "build", "sign", "publish")
MORTAL = Path(__file__).with_name("mortal_worker.py")
# Undone only when a release is cancelled; taken, compared, proven only where a plan or a person says so.
NOT_ON_THE_WAY = {"forget_source", "unstage", "take_provided", "compare_steps", "take_plan", "prove_act"}
NOT_ON_THE_WAY |= {"order_run", "follow_run", "retry_run", "collect_run", "cancel_run"}
NOT_ON_THE_WAY |= {"offer_source", "withdraw_source", "keep_joint", "take_signatures"}
NOT_ON_THE_WAY |= {"order_signing", "follow_signing", "retry_signing", "collect_signing", "cancel_signing"}
NOT_ON_THE_WAY |= {"sign_platform", "verify_authenticode", "submit_notarization", "await_notarization", "staple"}
NOT_ON_THE_WAY |= {"take_stock", "renew_signatures"}
ON_THE_WAY = sorted(CONTRACT.keys() - NOT_ON_THE_WAY)
RELEASES = 5
"""So many at once share the deaths: most of the time goes by until one is noticed."""


@contextlib.asynccontextmanager
async def mortal(
    folder: Path, deaths: Sequence[str], queues: Sequence[str], environment: Mapping[str, str]
) -> AsyncIterator[Path]:
    """Runs a worker that dies these deaths, and lives again after each; gives the folder of those that are to come."""
    due = folder / "deaths"
    due.mkdir(parents=True)
    for death in deaths:
        (due / death).touch()
    own = {"BATON_TEST_DEATHS": str(due), "BATON_WORKSPACE": str(folder / "work"), "PYTHONPATH": str(MORTAL.parents[2])}
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(MORTAL), *(f"--queue={queue}" for queue in queues)),
            env={**os.environ, **environment, **own},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield due
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def signatures_in_the_log(world: EmbeddedWorld) -> int:
    return len((world.state.sigstore / "logs" / "rekor.log").read_bytes().splitlines())


def tags_of(repository: Path) -> set[str]:
    listed = subprocess.run(["git", "-C", str(repository), "tag"], capture_output=True, text=True, check=True)
    return set(listed.stdout.split())


def on_queues_of_its_own(plan: Plan, number: int) -> Plan:
    def moved(parts: Sequence[Any], duty: str) -> tuple[Any, ...]:
        return tuple(part.model_copy(update={"queue": f"{duty}-{number}"}) for part in parts)

    return plan.model_copy(
        update={
            "queue": f"release-{number}",
            "steps": moved(plan.steps, "build"),
            "checks": moved(plan.checks, "build"),
            "signers": moved(plan.signers, "sign"),
            "targets": moved(plan.targets, "publish"),
        }
    )


async def see_through(world: EmbeddedWorld, baton: Baton, plan: Plan) -> ReleaseStatus:
    name = f"tiny/{plan.version}"
    await start(world, plan, task_timeout=timedelta(seconds=5))
    await baton.until(name, lambda status: any(w.what == "publish" for w in status.waiting), within=300)
    await asyncio.to_thread(baton, "sign-off", name, "publish", "--yes", "--signal")
    return await baton.until(name, lambda status: status.phase is Phase.RELEASED, within=300)


async def test_a_worker_killed_before_and_after_every_activity_finishes_the_release(
    small_world: EmbeddedWorld, baton: Baton, folder: Path
) -> None:
    children = {status.child.name: status.child.environment for status in small_world.statuses()}
    environment = {name: value for duty in DUTIES for name, value in children[duty].items()}
    for duty in DUTIES:
        small_world.kill(duty)
    project = tiny_project(folder)
    plans = [
        on_queues_of_its_own(tiny_plan(small_world.facts, project, f"1.{number}", publish_evidence=True), number)
        for number in range(RELEASES)
    ]
    async with contextlib.AsyncExitStack() as workers:
        still_due = []
        for number in range(RELEASES):
            before, after = ON_THE_WAY[number::RELEASES], ON_THE_WAY[(number + 1) % RELEASES :: RELEASES]
            deaths = [*(f"{name}-before" for name in before), *(f"{name}-after" for name in after)]
            queues = [f"{duty}-{number}={duty}" for duty in DUTIES]
            worker = mortal(folder / str(number), deaths, queues, environment)
            still_due.append(await workers.enter_async_context(worker))
        ended = await asyncio.gather(*(see_through(small_world, baton, plan) for plan in plans))
    assert [list(due.iterdir()) for due in still_due] == [[]] * RELEASES
    assert {step.attempt for status in ended for step in status.steps} == {1}
    files = 0
    for status in ended:
        assert status.manifest is not None
        published = small_world.facts.public_root / "public" / "tiny" / status.release.version
        assert len(list(published.iterdir())) == 4 * status.manifest.files
        files += status.manifest.files
    # A signature and a statement for each file, and for each release a statement and its evidence's signature. The
    # deaths of `sign_files` can hit the other signer of the same release in the middle, between log and store.
    entries, in_the_middle = 2 * (files + RELEASES), 2 * files // RELEASES
    assert entries <= signatures_in_the_log(small_world) <= entries + in_the_middle
    assert tags_of(folder / "tiny") == {plan.source.tag for plan in plans}
