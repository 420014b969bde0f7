"""Waits of days, in the time-skipping server: nobody waits for them."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from baton.model.status import Beginning, Phase
from tests.conftest import executable
from tests.workflows.conftest import Machines, Run
from tests.workflows.test_release import sign_off
from workflows.release import ReleaseWorkflow
from workflows.visibility import SEARCH_ATTRIBUTES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from baton.model.plan import Plan


@pytest.fixture
async def skipping() -> AsyncIterator[WorkflowEnvironment]:
    environment = await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=executable("temporal-test-server"), data_converter=pydantic_data_converter
    )
    async with environment:
        kinds = {key.name: IndexedValueType.ValueType(key.indexed_value_type) for key in SEARCH_ATTRIBUTES}
        await environment.client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(search_attributes=kinds, namespace="default")
        )
        yield environment


async def start(env: WorkflowEnvironment, plan: Plan, machines: Machines) -> Run:
    handle = await env.client.start_workflow(
        ReleaseWorkflow.run, Beginning(plan=plan), id=plan.release.workflow_id, task_queue=plan.queue
    )
    return Run(handle, machines, plan)


def workers(env: WorkflowEnvironment, plan: Plan, machines: Machines) -> list[Worker]:
    return [
        Worker(
            env.client,
            task_queue=queue,
            workflows=[ReleaseWorkflow] if queue == plan.queue else [],
            activities=machines.activities(),
        )
        for queue in plan.queues
    ]


async def test_a_release_waits_three_weeks_for_a_sign_off_and_goes_on(
    skipping: WorkflowEnvironment, plan: Plan, machines: Machines
) -> None:
    async with asyncio.TaskGroup() as group:
        serving = workers(skipping, plan, machines)
        for worker in serving:
            group.create_task(worker.run())
        run = await start(skipping, plan, machines)
        opened = (await run.until_waiting("publish")).waiting[0].since
        await skipping.sleep(timedelta(weeks=3))
        status = await run.status()
        assert status.waiting[0].since == opened
        await run.say(sign_off(status))
        ended = await run.handle.result()
        assert ended.phase is Phase.RELEASED
        given = ended.gates[0].given[0]
        assert given.at - opened >= timedelta(weeks=3)
        for worker in serving:
            await worker.shutdown()
