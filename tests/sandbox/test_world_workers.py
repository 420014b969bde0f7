from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest

from baton.cli.connect import connect
from baton.model.errors import Failed
from baton.sandbox.embedded import EmbeddedWorld
from baton.sandbox.state import State
from tests.conftest import PATIENCE, own_ports

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def folder() -> Iterator[Path]:
    """A state folder with a path as short as people's own, on ports that nobody else wants."""
    folder = Path(tempfile.mkdtemp(prefix="baton-world-"))
    own_ports(folder)
    yield folder
    shutil.rmtree(folder)


async def pollers_of(world: EmbeddedWorld, queue: str) -> set[str]:
    """The processes that poll a task queue for activities, once some do."""
    client = await connect(address=world.facts.temporal_address)
    asked = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
    )
    async with asyncio.timeout(PATIENCE):
        while not (pollers := (await client.workflow_service.describe_task_queue(asked)).pollers):
            await asyncio.sleep(0.05)
    # The SDK calls itself PID@HOST.
    return {poller.identity.partition("@")[0] for poller in pollers}


async def test_each_queue_has_a_worker_process_of_its_own(folder: Path) -> None:
    with EmbeddedWorld.start(folder, queues=("sign", "build-source")) as world:
        processes = {queue: world.facts.pids[queue] for queue in ("sign", "build-source")}
        for queue, process in processes.items():
            assert await pollers_of(world, queue) == {str(process)}
        assert "BATON_GPG_HOME" in psutil.Process(processes["sign"]).environ()
        assert "BATON_GPG_HOME" not in psutil.Process(processes["build-source"]).environ()
        world.kill("sign")
        assert "sign" not in world.facts.pids
        world.restart("sign")
        assert world.facts.pids["sign"] != processes["sign"]
    assert not any(psutil.pid_exists(process) for process in processes.values())


def test_a_worker_that_does_not_come_up_is_reported_with_the_end_of_its_log(folder: Path) -> None:
    with pytest.raises(Failed, match="not NAME or NAME=DUTY"):
        EmbeddedWorld.start(folder, queues=("notary=seal",))
    assert State.at(folder).owner() is None
