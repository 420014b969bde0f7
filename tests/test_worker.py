"""The worker as a process: what it is told, and when it leaves."""

from __future__ import annotations

import asyncio
import os
import sys
import uuid
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from temporalio import workflow
from temporalio.client import WorkflowFailureError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from baton.model import work
from baton.model.version import ReleaseId
from tests.conftest import PATIENCE
from worker import USAGE, arguments

if TYPE_CHECKING:
    from temporalio.testing import WorkflowEnvironment

    from baton.model.plan import Plan

WORKER = Path(__file__).parents[1] / "worker.py"
SOURCE = work.Source(repository="/r", commit="c" * 40, tag="v1.0.0", bundle="sha256:" + "b" * 64, epoch=1)


@workflow.defn(name="Ask")
class Ask:
    """Has one step built."""

    @workflow.run
    async def run(self, queue: str, what: dict[str, Any]) -> None:
        await workflow.execute_activity(
            "build_step", what, task_queue=queue, schedule_to_close_timeout=timedelta(seconds=60)
        )


@pytest.mark.parametrize("queues", [["--queue=release"], ["--queue=sign"], ["--queue=a", "--queue=b"]])
def test_only_a_builder_of_one_queue_can_leave_after_one_job(
    queues: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        arguments([*queues, "--once"])
    assert left.value.code == USAGE
    assert "--once is for one queue that builds" in capsys.readouterr().err


async def test_a_worker_for_one_job_does_it_and_leaves(
    temporal: WorkflowEnvironment, plan: Plan, tmp_path: Path
) -> None:
    queue = f"build-{uuid.uuid4().hex[:8]}"
    release = work.ReleaseRef(
        release=ReleaseId(project="hello", version="1.0.0"), run="r", plan="sha256:" + "e" * 64, sandbox=True
    )
    what = work.BuildStep(release=release, step=plan.steps[0], source=SOURCE, attempt=1).model_dump(mode="json")
    environment = {
        **os.environ,
        "TEMPORAL_ADDRESS": temporal.client.service_client.config.target_host,
        "BATON_STORE": str(tmp_path / "store"),
        "BATON_WORKSPACE": str(tmp_path / "work"),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(WORKER), f"--queue={queue}", "--once", env=environment, stderr=asyncio.subprocess.PIPE
    )
    try:
        runner = UnsandboxedWorkflowRunner()
        async with Worker(temporal.client, task_queue=f"ask-{queue}", workflows=[Ask], workflow_runner=runner):
            asked = [
                await temporal.client.start_workflow(
                    "Ask", args=[queue, what], id=f"ask/{uuid.uuid4()}", task_queue=f"ask-{queue}"
                )
                for _ in range(2)
            ]
            _, said = await asyncio.wait_for(process.communicate(), PATIENCE)
            assert process.returncode == 0, said.decode()
            # One was done, and failed for good: it is a rehearsal's. The other waits for the next worker.
            ended, _ = await asyncio.wait(
                [asyncio.create_task(one.result()) for one in asked],
                return_when=asyncio.FIRST_COMPLETED,
                timeout=PATIENCE,
            )
            assert [type(one.exception()) for one in ended] == [WorkflowFailureError]
            for one in asked:
                if (await one.describe()).close_time is None:
                    await one.terminate()
    finally:
        if process.returncode is None:
            process.kill()


async def test_a_worker_for_one_job_that_gets_none_leaves_when_it_is_told_to(
    temporal: WorkflowEnvironment, tmp_path: Path
) -> None:
    ready = tmp_path / "ready"
    environment = {
        **os.environ,
        "TEMPORAL_ADDRESS": temporal.client.service_client.config.target_host,
        "BATON_STORE": str(tmp_path / "store"),
        "BATON_WORKSPACE": str(tmp_path / "work"),
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(WORKER), "--queue=build-idle", "--once", f"--ready-file={ready}"),
        env=environment,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(PATIENCE):
            while not ready.exists():
                await asyncio.sleep(0.05)
            process.terminate()
            _, said = await process.communicate()
        assert process.returncode == 0, said.decode()
    finally:
        if process.returncode is None:
            process.kill()
