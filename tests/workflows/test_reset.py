"""`temporal workflow reset`, which runs what follows again and says everything again that people said."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from baton.model.acts import SignOff
from baton.model.status import Phase
from tests.conftest import PATIENCE
from tests.workflows import conftest
from tests.workflows.people import about_gate
from workflows.release import ReleaseWorkflow

if TYPE_CHECKING:
    from temporalio.testing import WorkflowEnvironment

    from tests.workflows.conftest import Machines, Run
    from tests.workflows.people import People

Release = Any
TWO = {"gates": [{"name": "publish", "before": "publish", "needs": {"release-manager": 2}}]}


async def reset_to_before(temporal: WorkflowEnvironment, run: Run, activity: str) -> None:
    """Reset the release to the workflow task that ordered an activity, as `temporal workflow reset` does it."""
    events = (await run.handle.fetch_history()).events
    ordered = next(
        event.activity_task_scheduled_event_attributes.workflow_task_completed_event_id
        for event in events
        if event.HasField("activity_task_scheduled_event_attributes")
        and event.activity_task_scheduled_event_attributes.activity_type.name == activity
    )
    assert events[ordered - 1].event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
    description = await run.handle.describe()
    await temporal.client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=temporal.client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=run.handle.id, run_id=description.run_id),
            workflow_task_finish_event_id=ordered,
            request_id=uuid.uuid4().hex,
            reason="a test",
        )
    )


@pytest.mark.parametrize("changed", [True, False], ids=["other files", "the same files"])
async def test_sign_offs_that_a_reset_says_again_never_pass_other_files(
    temporal: WorkflowEnvironment,
    signed_release: Release,
    people: People,
    monkeypatch: pytest.MonkeyPatch,
    changed: bool,
) -> None:
    other = conftest.MANIFEST.model_copy(update={"digest": "sha256:" + "b" * 64})
    made = iter((conftest.MANIFEST, other if changed else conftest.MANIFEST))
    monkeypatch.setitem(conftest.ANSWERS, "make_manifest", lambda _: next(made))
    async with signed_release(**TWO) as run:
        machines: Machines = run.machines
        first = await run.until_waiting("publish")
        go_on = machines.hold("promote")
        for who in ("katherine", "grace"):
            await run.handle.signal("sign_off", people.sign(about_gate(SignOff, first, who)))
        await run.until(lambda status: status.heard == 2)
        # The update comes last: Temporal's core (1.35) replays signals that follow one which a reset says again before
        # it, but ran them after it, and calls that nondeterminism.
        assert (await run.say_json("sign-off", people.sign(about_gate(SignOff, first, "ada")))).accepted
        await run.until(lambda _: machines.counts["promote"] == 1)
        await reset_to_before(temporal, run, "make_manifest")
        async with asyncio.timeout(PATIENCE):
            while machines.counts["make_manifest"] < 2:
                await asyncio.sleep(0.05)
        status = await run.until(lambda status: status.heard == 3 and bool(status.gates))
        assert status.run == first.run
        (gate,) = status.gates
        assert gate.subject == (other if changed else conftest.MANIFEST).digest
        assert machines.counts["promote"] == 1
        if changed:
            assert (gate.given, gate.passed_at, status.refused) == ((), None, 3)
        go_on.set()
        # What was said again came before the gate asked; said anew, it counts.
        said = {given.by for given in gate.given}
        for who in {"ada", "grace"} - said:
            status = await run.until_waiting("publish")
            assert (await run.say_json("sign-off", people.sign(about_gate(SignOff, status, who)))).accepted
        ended = await run.until(lambda status: status.phase is Phase.RELEASED)
        assert sorted(given.by for given in ended.gates[0].given) == ["ada", "grace"]
        assert await run.handle.query(ReleaseWorkflow.acts)
    replayer = Replayer(workflows=[ReleaseWorkflow], data_converter=pydantic_data_converter)
    await replayer.replay_workflow(await run.handle.fetch_history())
