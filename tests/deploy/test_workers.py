"""Every worker of the compose file, started for real with its own command and environment, on paths of this machine."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest

from tests.conftest import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from temporalio.client import Client
    from temporalio.testing import WorkflowEnvironment

    from tests.deploy.conftest import Service


@dataclass(frozen=True)
class Container:
    """A folder that stands in for a container's file system."""

    root: Path
    temporal_address: str
    namespace: str

    def here(self, text: str) -> str:
        """What an argument or a variable's value says, with the container's paths and addresses as they are here."""
        for folder in ("/var/lib/baton", "/srv/baton", "/run/secrets", "/tmp"):  # noqa: S108  # the container's
            text = text.replace(folder, f"{self.root}{folder}")
        return text.replace("temporal:7233", self.temporal_address)

    def environment(self, service: Service) -> Mapping[str, str]:
        given = {name: self.here(value) for name, value in service["environment"].items() if value is not None}
        return {
            **given,
            "TEMPORAL_NAMESPACE": self.namespace,
            "PATH": os.environ["PATH"],
            # As the image sets them.
            "HOME": str(self.root),
            "PYTHONSAFEPATH": "1",
        }

    async def start(self, command: list[str], service: Service) -> asyncio.subprocess.Process:
        program, *arguments = command
        return await asyncio.create_subprocess_exec(
            sys.executable if program == "python" else program,
            *map(self.here, arguments),
            env=self.environment(service),
            cwd=self.root,
            stderr=asyncio.subprocess.PIPE,
        )


@pytest.fixture
def container(tmp_path: Path, temporal: WorkflowEnvironment, namespace: str) -> Container:
    for folder in ("var/lib/baton", "srv/baton", "run/secrets", "tmp"):
        (tmp_path / folder).mkdir(parents=True)
    return Container(tmp_path, temporal.client.service_client.config.target_host, namespace)


@pytest.mark.parametrize("queue", ["release", "sign", "publish", "ci", "build-source", "build-docs"])
async def test_the_worker_of_the_compose_file_comes_up_polls_and_goes(
    queue: str, workers: dict[str, Service], container: Container, temporal: WorkflowEnvironment
) -> None:
    service = workers[queue]
    process = await container.start(service["command"], service)
    try:
        await asyncio.wait_for(_healthy(container, service, process), PATIENCE)
        await asyncio.wait_for(_polled(temporal.client, container.namespace, queue), PATIENCE)
    finally:
        if process.returncode is None:
            process.terminate()
        _, said = await process.communicate()
    # Not its exit code: Temporal's core may crash the interpreter's tear-down, after everything is done
    # (https://github.com/temporalio/sdk-python/issues/300).
    assert b"stopping" in said


def test_no_worker_of_the_compose_file_is_left_out(workers: dict[str, Service]) -> None:
    assert set(workers) == {"release", "sign", "publish", "ci", "build-source", "build-docs"}


async def _healthy(container: Container, service: Service, process: asyncio.subprocess.Process) -> None:
    """The compose file's own health check says so."""
    while True:
        check = await container.start(service["healthcheck"]["test"][1:], service)
        if await check.wait() == 0:
            return
        if process.returncode is not None:
            _, said = await process.communicate()
            raise AssertionError(said.decode())
        await asyncio.sleep(0.1)


async def _polled(client: Client, namespace: str, queue: str) -> None:
    """The server sees a poller, for releases themselves where the queue has them."""
    kinds = [TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY]
    if queue == "release":
        kinds.append(TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW)
    for kind in kinds:
        request = DescribeTaskQueueRequest(namespace=namespace, task_queue=TaskQueue(name=queue), task_queue_type=kind)
        while not (await client.workflow_service.describe_task_queue(request)).pollers:
            await asyncio.sleep(0.1)
