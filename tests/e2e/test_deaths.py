"""Whatever dies, whenever: the release finishes, nothing is signed or published twice, and nothing is lost."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from baton.model.status import Phase
from tests.conftest import CONTRACT
from tests.e2e.conftest import Baton, start, tiny_plan, tiny_project

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from baton.sandbox.embedded import EmbeddedWorld

pytestmark = pytest.mark.e2e
MORTAL = Path(__file__).with_name("mortal_worker.py")
# Undone only when a release is cancelled; taken, compared, proven only where a plan or a person says so.
NOT_ON_THE_WAY = {"forget_source", "unstage", "take_provided", "compare_steps", "take_plan", "prove_act"}
NOT_ON_THE_WAY |= {"order_run", "follow_run", "retry_run", "collect_run", "cancel_run"}
NOT_ON_THE_WAY |= {"offer_source", "withdraw_source"}
NOT_ON_THE_WAY |= {"sign_platform", "verify_authenticode", "submit_notarization", "await_notarization", "staple"}
ON_THE_WAY = CONTRACT.keys() - NOT_ON_THE_WAY


@contextlib.asynccontextmanager
async def kept_alive(command: list[str], environment: Mapping[str, str], log: Path) -> AsyncIterator[None]:
    """Runs a program, and again each time it dies."""

    async def run() -> None:
        while True:
            with log.open("ab") as output:
                process = await asyncio.create_subprocess_exec(
                    *command, env={**os.environ, **environment}, stdout=output, stderr=output
                )
            try:
                await process.wait()
            except asyncio.CancelledError:
                process.send_signal(signal.SIGKILL)
                await process.wait()
                raise

    running = asyncio.create_task(run())
    try:
        yield
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


def signatures_in_the_log(world: EmbeddedWorld) -> int:
    return len((world.state.sigstore / "logs" / "rekor.log").read_bytes().splitlines())


def tags_of(repository: Path) -> list[str]:
    listed = subprocess.run(["git", "-C", str(repository), "tag"], capture_output=True, text=True, check=True)
    return listed.stdout.split()


async def test_a_worker_killed_before_and_after_every_activity_finishes_the_release(
    small_world: EmbeddedWorld, baton: Baton, folder: Path
) -> None:
    children = {status.child.name: status.child for status in small_world.statuses()}
    for queue in ("release", "build", "sign", "publish"):
        small_world.kill(queue)
    plan = tiny_plan(small_world.facts, tiny_project(folder), publish_evidence=True)
    deaths = folder / "deaths"
    deaths.mkdir()
    builder = {**children["build"].environment, "BATON_TEST_DEATHS": str(deaths), "PYTHONPATH": str(MORTAL.parents[2])}
    other = {**children["release"].environment, **children["sign"].environment, **children["publish"].environment}
    other |= {"BATON_TEST_DEATHS": str(deaths), "PYTHONPATH": str(MORTAL.parents[2])}
    mortal = [sys.executable, str(MORTAL)]
    others = [*mortal, "--queue=release", "--queue=sign", "--queue=publish"]
    async with (
        kept_alive([*mortal, "--queue=build"], builder, folder / "build.log"),
        kept_alive(others, other, folder / "others.log"),
    ):
        await start(small_world, plan)
        await baton.until("tiny/1.0", lambda status: any(w.what == "publish" for w in status.waiting), within=240)
        await asyncio.to_thread(baton.insist, "sign-off", "tiny/1.0", "publish", "--yes", "--signal")
        status = await baton.until("tiny/1.0", lambda status: status.phase is Phase.RELEASED, within=120)
    assert {path.name for path in deaths.iterdir()} == {
        f"{name}-{at}" for name in ON_THE_WAY for at in ("before", "after")
    }
    assert {step.attempt for step in status.steps} == {1}
    assert status.manifest is not None
    published = small_world.facts.public_root / "public" / "tiny" / "1.0"
    files = status.manifest.files
    assert len(list(published.iterdir())) == 3 * files
    # One for each file, and one for the evidence.
    assert signatures_in_the_log(small_world) == files + 1
    assert tags_of(folder / "tiny") == ["v1.0"]
