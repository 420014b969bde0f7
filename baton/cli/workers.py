"""Is anyone polling? Which task queues have a live worker, and since when one has not."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest

from baton.cli.rpc import told
from baton.cli.units import age

if TYPE_CHECKING:
    from collections.abc import Iterable

    from temporalio.client import Client

SILENT_AFTER = timedelta(seconds=75)
"""A worker's poll lasts at most a minute before it polls again, so one that was last seen before that is gone."""

_REMEMBERED = "5 minutes"
"""How long the server remembers a worker that it no longer sees."""


@dataclass(frozen=True)
class QueueWorkers:
    """The workers of one task queue.

    Attributes:
        seen: when the last of them polled, as far back as the server remembers; None if none did.
    """

    queue: str
    seen: datetime | None

    def silent(self, now: datetime) -> bool:
        """Whether no worker polls the queue."""
        return self.seen is None or now - self.seen > SILENT_AFTER

    def fact(self, now: datetime) -> str:
        """Who polls, in words for a person."""
        if self.seen is None:
            return f"no worker is polling {self.queue} (none seen in the last {_REMEMBERED})"
        if self.silent(now):
            return f"no worker is polling {self.queue} (last seen {age(now - self.seen)} ago)"
        return f"a worker is polling {self.queue}"


async def workers_of(client: Client, queues: Iterable[str], *, of_workflows: Iterable[str] = ()) -> list[QueueWorkers]:
    """Ask the server who polls these task queues.

    Args:
        client: a connection to Temporal.
        queues: where activities wait.
        of_workflows: where releases themselves wait.

    Returns:
        One for each name, in the order given, those of workflows first; a queue that is named as both is as silent as
        the more silent of its two kinds.

    Raises:
        BatonError: the server refused.
    """
    kinds = TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY
    asked = [(name, kind) for kind, names in zip(kinds, (of_workflows, queues), strict=True) for name in names]
    seen = await asyncio.gather(*(_last_seen(client, name, kind) for name, kind in asked))
    found: dict[str, datetime | None] = {}
    for (name, _), when in zip(asked, seen, strict=True):
        known = found.get(name, when)
        found[name] = None if known is None or when is None else min(known, when)
    return [QueueWorkers(queue, when) for queue, when in found.items()]


async def _last_seen(client: Client, queue: str, kind: TaskQueueType.ValueType) -> datetime | None:
    request = DescribeTaskQueueRequest(
        namespace=client.namespace, task_queue=TaskQueue(name=queue), task_queue_type=kind
    )
    with told(f"could not ask who polls {queue}"):
        answer = await client.workflow_service.describe_task_queue(request)
    polls = [poller.last_access_time.ToDatetime(tzinfo=UTC) for poller in answer.pollers]
    return max(polls, default=None)
